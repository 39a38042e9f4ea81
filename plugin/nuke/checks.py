"""What cannot be keyed, refused before anything is rendered."""

from __future__ import annotations

from typing import List

import nuke

from ..core import refusals
from ..core.errors import LinkError
from . import anatomy
from .node import KeyNode
from .state import NodeState


def check(key: KeyNode, state: NodeState, frames: List[int]) -> None:
    """Refuse what cannot be keyed.

    Args:
        key: the node.
        state: its state.
        frames: numbers to key, at least one.

    Raises:
        LinkError: one sentence, and what to do about it.
    """
    source = frame_source(key)
    for stream in state.streams.values():
        refusals.require_enabled(key.name, stream.lacking)
    refusals.require_full_size(key.name, bool(nuke.root()["proxy"].value()))
    view_of(key)
    key.require_shown()
    _check_formats(key, source, list(state.streams))
    _check_numbers(key, source, frames)


def frame_source(key: KeyNode) -> nuke.Node:
    """What is connected to the frame input.

    Raises:
        LinkError: nothing is.
    """
    source = key.source("Frame")
    refusals.require_connected(key.name, source is not None, anatomy.INPUTS["Frame"])
    return source  # type: ignore[return-value] # None has been refused


def view_of(key: KeyNode) -> str:
    """The view to key: the script's only one, or the one that a OneView right above the node picks.

    Raises:
        LinkError: the script has several, and nothing picks one.
    """
    source = key.source("Frame")
    while source is not None and source.Class() == "Dot":
        source = source.input(0)
    if source is not None and source.Class() == "OneView":
        return str(source["view"].value())
    refusals.require_one_view(key.name, nuke.views())
    return nuke.views()[0]


def _check_formats(key: KeyNode, source: nuke.Node, names: List[str]) -> None:
    size = source.width(), source.height()
    for name in names:
        other = key.source(name)
        if other is not None:
            refusals.require_same_format(key.name, size, (other.width(), other.height()), anatomy.INPUTS[name])


def _check_numbers(key: KeyNode, source: nuke.Node, frames: List[int]) -> None:
    if min(frames) < 0:
        raise LinkError(
            "BAD_REQUEST",
            "{}: frame {} is below 0, which Nuke and PlateKey write differently.".format(key.name, min(frames)),
            "Move the clip with a TimeOffset so that it starts at 0 or later.",
        )
    plate_frame = key.plate_frame()
    if plate_frame is not None:
        plate = key.source("CleanPlate") or source
        refusals.require_plate_frame(key.name, plate_frame, plate.firstFrame(), plate.lastFrame())
