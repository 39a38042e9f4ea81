"""Parts, light and camera as Blender data. Runs inside Blender's own Python (`bpy`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np
from mathutils import Quaternion, Vector  # type: ignore[import-not-found]

from engine.synthesis.cycles.camera import Lamp, View
from engine.synthesis.cycles.materials import Palette
from engine.synthesis.cycles.part import Part

FRAMES_A_SECOND = 24


def clear() -> None:
    """Forget every object, material and picture of the last subject."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    for blocks in (bpy.data.meshes, bpy.data.hair_curves, bpy.data.materials, bpy.data.worlds, bpy.data.images):
        for block in list(blocks):
            blocks.remove(block)


def place_parts(parts: Sequence[Part], palette: Palette) -> None:
    """Put parts into the scene, each an object, after removing those of the last instant."""
    for thing in [thing for thing in bpy.data.objects if thing.type in {"MESH", "CURVES"}]:
        data = thing.data
        bpy.data.objects.remove(thing)
        (bpy.data.meshes if isinstance(data, bpy.types.Mesh) else bpy.data.hair_curves).remove(data)
    for part in parts:
        if len(part.points):
            data = _mesh(part) if part.sizes is None else _curves(part)
            data.materials.append(palette.material(part.surface))
            _link(bpy.data.objects.new("part", data))


def _mesh(part: Part) -> bpy.types.Mesh:
    mesh = bpy.data.meshes.new("part")
    corners = np.concatenate([faces.ravel() for faces in part.faces])
    sides = np.concatenate([np.full(len(faces), faces.shape[1]) for faces in part.faces])
    mesh.vertices.add(len(part.points))
    mesh.vertices.foreach_set("co", part.points.astype(np.float32).ravel())
    mesh.loops.add(len(corners))
    mesh.loops.foreach_set("vertex_index", corners.astype(np.int32))
    mesh.polygons.add(len(sides))
    mesh.polygons.foreach_set("loop_start", (np.cumsum(sides) - sides).astype(np.int32))
    mesh.polygons.foreach_set("use_smooth", np.full(len(sides), part.smooth))
    mesh.update(calc_edges=True)
    _attributes(mesh, part)
    return mesh


def _curves(part: Part) -> bpy.types.Curves:
    curves = bpy.data.hair_curves.new("part")
    assert part.sizes is not None
    curves.add_curves(part.sizes.tolist())
    curves.points.foreach_set("position", part.points.astype(np.float32).ravel())
    if part.radii is not None:
        curves.points.foreach_set("radius", part.radii.astype(np.float32))
    _attributes(curves, part)
    return curves


def _attributes(data: bpy.types.ID, part: Part) -> None:
    for name, values in (("rest", part.rest), ("velocity", part.velocity)):
        if values is not None:
            # Blender's velocities are metres a second.
            scale = FRAMES_A_SECOND if name == "velocity" else 1
            layer = data.attributes.new(name, "FLOAT_VECTOR", "POINT")
            layer.data.foreach_set("vector", (values * scale).astype(np.float32).ravel())


def place_view(view: View) -> None:
    """Set camera, world and lamps."""
    scene = bpy.context.scene
    lens = bpy.data.cameras.new("camera")
    lens.lens, lens.sensor_width, lens.clip_start = view.focal, 36, 0.01
    lens.dof.use_dof = view.f_stop > 0
    if view.f_stop > 0:
        lens.dof.focus_distance = float(np.linalg.norm(view.target - view.place))
        lens.dof.aperture_fstop = view.f_stop
    camera = bpy.data.objects.new("camera", lens)
    camera.location = view.place
    camera.rotation_mode = "QUATERNION"
    aim = Vector(view.target - view.place).to_track_quat("-Z", "Y")
    camera.rotation_quaternion = aim @ Quaternion((0, 0, 1), view.roll)
    _link(camera)
    scene.camera = camera
    scene.render.use_motion_blur = view.shutter > 0
    scene.render.motion_blur_shutter = view.shutter
    scene.render.fps = FRAMES_A_SECOND
    scene.world = _world(view)
    for lamp in view.lamps:
        _place_lamp(lamp, view)


def _place_lamp(lamp: Lamp, view: View) -> None:
    light = bpy.data.lights.new("lamp", "AREA")
    light.size, light.energy, light.color = lamp.side, lamp.power, lamp.colour
    thing = bpy.data.objects.new("lamp", light)
    thing.location = lamp.place
    thing.rotation_mode = "QUATERNION"
    thing.rotation_quaternion = Vector(view.target - lamp.place).to_track_quat("-Z", "Y")
    _link(thing)


def _world(view: View) -> bpy.types.World:
    world = bpy.data.worlds.new("world")
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    picture = nodes.new("ShaderNodeTexEnvironment")
    picture.image = bpy.data.images.load(str(world_file(view.world)))
    mapping, where = nodes.new("ShaderNodeMapping"), nodes.new("ShaderNodeTexCoord")
    mapping.inputs["Rotation"].default_value = (0, 0, view.world_turn)
    links.new(where.outputs["Generated"], mapping.inputs["Vector"])
    links.new(mapping.outputs["Vector"], picture.inputs["Vector"])
    background = nodes["Background"]
    background.inputs["Strength"].default_value = view.world_strength
    links.new(picture.outputs["Color"], background.inputs["Color"])
    world.cycles.sampling_method = "MANUAL"
    # px: as sharp as lights out of focus need, and quick to tabulate.
    world.cycles.sample_map_resolution = 256
    return world


def world_file(name: str) -> Path:
    """A studio light's picture in Blender's own data files."""
    return Path(bpy.utils.resource_path("LOCAL")) / "datafiles" / "studiolights" / "world" / f"{name}.exr"


def _link(thing: bpy.types.Object) -> None:
    bpy.context.scene.collection.objects.link(thing)


def field_of_view(view: View) -> float:
    """The camera's whole angle, radians."""
    return 2 * math.atan(18 / view.focal)
