"""Walking up a script: which nodes a picture is made of.

Wires are followed as Nuke evaluates them: into groups and out of them, past disabled nodes, through the chosen input
of a Switch.
"""

from __future__ import annotations

from typing import Callable, Dict, List, NamedTuple, Optional, cast

import nuke

_NOW = """
    Add Blur ChannelMerge Clamp ColorCorrect ColorMatrix Colorspace Constant Copy CornerPin2D Crop Dissolve Dot EXPTool
    FrameRange Gamma Grade Input Invert Keymix Merge2 Multiply NoOp OCIOColorSpace OneView Output Premult Read Reformat
    Remove Roto Saturation Shuffle Shuffle2 Switch Transform Unpremult Viewer Write
"""
_SAME_FRAME = frozenset(_NOW.split())
"""Classes whose picture at a frame uses their inputs at that frame only, by Foundry's reference guide. Of any other,
such as TimeOffset, it is taken that it looks at all of them."""


class Above(NamedTuple):
    """A node that a picture is made of.

    Attributes:
        node: it.
        same_frame: whether it is seen at the picture's own frame, whatever lies between.
    """

    node: nuke.Node
    same_frame: bool


def walk(start: nuke.Node, beyond: Callable[[nuke.Node], bool] = lambda node: True) -> List[Above]:
    """The node and every one that its picture is made of, each once.

    Args:
        start: where to begin.
        beyond: whether to go on above a node.
    """
    found: Dict[str, Above] = {}
    waiting = [Above(start, True)]
    while waiting:
        here = waiting.pop()
        name = here.node.fullName()
        known = found.get(name)
        if known is not None and known.same_frame <= here.same_frame:
            continue
        found[name] = here
        if beyond(here.node):
            same = here.same_frame and _keeps_frame(here.node)
            waiting += [Above(source, same) for source in reversed(sources(here.node))]
    return list(found.values())


def sources(node: nuke.Node) -> List[nuke.Node]:
    """The nodes whose pictures a node uses, in the order of its inputs."""
    if is_disabled(node):
        return _present([node.input(0)])
    if node.Class() == "Input":
        return _present([node.parent().input(int(node["number"].value()))])
    if isinstance(node, nuke.Group):
        return [inner for inner in node.nodes() if inner.Class() == "Output"]
    if node.Class() == "Switch" and not (node["which"].hasExpression() or node["which"].isAnimated()):
        return _present([node.input(int(node["which"].value()))])
    return _present([node.input(index) for index in range(node.inputs())])


def is_disabled(node: nuke.Node) -> bool:
    """Whether a node only passes its first input through."""
    knob = node.knob("disable")
    return knob is not None and bool(knob.value())


def is_retimed(node: nuke.Node) -> bool:
    """Whether a Read shows another frame's file: it starts elsewhere, is offset, or follows an expression."""
    knob = node.knob("frame")
    return node.Class() == "Read" and knob is not None and knob.value() not in ("", "frame")


def shown_frame(node: nuke.Node, frame: int) -> int:
    """The number of the file that a Read shows at a frame: outside its range it holds an end, unless told otherwise."""
    if node.Class() != "Read":
        return frame
    first, last = int(node["first"].value()), int(node["last"].value())
    if frame < first and node["before"].value() == "hold":
        return first
    return last if frame > last and node["after"].value() == "hold" else frame


def file_of(node: nuke.Node, knob: str, frame: int = 0) -> str:
    """The file that a knob names at a frame, with its expressions evaluated; empty where it names none."""
    return str(cast("nuke.File_Knob", node[knob]).evaluate(frame) or "")


def _keeps_frame(node: nuke.Node) -> bool:
    return is_disabled(node) or isinstance(node, nuke.Group) or node.Class() in _SAME_FRAME


def _present(nodes: List[Optional[nuke.Node]]) -> List[nuke.Node]:
    return [node for node in nodes if node is not None]
