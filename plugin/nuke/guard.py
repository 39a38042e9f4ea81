"""Nothing is rendered with a matte that is missing or out of date.

Nuke calls `before_render` and `before_frame` for every Write, in windows, in ``-t`` and in ``-x``; what they raise
aborts the render. Where PlateKey is not installed nobody calls them: there the node's Read fails on a missing file.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Dict, Iterator, List, NamedTuple, Optional

import nuke

from ..core import refusals
from ..core.errors import LinkError
from . import graph, panel
from .buttons import refresh_all
from .node import KeyNode, as_key_node
from .state import NodeState

_PLAIN, _PREVIEW = "frame", "over background"
"""The output that needs no result, and the one that shows another input beside the results."""


class _Watched(NamedTuple):
    """A node that a render uses.

    Attributes:
        key: the node.
        state: its state when the render began.
        same_frame: whether the render at a frame uses its result of that frame only.
    """

    key: KeyNode
    state: NodeState
    same_frame: bool


_renders: Dict[str, List[_Watched]] = {}
"""By the full name of the Write: what its present render uses."""


def install() -> None:
    """Register with Nuke; once, from ``init.py``."""
    nuke.addBeforeRender(before_render, nodeClass="Write")
    nuke.addBeforeFrameRender(before_frame, nodeClass="Write")
    nuke.addAfterRender(after_render, nodeClass="Write")
    nuke.addOnScriptSave(refresh_all)


def before_render() -> None:
    """Stop a render that would use results of another state.

    Raises:
        RuntimeError: names the node and what to do.
    """
    write = nuke.thisNode()
    with _aborting():
        watched = _above(write)
        _renders[write.fullName()] = watched
        for it in watched:
            it.key.require_shown()
            _require_state(it)


def before_frame() -> None:
    """Stop a render before a frame whose result is missing or out of date.

    Raises:
        RuntimeError: names the node, this frame, and all others of the clip that lack.
    """
    frame = int(nuke.frame())
    with _aborting():
        for it in _renders.get(nuke.thisNode().fullName(), ()):
            if it.same_frame:
                _require_result(it, frame)


def after_render() -> None:
    """Forget the render."""
    _renders.pop(nuke.thisNode().fullName(), None)


def _above(start: nuke.Node) -> List[_Watched]:
    """The nodes whose results a picture uses; what lies above those is in the results already."""
    found: List[_Watched] = []
    for it in graph.walk(start, beyond=lambda node: _used(node) is None):
        key = _used(it.node)
        if key is not None:
            found.append(_Watched(key, NodeState(key), it.same_frame))
            background = key.source("Background")
            if key.value(panel.OUTPUT) == _PREVIEW and background is not None:
                found += _above(background)
    return found


def _used(node: nuke.Node) -> Optional[KeyNode]:
    """A node as a PlateKey whose results are used; None where it is none, or shows none."""
    key = as_key_node(node)
    return None if key is None or graph.is_disabled(node) or key.value(panel.OUTPUT) == _PLAIN else key


@contextmanager
def _aborting() -> Iterator[None]:
    """An error as Nuke takes it: whatever a callback raises aborts the render, and its text is shown."""
    try:
        yield
    except LinkError as error:
        raise RuntimeError(str(error)) from error


def _require_state(it: _Watched) -> None:
    if it.key.points_at() != it.state.folder:
        raise LinkError(
            "FILE_MISSING",
            "{}: it has not been processed with its present inputs and settings.".format(it.key.name),
            "Press 'Process range' in the node, or run platekey-nuke, then render again.",
        )


def _require_result(it: _Watched, frame: int) -> None:
    """Name every frame that lacks, once the present one does: the artist sees at once how much is left to do."""
    if any(it.state.gaps([frame])):
        first, last = int(nuke.root()["first_frame"].value()), int(nuke.root()["last_frame"].value())
        frames = sorted({*range(first, last + 1), frame})
        refusals.require_processed(it.key.name, len(frames), it.state.gaps(frames))
