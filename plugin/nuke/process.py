"""Keying frames of a node: what is not done yet, through the side-car, into the node's cache."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional

from ..core import refusals
from ..core.errors import LinkError
from ..core.facts import Facts, ask_facts
from ..core.link import LinkClient
from ..core.matte_run import MatteRun
from ..core.side_car import connect
from ..core.status import status_text
from ..core.summary import Delivered, Summary
from .checks import check
from .inputs import Inputs
from .monitor import Monitor
from .node import KeyNode
from .state import NodeState


class Outcome(NamedTuple):
    """What came of it.

    Attributes:
        summary: of the frames that were not done yet.
        kept: number of frames whose results were still true.
    """

    summary: Summary
    kept: int

    def sentence(self) -> str:
        """What was done, for the artist."""
        if self.summary.frames:
            return self.summary.sentence()
        return "Nothing to do: {} up to date.".format("1 frame" if self.kept == 1 else "{} frames".format(self.kept))


def process(
    key: KeyNode, frames: Iterable[int], monitor: Monitor, connected: Callable[[], LinkClient] = connect
) -> Outcome:
    """Key the frames that are not done, and point the node at its results.

    To be called in the main thread and from no callback, for it renders.

    Args:
        key: the node.
        frames: numbers to key, at least one.
        monitor: shows how far it is, and says when to stop.
        connected: makes the connection to the side-car.

    Returns:
        What came of it; frames that failed are in its summary.

    Raises:
        LinkError: the node cannot be keyed, or the run as a whole failed or was cancelled. Finished frames stay.
    """
    wanted = sorted(set(frames))
    state = NodeState(key)
    check(key, state, wanted)
    refusals.require_writable(key.name, key.results_folder(state.folder))
    key.point_at(state.folder)
    key.follow_range()
    with connected() as link, Inputs(key, wanted) as inputs:
        return _Processing(key, state, link, inputs).run(wanted, monitor)


class _Processing:
    """One run over a connection."""

    def __init__(self, key: KeyNode, state: NodeState, link: LinkClient, inputs: Inputs) -> None:
        self._key = key
        self._state = state
        self._link = link
        self._inputs = inputs
        self._manifest = state.manifest()
        self._facts: Facts = ask_facts(link, inputs.engine_options())
        self._weights = self._facts.weights_of(str(key.value("model")))
        self._states: Dict[int, str] = {}
        self._last: Optional[Delivered] = None

    def run(self, wanted: List[int], monitor: Monitor) -> Outcome:
        """Key those of the frames that need it."""
        # Taken before the export: a file that changes meanwhile makes its frame stale.
        self._states = {frame: self._state.at(frame, self._facts.engine, self._weights) for frame in wanted}
        gaps = self._manifest.missing_or_stale(wanted, self._states.__getitem__)
        todo = sorted(gaps.missing + gaps.stale)
        run = MatteRun(
            self._link,
            self._inputs.options(self._key.pattern(self._state.folder)),
            todo,
            self._inputs.export(),
            lambda frame: self._delivered(frame, run.summary),
            monitor.show,
            monitor.cancelled,
        )
        try:
            return Outcome(run.run(), len(wanted) - len(todo))
        finally:
            self._conclude(run.summary)

    def _delivered(self, frame: Delivered, summary: Summary) -> None:
        self._last = frame
        try:
            self._manifest.record(frame.frame, self._states[frame.frame], self._facts.engine, self._weights)
        except OSError as error:
            raise LinkError(
                "OUTPUT_NOT_WRITABLE",
                "{}: the record of frame {} cannot be written: {}.".format(self._key.name, frame.frame, error.strerror),
                "Free the node's cache folder, or choose another, then process again.",
            ) from error
        concluded = set(summary.delivered) | set(summary.failures)
        self._inputs.forget_before(min(set(summary.frames) - concluded, default=frame.frame))

    def _conclude(self, summary: Summary) -> None:
        if summary.delivered:
            self._key.reload()
        if self._last is not None:
            self._key.say(status_text(self._status(), self._last))

    def _status(self) -> Optional[Dict[str, Any]]:
        try:
            return self._link.call("status")
        except LinkError:
            return None
