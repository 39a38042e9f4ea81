"""Making the node: a Group of Nuke's own nodes, so that a script with it opens and renders anywhere."""

from __future__ import annotations

from typing import Any, Dict

import nuke

from ..core.knobs import LAYERS
from . import anatomy, panel
from .buttons import refresh
from .node import KeyNode

NAME = "PlateKey1"
"""Nuke counts on from there."""

_TILE = 0x2E6E8EFF
_ROW, _COLUMN = 90, 140

_EVERY_FRAME = 1000000
"""The Read spans -10^6..10^6: outside its range a Read holds its last frame, and only a missing file is an error."""


def create() -> nuke.Group:
    """A new node in the present group, wired to the selected node and with its panel open.

    Returns:
        The Group.
    """
    selected = nuke.selectedNodes()
    group = nuke.nodes.Group()
    group.setName(NAME)
    group["tile_color"].setValue(_TILE)
    group["label"].setValue("[value {}]".format(panel.OUTPUT))
    for layer in LAYERS:
        nuke.Layer(layer, anatomy.channels(layer))
    panel.add_knobs(group)
    with group:
        _Graph().draw()
    if selected:
        group.setInput(0, selected[0])
        group.setXYpos(selected[0].xpos(), selected[0].ypos() + _ROW)
        group["range_first"].setValue(selected[0].firstFrame())
        group["range_last"].setValue(selected[0].lastFrame())
    refresh(KeyNode(group))
    if nuke.GUI:
        group.showControlPanel()
    return group


class _Graph:
    """The nodes inside; each method makes some of them, left to right and top to bottom."""

    def draw(self) -> None:
        """Make them all."""
        inputs = self._inputs()
        results = self._results()
        layers = {layer: self._layer(results, layer, column) for column, layer in enumerate(LAYERS)}
        shadowed = _merge("WithShadow", "over", results, layers["shadow"])
        preview = self._preview(results, layers, inputs["Background"])
        shown = [results, shadowed, preview, inputs["Frame"]] + [layers[layer] for layer in LAYERS]
        choice = _node("Switch", "Shown", *shown)
        choice["which"].setExpression("parent.{}".format(panel.OUTPUT))
        _node("Output", "Out", choice)
        _place(choice, 0, 8)

    def _inputs(self) -> Dict[str, nuke.Node]:
        made: Dict[str, nuke.Node] = {}
        for number, name in enumerate(anatomy.INPUTS):
            made[name] = _node("Input", name, number=number)
            _place(made[name], number, 0)
            if name in anatomy.EXPORTS:
                _place(_export(made[name], name), number, 1)
        return made

    def _results(self) -> nuke.Node:
        """The Read of the layers, exact and loud: no colour transform, no proxy copy, an error where a file lacks."""
        read = _node("Read", anatomy.RESULTS, file_type="exr", raw=True, on_error="error", localizationPolicy="off")
        for knob, frame in (("first", -_EVERY_FRAME), ("last", _EVERY_FRAME)):
            read[knob].setValue(frame)
            read["orig" + knob].setValue(frame)
        clip = _node("FrameRange", anatomy.RANGE, read, first_frame=1, last_frame=1)
        _place(read, 0, 3)
        _place(clip, 0, 4)
        return clip

    def _layer(self, results: nuke.Node, layer: str, column: int) -> nuke.Node:
        copy = _node("Copy", "Show_{}".format(layer), results, results)
        for index, (source, target) in enumerate(anatomy.shown_as(layer)):
            copy["from{}".format(index)].setValue(source)
            copy["to{}".format(index)].setValue(target)
        _place(copy, column + 1, 5)
        return copy

    def _preview(self, results: nuke.Node, layers: Dict[str, nuke.Node], background: nuke.Node) -> nuke.Node:
        """The background, its shadow, the subject over it, and the residual by its gain.

        A grey shadow is laid over; a coloured one has to be multiplied.
        """
        over = _merge("ShadowOver", "over", layers["shadow"], background)
        multiplied = _merge("ShadowMultiply", "multiply", layers["shadow_ratio"], background, "rgb")
        ground = _node("Switch", "ShadowColour", over, multiplied)
        ground["which"].setExpression("parent.shadow_color")
        subject = _merge("Subject", "over", results, ground)
        whole = _merge("Residual", "plus", layers["residual"], subject, "rgb")
        whole["mix"].setExpression("parent.residual_gain")
        return whole


def _export(source: nuke.Node, name: str) -> nuke.Node:
    """A Write that does nothing until it is asked to: disabled, so that a farm's ``nuke -x`` passes over it."""
    # The file's type comes first: the knobs of EXR files are there only once it is chosen.
    return _node(
        "Write",
        anatomy.export_name(name),
        source,
        file_type="exr",
        datatype="32 bit float",
        compression="none",
        metadata="all metadata",
        channels=anatomy.EXPORTS[name],
        raw=True,
        disable=True,
    )


def _merge(name: str, operation: str, above: nuke.Node, below: nuke.Node, output: str = "rgba") -> nuke.Node:
    return _node("Merge2", name, below, above, operation=operation, output=output)


def _node(node_class: str, name: str, *inputs: nuke.Node, **knobs: Any) -> nuke.Node:  # noqa: ANN401 - knobs' values
    """A node of a class, wired, its knobs set in the order given."""
    node = getattr(nuke.nodes, node_class)()
    node.setName(name)
    for index, source in enumerate(inputs):
        node.setInput(index, source)
    for knob, value in knobs.items():
        node[knob].setValue(value)
    return node


def _place(node: nuke.Node, column: int, row: int) -> None:
    node.setXYpos(column * _COLUMN, row * _ROW)
