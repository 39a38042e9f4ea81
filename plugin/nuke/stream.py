"""What flows into an input: the nodes above it as comparable values, and the files that they read."""

from __future__ import annotations

import os
import re
from typing import Any, Dict, List, NamedTuple

import nuke

from . import graph

_COSMETIC = """
    Render autolabel bookmark cached dope_sheet executing gl_color help hide_input icon indicators knobChanged label
    localizationPolicy mapsize name note_font note_font_color note_font_size onCreate onDestroy panel platekey_version
    postage_stamp postage_stamp_frame reload renderProgress rootNodeUpdated selected status tile_color updateUI version
    window xpos ypos
"""
_IGNORED = frozenset(_COSMETIC.split())
"""Knobs that change no pixel: where a node stands, how it looks, and the version that pressing 'reload' counts up."""

_NUMBER = re.compile(r"%0?\d*d|#+")


class _FileKnob(NamedTuple):
    node: nuke.Node
    knob: nuke.File_Knob


class Stream:
    """An input.

    Args:
        source: the node that is connected to it.

    Attributes:
        nodes: every node above, as plain values: class, knobs, wires.
        lacking: names of disabled nodes that have nothing to pass through.
    """

    def __init__(self, source: nuke.Node) -> None:
        above = graph.walk(source)
        order = {it.node.fullName(): index for index, it in enumerate(above)}
        self.nodes = [_described(it.node, order) for it in above]
        self.lacking = [it.node.name() for it in above if graph.is_disabled(it.node) and not graph.sources(it.node)]
        self._of_frame: List[_FileKnob] = []
        self._of_shot: List[_FileKnob] = []
        for it in above:
            steady = it.same_frame and not graph.is_retimed(it.node)
            (self._of_frame if steady else self._of_shot).extend(_file_knobs(it.node))

    def files(self, frame: int) -> List[str]:
        """Files whose picture is seen at this frame only; missing ones are among them."""
        return [it.knob.evaluate(graph.shown_frame(it.node, frame)) for it in self._of_frame]

    def shared_files(self) -> List[str]:
        """Files that any frame may depend on: whole sequences, where a node between looks at other frames."""
        return [file for it in self._of_shot for file in _sequence(it.knob.evaluate(1), it.knob.value())]


def _described(node: nuke.Node, order: Dict[str, int]) -> Any:  # noqa: ANN401 - JSON values
    wires = [order[source.fullName()] for source in graph.sources(node)]
    linked = [_values(other) for other in node.dependencies(nuke.EXPRESSIONS)]
    return [node.Class(), _values(node), wires, linked]


def _values(node: nuke.Node) -> Dict[str, str]:
    """The knobs that a saved script holds: a farm that opens it has to find the same ones."""
    kept = {name: knob for name, knob in node.knobs().items() if name not in _IGNORED}
    return {name: knob.toScript() for name, knob in kept.items() if not knob.getFlag(nuke.DO_NOT_WRITE)}


def _file_knobs(node: nuke.Node) -> List[_FileKnob]:
    """The knobs that name files to read; a Write's names one to be written."""
    if node.Class() == "Write" or graph.is_disabled(node):
        return []
    knobs = [knob for name, knob in sorted(node.knobs().items()) if name not in _IGNORED]
    return [_FileKnob(node, knob) for knob in knobs if isinstance(knob, nuke.File_Knob) and knob.value()]


def _sequence(file: str, pattern: str) -> List[str]:
    """Every file of the sequence that a file belongs to; the file alone where its name holds no number."""
    folder, name = os.path.split(file)
    padding = _NUMBER.search(os.path.basename(pattern))
    number = list(re.finditer(r"\d+", name))[-1:] if padding else []
    if not number:
        return [file]
    start, end = number[0].span()
    alike = re.compile(re.escape(name[:start]) + r"\d+" + re.escape(name[end:]) + "$")
    try:
        return sorted(os.path.join(folder, entry) for entry in os.listdir(folder) if alike.match(entry))
    except OSError:
        return [file]
