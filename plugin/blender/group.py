"""The node: a group whose inputs say what to key and whose outputs read the results.

Inside lies one Image node on the results' sequence. Blender makes a socket of every layer of such a file and hands
its pixels on bit for bit (measured with 4.5.15 and 5.0.1), so a file with a PlateKey node opens and renders from its
results on a machine without this extension. The inputs end at the group's border: their pictures reach the engine as
files.
"""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path
from typing import Optional, Tuple

import bpy

from ..core.frames import frame_file
from ..core.knobs import KNOBS, LAYERS
from ..core.refusals import require_writable, writing
from . import compositor, footage
from .settings import ALWAYS, layer_label

MAIN, ALPHA, OVER = "Image", "Alpha", "Over Background"
FRAME, PLATE = "Frame", "Clean Plate"
MATTES = {"garbage": "Garbage Matte", "core": "Core Matte", "hint": "Hint"}
BACKGROUND, RESIDUAL_GAIN = "Background", "Residual Gain"

SLATE = Path(__file__).with_name("slate.exr")
"""'Not processed', with every layer: shown before the first result, and where a result cannot be had."""

_READER, _RESIDUAL = "Results", "Residual over"

RESULT = "keyed.######.exr"

_ANCHOR = 999999
"""Number of the slate's copy beside the results. Blender learns a sequence's layers from the one file that names it,
when it is named: were that a frame which is yet to be made, the render that makes it would find no layers."""


def make_group() -> bpy.types.NodeTree:
    """A new PlateKey group, with settings and an image of its own."""
    tree = bpy.data.node_groups.new("PlateKey", "CompositorNodeTree")
    tree.platekey.identity = uuid.uuid4().hex
    _add_sockets(tree)
    _add_nodes(tree)
    return tree


def add_node(scene: bpy.types.Scene) -> bpy.types.Node:
    """A new PlateKey node in the scene's compositing tree, which is made where missing."""
    node = compositor.made_tree_of(scene).nodes.new("CompositorNodeGroup")
    node.node_tree = make_group()
    node.name = node.label = "PlateKey"
    node.width = 200
    node.node_tree.platekey.clean_frame = scene.frame_current
    return node


def reader(tree: bpy.types.NodeTree) -> bpy.types.Node:
    """The Image node that reads the results; its image belongs to this group alone."""
    node = tree.nodes[_READER]
    if node.image is None:
        node.image = _own_image()
    elif node.image.users > 1:
        node.image = node.image.copy()
    return node


def show_results(tree: bpy.types.NodeTree, folder: str, numbering: footage.Numbering) -> None:
    """Read the results in a folder, which gets the slate that names their layers.

    A change of the image's path counts at once, one of the node's own settings only from the next frame of a render on
    (measured), so a render has to call this before its first frame.

    Args:
        tree: a PlateKey group.
        folder: of the results; made where missing.
        numbering: which result belongs to which frame.

    Raises:
        LinkError: the folder cannot be written.
    """
    anchor = os.path.join(folder, frame_file(RESULT, _ANCHOR))
    if not os.path.exists(anchor):
        require_writable("PlateKey", folder)
        temporary = "{}.{}".format(anchor, uuid.uuid4().hex)
        with writing("PlateKey", folder):
            shutil.copyfile(str(SLATE), temporary)
            os.replace(temporary, anchor)
    node = reader(tree)
    footage.applied(numbering, node)
    image = node.image
    if image.source != "SEQUENCE" or bpy.path.abspath(image.filepath) != anchor:
        image.source = "SEQUENCE"
        image.filepath = _portable(anchor)


def tree_with(identity: str) -> Optional[bpy.types.NodeTree]:
    """The PlateKey group of an identity; None where it was removed. A reference to it would not survive an undo."""
    return next((tree for tree in bpy.data.node_groups if tree.platekey.identity == identity), None)


def show_slate(tree: bpy.types.NodeTree) -> None:
    """Show 'not processed' instead of results; counts at once."""
    image = reader(tree).image
    image.source, image.filepath = "FILE", str(SLATE)


def wanted_layers(node: bpy.types.Node) -> Tuple[str, ...]:
    """Layers that a run has to make: those ticked, and those that are connected."""
    settings = node.node_tree.platekey
    linked = {socket.name for socket in node.outputs if socket.is_linked}
    wanted = {layer for layer in LAYERS if layer in settings.layers or layer_label(layer) in linked} | {ALWAYS}
    gain = node.inputs[RESIDUAL_GAIN]
    if OVER in linked and (gain.is_linked or gain.default_value > 0):
        wanted.add("residual")
    return tuple(layer for layer in LAYERS if layer in wanted)


def _portable(path: str) -> str:
    """Relative to the .blend file where it is saved, so that the project opens elsewhere; across drives that fails."""
    try:
        return bpy.path.relpath(path) if bpy.data.filepath else path
    except ValueError:
        return path


def _own_image() -> bpy.types.Image:
    image = bpy.data.images.load(str(SLATE))
    image.name = "PlateKey results"
    image.colorspace_settings.name = "Non-Color"
    image.alpha_mode = "PREMUL"
    return image


def _add_sockets(tree: bpy.types.NodeTree) -> None:
    def socket(name: str, direction: str, kind: str) -> bpy.types.NodeTreeInterfaceItem:
        return tree.interface.new_socket(name, in_out=direction, socket_type="NodeSocket" + kind)

    for name in (MAIN, *map(layer_label, LAYERS), OVER):
        socket(name, "OUTPUT", "Color")
    socket(ALPHA, "OUTPUT", "Float")
    socket(FRAME, "INPUT", "Color")
    socket(PLATE, "INPUT", "Color")
    for name in MATTES.values():
        socket(name, "INPUT", "Float").hide_value = True
    socket(BACKGROUND, "INPUT", "Color").default_value = (0.0, 0.0, 0.0, 0.0)
    knob = next(knob for knob in KNOBS if knob.merge_only)
    gain = socket(RESIDUAL_GAIN, "INPUT", "Float")
    gain.min_value, gain.max_value, gain.default_value, gain.description = knob.low, knob.high, knob.initial, knob.help


def _add_nodes(tree: bpy.types.NodeTree) -> None:
    """The reader, its layers to the outputs, and the merge over a background: shadow, main, residual by its gain."""
    node = tree.nodes.new("CompositorNodeImage")
    node.name = node.label = _READER
    node.image = _own_image()
    inputs, outputs = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    inputs.location, outputs.location = (-300, -200), (700, 0)
    tree.links.new(node.outputs["Combined"], outputs.inputs[MAIN])
    tree.links.new(node.outputs["Alpha"], outputs.inputs[ALPHA])
    for layer in LAYERS:
        tree.links.new(node.outputs[layer], outputs.inputs[layer_label(layer)])
    shadowed = compositor.add_over(tree, inputs.outputs[BACKGROUND], node.outputs["shadow"])
    merged = compositor.add_over(tree, shadowed.outputs[0], node.outputs["Combined"])
    added = compositor.add_over(tree, merged.outputs[0], node.outputs["residual"])
    added.name = added.label = _RESIDUAL
    tree.links.new(inputs.outputs[RESIDUAL_GAIN], compositor.over_factor(added))
    tree.links.new(added.outputs[0], outputs.inputs[OVER])
    for place, over in enumerate((shadowed, merged, added)):
        over.location = (place * 200, -250)
