"""Walking a compositing tree: what feeds a socket, which PlateKey nodes a render needs, in which order."""

from __future__ import annotations

from typing import Iterator, List, Optional

import bpy

from ..core.errors import LinkError
from ..core.refusals import require_enabled
from . import compositor

GROUP = "CompositorNodeGroup"


def is_platekey(node: bpy.types.Node) -> bool:
    """Whether a node is one of ours."""
    return node.bl_idname == GROUP and node.node_tree is not None and bool(node.node_tree.platekey.identity)


def feeding(socket: bpy.types.NodeSocket) -> Optional[bpy.types.NodeSocket]:
    """The output that feeds an input, past reroutes and through muted nodes; None where nothing does.

    Raises:
        LinkError: a muted node above has nothing to let through.
    """
    while socket.is_linked:
        link = socket.links[0]
        if link.is_muted or not link.is_valid:
            return None
        source, node = link.from_socket, link.from_node
        if node.bl_idname == "NodeReroute":
            socket = node.inputs[0]
        elif node.mute:
            passed = [inner.from_socket for inner in node.internal_links if inner.to_socket == source]
            if not passed:
                require_enabled(socket.node.name, [node.name])
            socket = passed[0]
        else:
            return source
    return None


def above(socket: bpy.types.NodeSocket) -> List[bpy.types.Node]:
    """Every node that an input's picture comes from, sources first, each once; groups closed."""
    found: List[bpy.types.Node] = []
    _collect(socket, found)
    return found


def opened(nodes: List[bpy.types.Node]) -> Iterator[bpy.types.Node]:
    """These nodes and, of groups, all nodes inside, however deep; PlateKey's own stay closed."""
    for node in nodes:
        yield node
        if node.bl_idname == GROUP and node.node_tree is not None and not is_platekey(node):
            yield from opened(list(node.node_tree.nodes))


def platekeys(scene: bpy.types.Scene) -> List[bpy.types.Node]:
    """The PlateKey nodes that a render of a scene needs, those above others first.

    Raises:
        LinkError: one lies inside a group, or two share their settings.
    """
    tree = compositor.tree_of(scene)
    if tree is None:
        return []
    used: List[bpy.types.Node] = []
    for output in compositor.output_nodes(tree):
        for socket in output.inputs:
            _collect(socket, used)
    for node in opened(used):
        if is_platekey(node) and node not in used:
            raise LinkError(
                "BAD_REQUEST",
                "{} lies inside a node group.".format(node.label or node.name),
                "Move it out of the group, into the scene's own compositing tree.",
            )
    ours = [node for node in used if is_platekey(node)]
    require_own_settings(ours)
    return ours


def require_own_settings(nodes: List[bpy.types.Node]) -> None:
    """No two PlateKey nodes share one group, which holds the settings and the results.

    Raises:
        LinkError: two do.
    """
    groups = [node.node_tree for node in nodes]
    for node in nodes:
        if groups.count(node.node_tree) > 1:
            raise LinkError(
                "BAD_REQUEST",
                "{} shares its settings with another PlateKey node.".format(node.label or node.name),
                "Press the number beside the group's name in one of them to make it single-user.",
            )


def _collect(socket: bpy.types.NodeSocket, found: List[bpy.types.Node]) -> None:
    source = feeding(socket)
    if source is None or source.node in found:
        return
    for upper in source.node.inputs:
        _collect(upper, found)
    found.append(source.node)
