"""The short way out: footage that a Read shows as it is needs no export, the side-car can have its files."""

from __future__ import annotations

import os
import re
from typing import NamedTuple, Optional

import nuke

from ..core.frames import frame_file
from . import graph
from .colour import Colour, same_space

_PASSING = frozenset(("Dot", "NoOp", "Input"))

_ONE_NUMBER = re.compile(r"[^%#\[\]]*(%0\d+d|#+)[^%#\[\]]*$")
"""A name with one frame number and nothing else to fill in."""

_VIEW = re.compile("%[vV]")


class Footage(NamedTuple):
    """Files of a clip.

    Attributes:
        pattern: ``/shot/plate.%04d.exr``.
        first: number of the first file.
        last: number of the last file.
    """

    pattern: str
    first: int
    last: int


def footage(source: Optional[nuke.Node], colour: Colour) -> Optional[Footage]:
    """The files behind an input, where they hold just the pixels that flow into it; None where Nuke changes them."""
    read = _read(source)
    if read is None or graph.is_retimed(read) or not _untransformed(read, colour):
        return None
    written = str(read["file"].value())
    name = os.path.basename(written)
    if _VIEW.search(written) or not _ONE_NUMBER.match(name) or not name.lower().endswith(".exr"):
        return None
    first, last = int(read["first"].value()), int(read["last"].value())
    file = graph.file_of(read, "file", first)
    pattern = os.path.join(os.path.dirname(file), name)
    understood = os.path.isabs(pattern) and frame_file(pattern, first) == file
    return Footage(pattern, first, last) if understood and first >= 0 else None


def _read(node: Optional[nuke.Node]) -> Optional[nuke.Node]:
    """The Read whose picture reaches a node unchanged."""
    while node is not None and node.Class() != "Read":
        if node.Class() not in _PASSING and not graph.is_disabled(node):
            return None
        above = graph.sources(node)
        node = above[0] if above else None
    return None if node is None or graph.is_disabled(node) else node


def _untransformed(read: nuke.Node, colour: Colour) -> bool:
    """Whether the Read hands on a file's numbers as they are: raw, or from the working space to itself."""
    return bool(read["raw"].value()) or same_space(read["colorspace"].value(), colour)
