"""What lies above a node, as files: rendered from a copy of the scene, frame by frame.

The copy's tree ends in one File Output node for each input, so that one small render makes them all, in 32-bit float
and in their own sizes, and nothing else of the scene is computed. A render inside a render is allowed only on Blender's
main thread, which renders without a window run on (measured: 4.5.15, 5.0.1).
"""

from __future__ import annotations

import glob
import os
import shutil
import tempfile
import threading
from typing import List, Optional

import bpy

from ..core.errors import LinkError
from ..core.frames import frame_file
from ..core.manifest import Manifest
from ..core.refusals import require_writable, writing
from ..core.state import state_hash
from . import compositor, graph, group
from .plan import Plan, exported_pattern

_MOVES = frozenset(
    "CompositorNode" + kind
    for kind in ("Translate", "Transform", "Stabilize", "Crop", "CornerPin", "PlaneTrackDeform", "MapUV", "Lensdist")
)
"""Nodes that place their picture anew on the canvas; a File Output node writes it without its place (measured)."""

_UNWANTED = "unwanted."
"""Start of the name under which Blender writes the copy's 3D, where there is some; else it would replace the scene's
own output (measured)."""

_nested: List[str] = []
"""Name of the copy that is being rendered now; the handlers of the scene itself have nothing to do with it."""


def is_nested() -> bool:
    """Whether the render that runs is an export."""
    return bool(_nested)


def can_export() -> bool:
    """Whether a render can be begun here; not in the thread in which Blender's window renders."""
    return threading.current_thread() is threading.main_thread()


class Exporter:
    """Exports one node's inputs, and leaves no scene and no half file behind; use it on the main thread.

    Args:
        scene: the scene of the node.
        plan: the node's plan, with exports.
    """

    def __init__(self, scene: bpy.types.Scene, plan: Plan) -> None:
        self._scene = scene
        self._plan = plan
        self._manifest = Manifest(exported_pattern(plan.exchange, "frames"))
        self._copy: Optional[_Copy] = None

    def make(self, frame: int) -> None:
        """Export a frame, unless what was exported for it is still true.

        Raises:
            LinkError: a file that is read above is missing, the folder cannot be written, or Blender exports nothing.
        """
        state = state_hash([], [source.file(frame) for source in self._plan.sources], {}, "", "")
        if self._plan.watched and self._is_true(frame, state):
            return
        self._require_sources(frame)
        with writing(self._plan.label, self._plan.exchange):
            if self._copy is None:
                require_writable(self._plan.label, self._plan.exchange)
                self._copy = _Copy(self._scene, self._plan)
            self._copy.render(frame)
            self._manifest.record(frame, state, "", "")

    def close(self) -> None:
        """Remove the copied scene and the folder of half files."""
        if self._copy is not None:
            self._copy.remove()
            self._copy = None

    def _is_true(self, frame: int, state: str) -> bool:
        patterns = (exported_pattern(self._plan.exchange, option) for option in self._plan.exports)
        there = all(os.path.exists(frame_file(pattern, frame)) for pattern in patterns)
        return there and not any(self._manifest.missing_or_stale([frame], lambda _: state))

    def _require_sources(self, frame: int) -> None:
        """What is read above is there: where it is not, Blender shows black and says nothing."""
        missing = [path for path in (source.file(frame) for source in self._plan.sources) if not os.path.exists(path)]
        if missing:
            raise LinkError(
                "FILE_MISSING",
                "{}: {}, which is read above it at frame {}, is missing.".format(self._plan.label, missing[0], frame),
                "Supply this file, or leave the frame out.",
            )


class _Copy:
    """The copied scene and its folder of half files."""

    def __init__(self, scene: bpy.types.Scene, plan: Plan) -> None:
        self._plan = plan
        self._stage = tempfile.mkdtemp(prefix=".part-", dir=plan.exchange)
        self._scene = scene.copy()
        self._scene.name = ".PlateKey export"
        self._settle()
        tree = compositor.own_tree(self._scene, scene)
        for output in compositor.output_nodes(tree):
            tree.nodes.remove(output)
        node = tree.nodes[plan.node]
        for option, name in plan.exports.items():
            channels = "BW" if option in group.MATTES else "RGBA"
            source = self._placed(tree, node.inputs[name])
            compositor.add_file_output(tree, source, self._stage, option + ".", channels)

    def render(self, frame: int) -> None:
        """Write a frame's files.

        A still render of a scene that is not the window's shows an old frame, an animation of one frame does not
        (measured: 4.5.15, 5.0.1).

        Raises:
            LinkError: Blender does not write them.
        """
        self._scene.frame_start = self._scene.frame_end = frame
        _nested.append(self._scene.name)
        try:
            bpy.ops.render.render(animation=True, scene=self._scene.name)
        except RuntimeError as error:
            raise _no_export(self._plan.label, frame, str(error).strip()) from error
        finally:
            _nested.pop()
            for unwanted in glob.glob(os.path.join(glob.escape(self._stage), _UNWANTED + "*")):
                os.unlink(unwanted)
        for option, name in self._plan.exports.items():
            made = [file for file in os.listdir(self._stage) if file.startswith(option + ".")]
            if len(made) != 1:
                raise _no_export(self._plan.label, frame, "it wrote no file for the input " + name)
            final = frame_file(exported_pattern(self._plan.exchange, option), frame)
            os.replace(os.path.join(self._stage, made[0]), final)

    def remove(self) -> None:
        """Leave nothing of it."""
        compositor.remove_scene(self._scene)
        shutil.rmtree(self._stage, ignore_errors=True)

    def _settle(self) -> None:
        """Only the compositor works, on whole frames; no stamps of time, so that the same pixels are the same bytes."""
        render = self._scene.render
        for prop in render.bl_rna.properties:
            if prop.identifier.startswith("use_stamp"):
                setattr(render, prop.identifier, False)
        render.use_compositing, render.use_sequencer = True, False
        render.use_border, render.use_multiview = False, False
        render.filepath = os.path.join(self._stage, _UNWANTED)
        compositor.as_image(render.image_settings).file_format = "OPEN_EXR"
        self._scene.frame_step = 1

    def _placed(self, tree: bpy.types.NodeTree, socket: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
        """What feeds an input; on a canvas of the scene's size where it was moved there."""
        source = socket.links[0].from_socket
        if not any(each.bl_idname in _MOVES for each in graph.opened(graph.above(socket))):
            return source
        render = self._scene.render
        sides = (render.resolution_x, render.resolution_y)
        width, height = (side * render.resolution_percentage // 100 for side in sides)
        canvas = tree.nodes.new("CompositorNodeImage")
        canvas.image = bpy.data.images.new(".PlateKey canvas", width, height, alpha=True, float_buffer=True)
        canvas.image.generated_color = (0.0, 0.0, 0.0, 0.0)
        return compositor.add_over(tree, canvas.outputs["Image"], source).outputs[0]


def _no_export(label: str, frame: int, why: str) -> LinkError:
    return LinkError(
        "INTERNAL",
        "{}: Blender did not export frame {}: {}.".format(label, frame, why),
        "Render the graph above the node by itself to see what is wrong.",
    )
