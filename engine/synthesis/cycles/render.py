"""Renders of one instant. Runs inside Blender's own Python (`bpy`).

A picture is put together from two renders, as deferred shading does, since on one thread light is what costs:

* a sharp one without light: alpha, and the surfaces' own colour (an AOV), with as many samples as alpha's edges need;
* a small one with light, which is divided by its own surface colour. What is left, the light that falls on surfaces,
  is smooth: it is denoised and enlarged, and the sharp surface colour is multiplied with it.

So neither alpha nor the pattern of a cloth is ever denoised, and colour is 0 where alpha is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from engine.synthesis.cycles.enlarge import enlarged
from engine.synthesis.cycles.materials import ALBEDO, Palette
from engine.values import Array


@dataclass(frozen=True)
class Quality:
    """Size and samples. Alpha's are adaptive: every pixel gets six, those that still differ get more."""

    size: int = 768
    alpha: int = 128
    threshold: float = 0.02
    light: int = 10
    light_scale: float = 0.5
    """Size of the light's render, as a share of `size`."""


class Renderer:
    """Cycles, set up for one scene."""

    def __init__(self, quality: Quality, palette: Palette, seed: int, folder: Path) -> None:
        self._quality = quality
        self._palette = palette
        self._folder = folder
        self._scene = bpy.context.scene
        _prepare(self._scene, seed)
        self._sharp, self._light = _wire(self._scene)

    def frame(self) -> Array:
        """Premultiplied linear RGBA ``(S, S, 4)`` of the scene as it stands; finite, black where alpha is 0."""
        cycles, quality = self._scene.cycles, self._quality
        self._palette.show_alpha(True)
        cycles.samples, cycles.use_adaptive_sampling = quality.alpha, True
        cycles.adaptive_threshold, cycles.adaptive_min_samples = quality.threshold, 6
        surface = self._render(self._sharp, quality.size)
        self._palette.show_alpha(False)
        cycles.samples, cycles.use_adaptive_sampling = quality.light, False
        light = self._render(self._light, round(quality.size * quality.light_scale))[..., :3]
        alpha = np.clip(surface[..., 3:], 0, 1)
        # The largest finite half is 65504.
        lit = np.clip(surface[..., :3] * enlarged(np.nan_to_num(light), quality.size), 0, 60000)
        return np.concatenate((np.where(alpha > 0, lit, 0), alpha), 2).astype(np.float32)

    def _render(self, result: bpy.types.NodeSocket, size: int) -> Array:
        """Render a result of the compositor, and read what was written: a headless Blender shows it to files alone."""
        scene, path = self._scene, self._folder / "render.exr"
        scene.node_tree.links.new(result, scene.node_tree.nodes["Composite"].inputs["Image"])
        scene.render.resolution_x = scene.render.resolution_y = size
        scene.render.filepath = str(path)
        bpy.ops.render.render(write_still=True)
        image = bpy.data.images.load(str(path))
        pixels = np.empty(size * size * 4, np.float32)
        image.pixels.foreach_get(pixels)
        bpy.data.images.remove(image)
        return pixels.reshape(size, size, 4)[::-1]


def _prepare(scene: bpy.types.Scene, seed: int) -> None:
    """What both renders share: transparent film, one thread, no view transform, little indirect light."""
    render, cycles = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.film_transparent = True
    render.threads_mode, render.threads = "FIXED", 1
    render.use_persistent_data = True
    settings = render.image_settings
    settings.file_format, settings.color_mode, settings.color_depth = "OPEN_EXR", "RGBA", "32"
    settings.exr_codec = "NONE"
    scene.view_settings.view_transform = "Raw"
    layer = scene.view_layers[0]
    layer.cycles.denoising_store_passes = True
    layer.aovs.add().name = ALBEDO
    scene.cycles_curves.shape = "RIBBONS"
    scene.cycles_curves.subdivisions = 1
    cycles.seed = seed & 0x7FFFFFFF
    cycles.use_denoising = cycles.use_light_tree = False
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 2, 1, 1
    cycles.transparent_max_bounces = 24
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 4.0


def _wire(scene: bpy.types.Scene) -> tuple[bpy.types.NodeSocket, bpy.types.NodeSocket]:
    """The compositor's two results: surface colour with alpha, and denoised light.

    Dividing the noisy render by its own noisy surface colour cancels the noise of coverage: both have the same samples.
    """
    scene.use_nodes = True
    nodes, links = scene.node_tree.nodes, scene.node_tree.links
    nodes.clear()
    nodes.new("CompositorNodeComposite").name = "Composite"
    layers = nodes.new("CompositorNodeRLayers")
    sharp = nodes.new("CompositorNodeSetAlpha")
    sharp.mode = "REPLACE_ALPHA"
    links.new(layers.outputs[ALBEDO], sharp.inputs["Image"])
    links.new(layers.outputs["Alpha"], sharp.inputs["Alpha"])
    divide = nodes.new("CompositorNodeMixRGB")
    divide.blend_type = "DIVIDE"
    links.new(layers.outputs["Image"], divide.inputs[1])
    links.new(layers.outputs[ALBEDO], divide.inputs[2])
    known = nodes.new("CompositorNodeSetAlpha")
    known.mode = "REPLACE_ALPHA"
    links.new(divide.outputs["Image"], known.inputs["Image"])
    links.new(layers.outputs["Alpha"], known.inputs["Alpha"])
    fill = nodes.new("CompositorNodeInpaint")
    fill.distance = 6
    links.new(known.outputs["Image"], fill.inputs["Image"])
    denoise = nodes.new("CompositorNodeDenoise")
    denoise.prefilter, denoise.quality = "NONE", "BALANCED"
    links.new(fill.outputs["Image"], denoise.inputs["Image"])
    links.new(layers.outputs["Denoising Normal"], denoise.inputs["Normal"])
    return sharp.outputs["Image"], denoise.outputs["Image"]
