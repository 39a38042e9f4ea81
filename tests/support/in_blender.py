"""Runs inside Blender: a list of steps, each a function of this file with its arguments, as JSON on the command line.

``python in_blender.py '[["shot", {...}], ["render", {...}]]'`` prints the results of the steps as the last line and
leaves by `os._exit`, for Blender as a module hangs in an orderly exit.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import bpy

import plugin.blender
from plugin.blender import board, compositor, group

NEW = bpy.app.version >= (5, 0, 0)


def tree():
    return compositor.tree_of(bpy.context.scene)


def output():
    """The socket that is rendered."""
    kinds = ("CompositorNodeComposite", "NodeGroupOutput")
    return next(node for node in tree().nodes if node.bl_idname in kinds).inputs[0]


def image_node(path, start=1, length=1, offset=0, cyclic=False, source="SEQUENCE", **settings):
    """An Image node; settings are its image's."""
    image = bpy.data.images.load(path)
    image.source = source
    for name, value in settings.items():
        setattr(image, name, value)
    node = tree().nodes.new("CompositorNodeImage")
    node.image = image
    node.frame_start, node.frame_duration, node.frame_offset, node.use_cyclic = start, length, offset, cyclic
    return node


def shot(size, first, last, depth="32"):
    """An empty compositing tree whose render is a float EXR."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.frame_start, scene.frame_end = first, last
    settings = scene.render.image_settings
    settings.file_format, settings.color_mode, settings.color_depth = "OPEN_EXR", "RGBA", depth
    compositor.made_tree_of(scene)
    for node in list(tree().nodes):
        if node.bl_idname == "CompositorNodeRLayers":
            tree().nodes.remove(node)
    if not NEW and not any(node.bl_idname == "CompositorNodeComposite" for node in tree().nodes):
        tree().nodes.new("CompositorNodeComposite")


def footage(name, **described):
    """An Image node of this name."""
    image_node(**described).name = name


def clip(name, path):
    """A Movie Clip node of this name."""
    node = tree().nodes.new("CompositorNodeMovieClip")
    node.name, node.clip = name, bpy.data.movieclips.load(path)


def exposure(name, source, stops=1.0):
    """An Exposure node: what lies above PlateKey is no longer a file then."""
    made = tree().nodes.new("CompositorNodeExposure")
    made.name = name
    made.inputs["Exposure"].default_value = stops
    tree().links.new(tree().nodes[source].outputs[0], made.inputs["Image"])


def box(name, centre, size):
    """A Box Mask node; places are shares of the picture."""
    made = tree().nodes.new("CompositorNodeBoxMask")
    made.name = name
    made.inputs["Position"].default_value, made.inputs["Size"].default_value = centre, size


def platekey(folder, name="PlateKey", inputs=None, out="Image", clean_frame=1, layers=(), **knobs):
    """A PlateKey node; `inputs` are the names of the nodes, or pairs of node and socket, by input."""
    made = group.add_node(bpy.context.scene)
    made.name = made.label = name
    settings = made.node_tree.platekey
    settings.folder, settings.clean_frame = folder, clean_frame
    settings.layers = set(layers) | {"shadow"}
    for knob, value in knobs.items():
        setattr(settings, knob, value)
    for socket, source in (inputs or {}).items():
        source_node, source_socket = (source, 0) if isinstance(source, str) else source
        tree().links.new(tree().nodes[source_node].outputs[source_socket], made.inputs[socket])
    if out:
        tree().links.new(made.outputs[out], output())


def link(source, socket, target, target_socket):
    """Connect two nodes, or one with the render ("")."""
    end = tree().nodes[target].inputs[target_socket] if target else output()
    tree().links.new(tree().nodes[source].outputs[socket], end)


def render(to, first=None, last=None):
    """Render the range; returns Blender's error."""
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = first or scene.frame_start, last or scene.frame_end
    scene.render.filepath = os.path.join(to, "r.####")
    return told(lambda: bpy.ops.render.render(animation=True))


def process(whole_range=True, active="PlateKey"):
    """Press Process; returns its error."""
    tree().nodes.active = tree().nodes[active]
    return told(lambda: bpy.ops.platekey.process("EXEC_DEFAULT", whole_range=whole_range))


def inspect():
    """Press Inspect; returns its error."""
    return told(lambda: bpy.ops.platekey.inspect("EXEC_DEFAULT"))


def adapt():
    """Press Adapt to This Shot; returns its error and the model that the node has then."""
    error = told(lambda: bpy.ops.platekey.adapt("EXEC_DEFAULT"))
    return [error, tree().nodes["PlateKey"].node_tree.platekey.model]


def told(operator):
    """What an operator reports as an error."""
    try:
        operator()
    except RuntimeError as error:
        return str(error).strip()
    return ""


def lines(name="PlateKey"):
    """The node's status block."""
    return board.lines(tree().nodes[name].node_tree.platekey.identity)


def save(path):
    bpy.ops.wm.save_as_mainfile(filepath=path)


def reopen(path):
    bpy.ops.wm.open_mainfile(filepath=path)


def python(code):
    """Whatever else; `code` may set `result`."""
    names = {"bpy": bpy, "tree": tree(), "scene": bpy.context.scene, "group": group, "result": None}
    exec(code, names)
    return names["result"]


def without_extension():
    """As on a machine that has none."""
    plugin.blender.unregister()


if __name__ == "__main__":
    plugin.blender.register()
    results = [globals()[name](**arguments) for name, arguments in json.loads(sys.argv[1])]
    sys.stdout.write("\n" + json.dumps(results) + "\n")
    sys.stdout.flush()
    os._exit(0)
