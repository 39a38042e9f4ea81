"""The graph above a node as plain values, to tell whether what was exported from it is still true.

Every property that the interface can set is read through Blender's own description of it, so a kind of node that this
file has never heard of counts too. What cannot be read that way is named: 3D scenes, and the keyed shapes of masks.
"""

from __future__ import annotations

import os
from typing import Any, Dict, List, Set

import bpy

from . import graph

_OF_EVERY_NODE = frozenset(bpy.types.Node.bl_rna.properties.keys())
"""Name, place, colour and the like: no pixel depends on them."""

_OF_EVERY_ID = frozenset(bpy.types.ID.bl_rna.properties.keys())

_NOT_WATCHED = (bpy.types.Scene, bpy.types.Object)
"""What changes in 3D is not seen from here."""

_READ_THROUGH = (bpy.types.Mask, bpy.types.Texture, bpy.types.Action)
"""Data-blocks that are read like any struct."""


def described(socket: bpy.types.NodeSocket) -> Any:  # noqa: ANN401 - JSON values
    """Everything above an input that a picture depends on, but the content of files."""
    nodes = graph.above(socket)
    source = graph.feeding(socket)
    tree = socket.id_data
    return {
        "nodes": [_node(node, nodes) for node in nodes],
        "end": None if source is None else [nodes.index(source.node), source.identifier],
        "animation": _Reader().read(tree.animation_data),
    }


def is_watched(socket: bpy.types.NodeSocket) -> bool:
    """Whether `described` and the files' time stamps together see every change above an input."""
    for node in graph.opened(graph.above(socket)):
        pointers = (getattr(node, prop.identifier) for prop in node.bl_rna.properties if prop.type == "POINTER")
        if any(isinstance(pointer, _NOT_WATCHED) for pointer in pointers):
            return False
    return True


def _node(node: bpy.types.Node, numbered: List[bpy.types.Node]) -> Dict[str, Any]:
    told: Dict[str, Any] = {"kind": node.bl_idname, "inputs": [_input(socket, numbered) for socket in node.inputs]}
    if graph.is_platekey(node):
        told["platekey"] = node.node_tree.platekey.described()
    else:
        told["values"] = _Reader(_OF_EVERY_NODE | _without_value(node)).read(node)
    return told


def _without_value(node: bpy.types.Node) -> Set[str]:
    """Menus of an Image node that are empty for a file without layers or views; Blender warns where they are read."""
    menus = {"layer": "has_layers", "view": "has_views"}
    return {name for name, there in menus.items() if not getattr(node, there, True)}


def _input(socket: bpy.types.NodeSocket, numbered: List[bpy.types.Node]) -> Any:  # noqa: ANN401 - JSON values
    source = graph.feeding(socket)
    if source is None or source.node not in numbered:
        return _Reader().read(getattr(socket, "default_value", None))
    return [numbered.index(source.node), source.identifier]


class _Reader:
    """Reads Blender's structs as plain values, each once.

    Args:
        skipped: properties of the first struct that do not count.
    """

    def __init__(self, skipped: frozenset = frozenset()) -> None:
        self._skipped = skipped
        self._seen: Set[int] = set()

    def read(self, value: Any) -> Any:  # noqa: ANN401 - whatever a property holds
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, bpy.types.bpy_struct):
            return self._struct(value)
        return sorted(value) if isinstance(value, set) else [self.read(item) for item in value]

    def _struct(self, value: bpy.types.bpy_struct) -> Any:  # noqa: ANN401 - JSON values
        if isinstance(value, (bpy.types.Image, bpy.types.MovieClip)):
            return self._file(value)
        if isinstance(value, bpy.types.NodeTree):
            return self._tree(value)
        if isinstance(value, bpy.types.ID) and not isinstance(value, _READ_THROUGH):
            return value.name_full
        return self._properties(value)

    def _properties(self, struct: bpy.types.bpy_struct) -> Any:  # noqa: ANN401 - JSON values
        if struct.as_pointer() in self._seen:
            return "seen"
        self._seen.add(struct.as_pointer())
        skipped, self._skipped = self._skipped | {"rna_type"}, frozenset()
        if isinstance(struct, bpy.types.ID):
            skipped |= _OF_EVERY_ID
        told = {"kind": struct.bl_rna.identifier}
        for prop in struct.bl_rna.properties:
            nested = prop.type in ("POINTER", "COLLECTION")
            if prop.identifier not in skipped and (nested or not prop.is_readonly):
                told[prop.identifier] = self.read(getattr(struct, prop.identifier))
        return told

    def _tree(self, tree: bpy.types.NodeTree) -> Any:  # noqa: ANN401 - JSON values
        nodes = list(tree.nodes)
        return [_node(node, nodes) for node in nodes] + [self.read(tree.animation_data)]

    @staticmethod
    def _file(data: Any) -> Any:  # noqa: ANN401 - an image or a clip
        alpha = getattr(data, "alpha_mode", "")
        return [data.source, os.path.basename(data.filepath), data.colorspace_settings.name, alpha]
