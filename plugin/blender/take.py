"""One node's results, made as they are needed: nothing that is there and true is made again.

The first frame that is lacking brings the frames after it along, as many as the caller names, so that the engine works
on the next frame while Blender composites and writes this one.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Callable, Dict, Generator, Iterator, List, NamedTuple, Optional, Sequence, Set

import bpy

from ..core.errors import LinkError
from ..core.facts import Facts, ask_facts
from ..core.knobs import KNOBS
from ..core.link import LinkClient
from ..core.matte_run import Export, MatteRun
from ..core.refusals import require_processed, require_writable, writing
from ..core.side_car import connect
from ..core.summary import Delivered, Progress
from . import board
from .export import Exporter, can_export
from .plan import Plan

_WIDEST = int(next(knob.high for knob in KNOBS if knob.name == "temporal_window"))
"""Frames on each side that the widest temporal window asks for."""

_PATIENCE = 0.05
"""Seconds between two looks at whether the engine answers."""


class _Engine(NamedTuple):
    """The way to the engine that computes, and who it is."""

    link: LinkClient
    facts: Facts
    weights: str
    status: Dict[str, Any]


class Take:
    """Makes one node's frames.

    Args:
        scene: the scene of the node.
        plan: the node's plan.
        beneath: makes a frame of the nodes that lie above this one, whose results its export reads.
        cancelled: asked often; true ends the run.

    Attributes:
        made: paths of the results that were made or made anew.
    """

    def __init__(
        self,
        scene: bpy.types.Scene,
        plan: Plan,
        beneath: Callable[[int], None],
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self.plan = plan
        self.made: List[str] = []
        self._beneath = beneath
        self._cancelled = cancelled
        self._exporter = Exporter(scene, plan) if plan.exports else None
        self._ready: Set[int] = set()
        self._frames: Dict[int, int] = {}
        self._engine: Optional[_Engine] = None
        self._run: Optional[MatteRun] = None
        self._steps: Iterator[Progress] = iter(())

    def require(self, frame: int, ahead: Sequence[int] = (), patience: float = 0.1) -> Iterator[Progress]:
        """Make the result of a frame of the scene, step by step; ends once it is there.

        Args:
            frame: the frame.
            ahead: frames that will be required next; they may be begun.
            patience: seconds that a step may wait; 0 where it must not.

        Raises:
            LinkError: it cannot be made, or the run was cancelled.
        """
        self._require_going_on()
        number = self.plan.numbering.file_number(frame)
        if number in self._ready:
            return
        if self._run is None or number not in self._run.summary.frames:
            yield from self._begin([frame, *self._on_disk(ahead)], patience)
        while number not in self._ready:
            state = next(self._steps, None)
            if number in self._failures():
                raise self._failures()[number]
            if state is None and number not in self._ready:
                raise LinkError(
                    "INTERNAL", "{}: frame {} was not made.".format(self.plan.label, frame), "Process it again."
                )
            if state is not None:
                yield state

    def close(self) -> None:
        """Cancel what runs, hang up, and remove what was only for the run."""
        self._stop()
        if self._engine is not None:
            self._engine.link.close()
            self._engine = None
        if self._exporter is not None:
            self._exporter.close()
        board.progress(self.plan.identity, None)

    def _stop(self) -> None:
        if isinstance(self._steps, Generator):
            self._steps.close()
        self._run, self._steps = None, iter(())

    def _begin(self, frames: List[int], patience: float) -> Iterator[Progress]:
        """Take what is there; start a run for the rest, with what a former run leaves undone."""
        if self._run is not None:
            left = set(self._run.summary.frames) - self._ready
            frames = [*frames, *(self._frames[number] for number in sorted(left))]
            self._stop()
        self._frames.update({self.plan.numbering.file_number(frame): frame for frame in frames})
        numbers = [self.plan.numbering.file_number(frame) for frame in frames]
        if self.plan.watched or not can_export():
            gaps = self.plan.manifest.missing_or_stale(numbers, self._state_as_made)
            if not any(gaps):
                self._ready.update(numbers)
                return
            if self._exporter is not None and not can_export():
                require_processed(self.plan.label, len(set(numbers)), gaps)
        require_writable(self.plan.label, self.plan.results)
        engine = yield from self._open(patience)
        lacking = self._lacking(numbers, engine)
        self._ready.update(set(numbers) - set(lacking))
        self._run = MatteRun(
            engine.link,
            self.plan.options,
            lacking,
            self._export(),
            delivered=partial(self._take_in, engine),
            cancelled=self._cancelled,
        )
        self._steps = self._run.steps(patience)

    def _lacking(self, numbers: List[int], engine: _Engine) -> List[int]:
        """The numbers that this engine would have to make."""
        if not self.plan.watched:
            return numbers
        gaps = self.plan.manifest.missing_or_stale(numbers, lambda number: self._state(number, engine))
        return sorted(set(gaps.missing + gaps.stale))

    def _on_disk(self, frames: Sequence[int]) -> List[int]:
        """The frames up to the first whose file is missing: that one fails when its turn comes, not before."""
        there: List[int] = []
        for frame in frames:
            if not all(os.path.exists(source.file(frame)) for source in self.plan.sources):
                break
            there.append(frame)
        return there

    def _export(self) -> Optional[Export]:
        if self._exporter is None:
            return None
        # Where the clip has no ends, its window is never cut, but for the numbers of files, which begin at 0.
        around = max(min(self._frames) - _WIDEST, 0), max(self._frames) + _WIDEST
        return Export(self._make, *(self.plan.ends or around))

    def _make(self, number: int) -> None:
        self._beneath(number)
        if self._exporter is not None:
            self._exporter.make(number)

    def _open(self, patience: float) -> Generator[Progress, None, _Engine]:
        """Find the engine in a thread of its own, for it may have to start."""
        if self._engine is None:
            with ThreadPoolExecutor(1) as pool:
                opening = pool.submit(_ask, self.plan.options["knobs"]["model"])
                while not opening.done():
                    self._require_going_on()
                    yield Progress(0.0, 0, len(self._frames), "Waiting for the engine")
                    time.sleep(min(patience, _PATIENCE))
                self._engine = opening.result()
            board.asked(self.plan.identity, self._engine.status)
        return self._engine

    def _require_going_on(self) -> None:
        if self._cancelled():
            raise LinkError("CANCELLED", "The run was cancelled.", "Run it again to go on: finished frames stay.")

    def _take_in(self, engine: _Engine, delivered: Delivered) -> None:
        state = self._state(delivered.frame, engine)
        with writing(self.plan.label, self.plan.results):
            self.plan.manifest.record(delivered.frame, state, engine.facts.engine, engine.weights)
        self._ready.add(delivered.frame)
        self.made.append(delivered.path)
        board.delivered(self.plan.identity, delivered)

    def _state(self, number: int, engine: _Engine) -> str:
        return self.plan.state(self._frames[number], engine.facts.engine, engine.weights)

    def _state_as_made(self, number: int) -> str:
        """The state now, were the engine the one that made the result."""
        entry = self.plan.manifest.entry(number)
        return self.plan.state(self._frames[number], entry.engine, entry.weights) if entry else ""

    def _failures(self) -> Dict[int, LinkError]:
        return self._run.summary.failures if self._run is not None else {}


def _ask(model: str) -> _Engine:
    link = connect()
    try:
        facts = ask_facts(link, {})
        return _Engine(link, facts, facts.weights_of(model), link.call("status"))
    except LinkError:
        link.close()
        raise
