"""Presses the node's buttons in a Blender with a window, where no automatic test can: some minutes, and nobody clicks.

    platekey install blender
    blender --python tests/manual/blender_window.py -- FOLDER [PICTURES]

FOLDER holds a shot as ``make demo`` writes it to ``out/demo/shot``: ``frame.1001.exr`` onwards, and ``cleanplate.exr``.
What is made goes to ``window`` in it. Where PICTURES is named, screenshots go there; ImageMagick's ``import`` takes
them, under X. It prints a line for every question, ``[smoke] OK`` or ``[smoke] FAIL``; the exit code is the number of
failures.
"""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import addon_utils
import bpy

EXTENSION = "bl_ext.user_default.platekey"
SIZE = (960, 540)
PATIENCE = 600.0
"""Seconds that a run may take; the engine may have to start."""

shot = Path(sys.argv[sys.argv.index("--") + 1]).resolve()
pictures = [Path(name) for name in sys.argv[sys.argv.index("--") + 2 :]]
window = shot / "window"
numbers = sorted(int(path.suffixes[0][1:]) for path in shot.glob("frame.*.exr"))
failures = 0


def tell(text: str, fine: bool, words: str = "") -> None:
    """Print the answer to a question."""
    global failures  # noqa: PLW0603
    failures += not fine
    sys.stdout.write(f"[smoke] {'OK  ' if fine else 'FAIL'} {text}{'' if fine or not words else ': ' + words}\n")
    sys.stdout.flush()


def until(condition: Callable[[], bool]) -> Iterator[float]:
    """Wait; ends after `PATIENCE` in any case."""
    end = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < end:
        yield 0.2


def picture(name: str) -> Iterator[float]:
    """Take a screenshot, once the window has been drawn."""
    yield 1.5
    for folder in pictures:
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["import", "-window", "root", str(folder / (name + ".png"))], check=False)


def node_editor() -> dict:
    """Where the buttons are pressed."""
    screen = bpy.context.window_manager.windows[0]
    area = next(area for area in screen.screen.areas if area.type == "NODE_EDITOR")
    region = next(region for region in area.regions if region.type == "WINDOW")
    return {"window": screen, "screen": screen.screen, "area": area, "region": region}


def part(name: str) -> object:
    """A module of the extension."""
    return importlib.import_module(EXTENSION + ".blender." + name)


def build() -> bpy.types.Node:
    """Footage, clean plate and a new background into the node; its merge into the viewer and the render."""
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.frame_start, scene.frame_end = numbers[0], numbers[-1]
    scene.frame_set(numbers[0])
    bpy.ops.wm.save_as_mainfile(filepath=str(window / "shot.blend"))
    tree = part("compositor").made_tree_of(scene)
    for old in list(tree.nodes):
        if old.bl_idname not in ("NodeGroupOutput", "CompositorNodeComposite", "CompositorNodeViewer"):
            tree.nodes.remove(old)
    node = part("group").add_node(scene)
    made = [image(tree, f"frame.{numbers[0]}.exr"), image(tree, "cleanplate.exr"), colour(tree)]
    viewer = next((each for each in tree.nodes if each.bl_idname == "CompositorNodeViewer"), None)
    viewer = viewer or tree.nodes.new("CompositorNodeViewer")
    end = next(each for each in tree.nodes if each.bl_idname in ("NodeGroupOutput", "CompositorNodeComposite"))
    for source, name in zip(made, ("Frame", "Clean Plate", "Background"), strict=True):
        tree.links.new(source.outputs[0], node.inputs[name])
    for target in (viewer, end):
        tree.links.new(node.outputs["Over Background"], target.inputs[0])
    for each in made:
        each.hide = True  # small, so that a picture shows the node large
    places = ((0, 40), (0, -40), (0, -120), (220, 240), (520, 60), (520, -60))
    for each, place in zip([*made, node, viewer, end], places, strict=True):
        each.location = place
    node.width = 220
    tree.nodes.active = node
    return node


def image(tree: bpy.types.NodeTree, name: str) -> bpy.types.Node:
    """An Image node; a sequence where the name bears a number."""
    node = tree.nodes.new("CompositorNodeImage")
    node.image = bpy.data.images.load(str(shot / name))
    node.image.colorspace_settings.name = "ACEScg"
    node.label = "Clean plate" if name.startswith("clean") else "Footage"
    if node.label == "Footage":
        node.image.source = "SEQUENCE"
        node.frame_start, node.frame_duration, node.frame_offset = numbers[0], len(numbers), numbers[0] - 1
    return node


def colour(tree: bpy.types.NodeTree) -> bpy.types.Node:
    """A plain background."""
    node = tree.nodes.new("CompositorNodeRGB")
    node.label = "New background"
    node.outputs[0].default_value = (0.05, 0.14, 0.3, 1.0)
    return node


def viewed() -> tuple[float, float]:
    """Red of the viewer's topmost, rightmost pixel, where the background is, and the largest red of all."""
    reds = list(bpy.data.images["Viewer Node"].pixels)[::4]
    return reds[-1], max(reds)


def press(operator: Callable, **arguments: object) -> None:
    """Press a button as the mouse would."""
    with bpy.context.temp_override(**node_editor()):
        operator("INVOKE_DEFAULT", **arguments)


def results(node: bpy.types.Node) -> list[str]:
    """Names of the results of the node's present settings."""
    folder = Path(bpy.path.abspath(node.node_tree.nodes["Results"].image.filepath)).parent
    return sorted(path.name for path in folder.glob("keyed.00*.exr"))


def questions() -> Iterator[float]:
    """Everything that is asked, in its order; yields seconds to let Blender work."""
    shutil.rmtree(window, ignore_errors=True)
    window.mkdir()
    tell("the extension is found and switched on", addon_utils.enable(EXTENSION) is not None)
    bpy.context.window_manager.windows[0].workspace = bpy.data.workspaces["Compositing"]
    yield 1.0
    node = build()
    settings = node.node_tree.platekey
    board, operators = part("board"), part("operators")
    with bpy.context.temp_override(**node_editor()):
        space = bpy.context.area.spaces.active
        space.show_region_ui, space.show_region_asset_shelf = True, False
    yield 1.0
    with bpy.context.temp_override(**node_editor()):
        sidebar = next(region for region in bpy.context.area.regions if region.type == "UI")
        sidebar.active_panel_category = "PlateKey"
        bpy.ops.node.view_all()
    yield from picture("ready")

    yield from process_frame(node, board, operators)
    yield from cancelled(node, board, operators)
    press(bpy.ops.platekey.process, whole_range=True)
    yield from until(lambda: not operators.is_running(settings.identity))
    tell("Process Range makes every frame", len(results(node)) == len(numbers), repr(results(node)))
    yield from rendered(node, board)


def process_frame(node: bpy.types.Node, board: object, operators: object) -> Iterator[float]:
    """One frame, by its button."""
    identity = node.node_tree.platekey.identity
    bpy.context.scene.frame_set(numbers[len(numbers) // 2])
    press(bpy.ops.platekey.process, whole_range=False)
    tell("the run goes on while the window stays free", operators.is_running(identity))
    yield from until(lambda: not operators.is_running(identity))
    tell("Process Frame makes one frame", len(results(node)) == 1, repr(board.lines(identity)))
    tell("the panel tells engine, device, model and frame", "made" in " ".join(board.lines(identity)))
    yield from picture("frame")
    seen = viewed()
    tell("the viewer shows it at once, over the background", seen[0] < 0.06 and seen[1] > 0.3, repr(seen))


def cancelled(node: bpy.types.Node, board: object, operators: object) -> Iterator[float]:
    """A range that is cancelled after its first frame."""
    identity, before = node.node_tree.platekey.identity, len(results(node))
    press(bpy.ops.platekey.process, whole_range=True)
    yield from until(lambda: len(results(node)) > before or not operators.is_running(identity))
    progress = board.entry(identity).progress
    tell("the panel shows how far the run is", progress is not None and 0 < progress.share < 1, repr(progress))
    yield from picture("progress")
    press(bpy.ops.platekey.cancel)
    yield from until(lambda: not operators.is_running(identity))
    tell("Cancel ends the run and keeps what is done", before < len(results(node)) < len(numbers), repr(results(node)))
    tell("the panel says that it was cancelled", "cancelled" in board.lines(identity)[0], repr(board.lines(identity)))


def rendered(node: bpy.types.Node, board: object) -> Iterator[float]:
    """A render from the window: of what is processed, then of what is not."""
    scene, identity = bpy.context.scene, node.node_tree.platekey.identity
    scene.render.image_settings.file_format = "OPEN_EXR"
    for name, turned in (("processed", False), ("unprocessed", True)):
        if turned:
            exposure = node.id_data.nodes.new("CompositorNodeExposure")
            source = node.inputs["Frame"].links[0].from_socket
            node.id_data.links.new(source, exposure.inputs["Image"])
            node.id_data.links.new(exposure.outputs[0], node.inputs["Frame"])
        scene.render.filepath = str(window / name / "r.####")
        press(bpy.ops.render.render, animation=True)
        yield 2.0
        yield from until(lambda: not bpy.app.is_job_running("RENDER"))
        made = list((window / name).glob("*.exr"))
        wanted = 0 if turned else len(numbers)
        tell(f"a render of what is {name} writes {wanted} frames", len(made) == wanted, repr(made))
        yield from picture(name)
    tell("and the panel says why", "not processed" in board.lines(identity)[0], repr(board.lines(identity)))
    tell("the output path is the artist's again", scene.render.filepath == str(window / "unprocessed" / "r.####"))


def tick() -> float | None:
    """Go on; leave after the last question."""
    try:
        return next(steps)
    except StopIteration:
        sys.stdout.write(f"[smoke] {failures} failed\n")
        sys.stdout.flush()
        os._exit(failures)


steps = questions()
bpy.app.timers.register(tick, first_interval=2.0)
