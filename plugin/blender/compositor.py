"""What differs between the compositors of Blender 4.5 and 5.0; everything else in this package is the same for both.

Measured with 4.5.15 and 5.0.1. 4.5 keeps a scene's tree inside the scene and ends it in a Composite node; in 5.0 the
tree is a node group that the scene names, and it ends in the group's own output.
"""

from __future__ import annotations

from typing import List, Optional

import bpy

_SCENE_NAMES_GROUP = bpy.app.version >= (5, 0, 0)

_TAKES_PICTURES = ("CompositorNodeComposite", "NodeGroupOutput", "CompositorNodeOutputFile", "CompositorNodeViewer")
"""Nodes that the compositor works for."""


def tree_of(scene: bpy.types.Scene) -> Optional[bpy.types.NodeTree]:
    """The scene's compositing tree; None where it has none, or does not use it."""
    if _SCENE_NAMES_GROUP:
        return scene.compositing_node_group
    return scene.node_tree if scene.use_nodes else None


def made_tree_of(scene: bpy.types.Scene) -> bpy.types.NodeTree:
    """The scene's compositing tree; an empty one is made where it has none."""
    if not _SCENE_NAMES_GROUP:
        scene.use_nodes = True
    elif scene.compositing_node_group is None:
        tree = bpy.data.node_groups.new("Compositing", "CompositorNodeTree")
        tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        tree.nodes.new("NodeGroupOutput")
        scene.compositing_node_group = tree
    return tree_of(scene)


def own_tree(copied: bpy.types.Scene, original: bpy.types.Scene) -> bpy.types.NodeTree:
    """The tree of a scene that was just copied, made its own.

    5.0's copy still shares it with the original, and a copy of that still takes its 3D from the original scene: a
    render of the copy would then change the frame of a render of the original that is under way (measured).
    """
    if not _SCENE_NAMES_GROUP:
        return copied.node_tree
    copied.compositing_node_group = copied.compositing_node_group.copy()
    for node in copied.compositing_node_group.nodes:
        if node.bl_idname == "CompositorNodeRLayers" and node.scene == original:
            node.scene = copied
    return copied.compositing_node_group


def remove_scene(scene: bpy.types.Scene) -> None:
    """Remove a scene that has its own tree, and the tree."""
    tree = tree_of(scene)
    bpy.data.scenes.remove(scene)
    if _SCENE_NAMES_GROUP:
        bpy.data.node_groups.remove(tree)


def output_nodes(tree: bpy.types.NodeTree) -> List[bpy.types.Node]:
    """The nodes that pictures go to; a muted one gets none."""
    return [node for node in tree.nodes if node.bl_idname in _TAKES_PICTURES and not node.mute]


def add_file_output(
    tree: bpy.types.NodeTree, socket: bpy.types.NodeSocket, folder: str, name: str, channels: str
) -> None:
    """Write what a socket carries to ``<folder>/<name><frame>.exr``: 32-bit float, uncompressed, as large as it is.

    A File Output node writes its input in that input's own size, where a render's main output is cut to the scene's.

    Args:
        tree: the tree of the socket.
        socket: an output.
        folder: where the file goes; has to exist.
        name: start of the file's name.
        channels: ``RGBA``, or ``BW`` for one channel.
    """
    node = tree.nodes.new("CompositorNodeOutputFile")
    if _SCENE_NAMES_GROUP:
        node.directory, node.file_name = folder, name
        node.file_output_items.new("FLOAT" if channels == "BW" else "RGBA", "")
    else:
        node.base_path, node.file_slots[0].path = folder, name
    settings = as_image(node.format)
    settings.file_format, settings.color_depth, settings.exr_codec = "OPEN_EXR", "32", "NONE"
    settings.color_mode = channels
    tree.links.new(socket, node.inputs[0])


def as_image(settings: bpy.types.ImageFormatSettings) -> bpy.types.ImageFormatSettings:
    """Settings that are for single images, and not for movies or files of many layers."""
    if _SCENE_NAMES_GROUP:
        settings.media_type = "IMAGE"
    return settings


def add_over(tree: bpy.types.NodeTree, under: bpy.types.NodeSocket, top: bpy.types.NodeSocket) -> bpy.types.Node:
    """An Alpha Over node of two premultiplied pictures."""
    node = tree.nodes.new("CompositorNodeAlphaOver")
    below, above = (0, 1) if _SCENE_NAMES_GROUP else (1, 2)
    tree.links.new(under, node.inputs[below])
    tree.links.new(top, node.inputs[above])
    return node


def over_factor(node: bpy.types.Node) -> bpy.types.NodeSocket:
    """How much an Alpha Over node adds of its upper picture."""
    return node.inputs[2] if _SCENE_NAMES_GROUP else node.inputs[0]


def working_space() -> str:
    """The scene-linear space that the compositor works in: a name of Blender's colour configuration, or its role."""
    return bpy.data.colorspace.working_space if _SCENE_NAMES_GROUP else "scene_linear"
