"""One run of a node: frames a..b through the side-car, a few in flight, with progress and cancel.

Where the footage lies on disk, the side-car gets the whole range at once. Where the host has to export it, each frame
is sent as soon as its files are there, so that the engine works while the host exports the next one.

    run = MatteRun(link, options, frames, Export(write_plate, 1001, 1100), delivered=remember)
    summary = run.run()

A host with a clock of its own (a modal operator) takes ``next(steps)`` of ``run.steps(patience=0)`` at each tick.
"""

from __future__ import annotations

import re
import time
from collections import deque
from typing import Any, Callable, Deque, Dict, Iterable, Iterator, List, NamedTuple, Optional, Set

from .errors import LinkError
from .frames import compact
from .link import LinkClient, error_of
from .summary import Delivered, Progress, Summary

WINDOW = 2
"""Exported frames in flight: while one is computed the next already waits, as in the side-car's own stream."""

_PATIENCE = 0.1
"""Seconds between two looks at the cancel button."""

_CANCEL_SECONDS = 10.0
"""How long to wait for cancelled calls to end; the side-car drops what comes later."""


class Export(NamedTuple):
    """How a host makes the files of a frame that is not on disk.

    Attributes:
        make: writes every input file of one frame, in the thread that steps the run; may raise what it likes.
        first: the clip's first frame, where a temporal window is cut.
        last: the clip's last frame.
    """

    make: Callable[[int], None]
    first: int
    last: int


class MatteRun:
    """A run, to be used once.

    Args:
        link: a connection that does nothing else meanwhile.
        options: as the command line's, by their long names; without ``frame_range``.
        frames: numbers to render.
        export: makes the frames' files; None where they are on disk.
        delivered: hears of every frame whose file is there, at once.
        progress: hears how far the run is, ten times a second or more often.
        cancelled: asked as often; true ends the run.

    Attributes:
        summary: what has come of it so far; true too where `run` raises.
    """

    def __init__(
        self,
        link: LinkClient,
        options: Dict[str, Any],
        frames: Iterable[int],
        export: Optional[Export] = None,
        delivered: Callable[[Delivered], None] = lambda frame: None,
        progress: Callable[[Progress], None] = lambda state: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self.summary = Summary(frames)
        self._link = link
        self._options = options
        self._export = export
        self._delivered = delivered
        self._progress = progress
        self._cancelled = cancelled
        ordered = self.summary.frames
        batches = [[frame] for frame in ordered] if export else [ordered] if ordered else []
        self._unsent: Deque[List[int]] = deque(batches)
        self._exported: Set[int] = set()
        self._jobs: Set[int] = set()

    def run(self) -> Summary:
        """Run to the end.

        Returns:
            The summary; a frame that failed is in it.

        Raises:
            LinkError: the run as a whole failed, or was cancelled: reason ``CANCELLED``. Nothing is written any more.
        """
        for state in self.steps():
            self._progress(state)
        return self.summary

    def steps(self, patience: float = _PATIENCE) -> Iterator[Progress]:
        """Run step by step: each one exports a frame, or sends one, or waits for news.

        Args:
            patience: seconds that a step may wait; 0 where it must not.

        Raises:
            LinkError: as from `run`.
        """
        try:
            while self._unsent or self._jobs:
                lacking = self._next_export()
                yield self.summary.progress("" if lacking is None else "Exporting frame {}".format(lacking))
                if self._cancelled():
                    raise LinkError(
                        "CANCELLED", "The run was cancelled.", "Run it again to go on: finished frames stay."
                    )
                self._advance(lacking, patience)
            yield self.summary.progress()
        finally:
            self._abandon()

    def _next_export(self) -> Optional[int]:
        """The frame to export now; None where nothing lacks, or enough is in flight."""
        if self._export is None or not self._unsent or len(self._jobs) >= WINDOW:
            return None
        needed = self._needs(self._unsent[0][0], self._export)
        return next((frame for frame in needed if frame not in self._exported), None)

    def _advance(self, lacking: Optional[int], patience: float) -> None:
        if lacking is not None and self._export is not None:
            self._export.make(lacking)
            self._exported.add(lacking)
            patience = 0.0
        elif self._unsent and len(self._jobs) < WINDOW:
            self._send(self._unsent.popleft())
            patience = 0.0
        message = self._link.receive(patience)
        while message is not None:
            self._hear(message)
            message = self._link.receive(0.0)

    def _send(self, frames: List[int]) -> None:
        options = dict(self._options, frame_range=compact(frames))
        if self._export is not None and self._window():
            options["clip_range"] = "{}-{}".format(self._export.first, self._export.last)
        self._jobs.add(self._link.submit("matte", **options))

    def _hear(self, message: Dict[str, Any]) -> None:
        number = message["id"]
        if number not in self._jobs:
            return
        if "event" not in message:
            self._jobs.discard(number)
            if "error" in message:
                raise error_of(message)
            return
        event = message["event"]
        self.summary.hear(event)
        if event["event"] == "done":
            self._delivered(self.summary.delivered[event["frame"]])

    def _needs(self, frame: int, export: Export) -> List[int]:
        """Frames whose files a request names: the clean plate's where it is one of the clip's, and the window's."""
        plate = str(self._options["clean_plate"])
        window = self._window()
        around = range(max(frame - window, export.first), min(frame + window, export.last) + 1)
        # A frame outside the clip is one that the host holds or fills; it is exported as the host shows it.
        return ([int(plate)] if re.match(r"-?\d+$", plate) else []) + sorted({frame, *around})

    def _window(self) -> int:
        return int(self._options.get("knobs", {}).get("temporal_window") or 0)

    def _abandon(self) -> None:
        """Cancel what is in flight and wait for its end, so that no file appears after the run's."""
        self._unsent.clear()
        try:
            for number in self._jobs:
                self._link.cancel(number)
            deadline = time.monotonic() + _CANCEL_SECONDS
            while self._jobs and time.monotonic() < deadline:
                message = self._link.receive(_PATIENCE)
                if message is None:
                    continue
                if message["id"] in self._jobs and "event" not in message:
                    self._jobs.discard(message["id"])
                else:
                    self._hear(message)
        except LinkError:
            self._jobs.clear()
