"""One client's frames on their way through the device: read ahead, compute in turn, deliver in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import TypeAlias

from engine.errors import EngineError
from engine.service.compute import Cancelled, Progress
from engine.service.device_queue import Lane
from engine.service.events import FrameLost, FrameMade, MatteEvent, StageBegan
from engine.service.interceptor import as_engine_error
from engine.service.jobs import Job
from engine.settings import FrameJob, FrameReport

Matte: TypeAlias = Callable[[FrameJob, Progress, Cancelled], tuple[bytes, FrameReport]]
FrameInput: TypeAlias = tuple[int, FrameJob | EngineError]
"""A frame's number with its work, or with what is wrong with it."""


class MatteStream:
    """Moves the frames of one `Matte` call.

    A reader thread takes frames from the client, the device's worker computes them, and the call's own thread delivers.
    A frame holds its place in flight until it is delivered, so a client that reads slowly slows its own stream only.
    """

    def __init__(self, matte: Matte, job: Job, lane: Lane, in_flight: int) -> None:
        """Make a stream; nothing starts yet.

        Args:
            matte: computes one frame on the device's worker.
            job: the call, as far as it can be cancelled.
            lane: its place at the device.
            in_flight: frames that may be loaded, computed or undelivered at a time.
        """
        self._matte = matte
        self._job = job
        self._lane = lane
        self._room = threading.Semaphore(in_flight)
        self._events: SimpleQueue[MatteEvent | None] = SimpleQueue()
        self._accepted = 0
        self._stage = "queue"

    def events(self, frames: Iterable[FrameInput]) -> Iterator[MatteEvent]:
        """Yield what happens, in the order of the frames, until every frame that was read is made or lost.

        Raises:
            EngineError: CANCELLED, or what broke the stream of frames itself.
        """
        reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"read-{self._job.id}")
        try:
            reading = reader.submit(self._read, iter(frames))
            reading.add_done_callback(self._wake)
            self._job.on_cancel(self._wake)
            yield from self._deliver(reading)
        finally:
            self._room.release()
            reader.shutdown(wait=False)

    def _deliver(self, reading: Future[None]) -> Iterator[MatteEvent]:
        delivered = 0
        while not (reading.done() and delivered == self._accepted):
            event = self._events.get()
            self._job.check()
            if event is None:
                continue
            yield event
            if not isinstance(event, StageBegan):
                delivered += 1
                self._room.release()
        reading.result()

    def _read(self, frames: Iterator[FrameInput]) -> None:
        while self._room.acquire() and not self._job.cancelled():
            following = next(frames, None)
            if following is None:
                return
            self._accepted += 1
            number, frame = following
            self._lane.submit(partial(self._compute, number, frame), partial(self._finish, number))

    def _compute(self, number: int, frame: FrameJob | EngineError) -> tuple[bytes, FrameReport]:
        """Run on the worker. A frame that was wrong from the start fails here, in its turn."""
        self._stage = "request"
        if isinstance(frame, EngineError):
            raise frame
        return self._matte(frame, partial(self._begin, number), self._job.cancelled)

    def _begin(self, number: int, stage: str) -> None:
        self._stage = stage
        self._events.put(StageBegan(number, stage))

    def _finish(self, number: int, computed: Future[tuple[bytes, FrameReport]]) -> None:
        """Run on the worker. An error goes on without its traceback, which would keep the frame's arrays in memory."""
        failure = computed.exception()
        if failure is None:
            self._events.put(FrameMade(number, *computed.result()))
            return
        error = as_engine_error(failure, f"job {self._job.id}, frame {number}, stage {self._stage}")
        self._events.put(FrameLost(number, error.with_traceback(None)))

    def _wake(self, _: object = None) -> None:
        self._events.put(None)
