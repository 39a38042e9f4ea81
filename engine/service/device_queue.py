"""One queue a device: its worker takes turns between clients, so that a long render does not starve a short one."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

from engine.errors import EngineError

Work: TypeAlias = Callable[[], Any]
Done: TypeAlias = Callable[["Future[Any]"], None]


class Lane:
    """One client's work on a device, done in the order it was submitted."""

    def __init__(self, queue: DeviceQueue) -> None:
        self._queue = queue
        self.waiting: deque[tuple[Work, Done]] = deque()
        self.running = False

    def submit(self, work: Work, done: Done) -> None:
        """Have ``work`` run on the device's worker in this lane's turn.

        Args:
            work: what to run; an exception it raises is in the future.
            done: called on the worker with the finished future, before the next work begins. An exception it raises is
                logged by `concurrent.futures`, and the next work begins all the same.
        """
        self._queue.submit(self, work, done)


class DeviceQueue:
    """Round robin between lanes, one piece of work at a time."""

    def __init__(self, name: str, lanes: int) -> None:
        """Make a queue with its worker thread.

        Args:
            name: device id, for the thread's name and for errors.
            lanes: clients that may share the device.
        """
        self._name = name
        self._free_lanes = lanes
        self._turns: deque[Lane] = deque()
        self._busy = False
        self._changed = threading.Condition()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    @contextmanager
    def lane(self) -> Iterator[Lane]:
        """Open a lane. Leaving drops what waits in it and returns when its running work has ended.

        Raises:
            EngineError: LIMIT_EXCEEDED, every lane is taken.
        """
        with self._changed:
            if not self._free_lanes:
                raise EngineError(
                    "LIMIT_EXCEEDED", f"Too many clients share {self._name}.", "Try again when one has finished."
                )
            self._free_lanes -= 1
        lane = Lane(self)
        try:
            yield lane
        finally:
            with self._changed:
                self._drop(lane)
                self._changed.wait_for(lambda: not lane.running)
                self._free_lanes += 1

    def submit(self, lane: Lane, work: Work, done: Done) -> None:
        """Queue work in a lane; see `Lane.submit`."""
        with self._changed:
            lane.waiting.append((work, done))
            if lane not in self._turns:
                self._turns.append(lane)
        self._advance()

    def close(self, seconds: float) -> bool:
        """Let the worker go.

        Returns:
            False where it was still at work after ``seconds``.
        """
        with self._changed:
            self._turns.clear()
            self._worker.shutdown(wait=False)
            return self._changed.wait_for(lambda: not self._busy, timeout=seconds)

    def _advance(self) -> None:
        with self._changed:
            if self._busy or not self._turns:
                return
            lane = self._turns.popleft()
            work, done = lane.waiting.popleft()
            if lane.waiting:
                self._turns.append(lane)
            self._busy = lane.running = True
            future = self._worker.submit(work)
        future.add_done_callback(partial(self._finish, lane, done))

    def _finish(self, lane: Lane, done: Done, future: Future[Any]) -> None:
        try:
            done(future)
        finally:
            with self._changed:
                self._busy = lane.running = False
                self._changed.notify_all()
            self._advance()

    def _drop(self, lane: Lane) -> None:
        lane.waiting.clear()
        if lane in self._turns:
            self._turns.remove(lane)


class DeviceQueues:
    """The queues of every device in use."""

    def __init__(self, lanes: int, opened: Callable[[str], None]) -> None:
        """Make no queue yet.

        Args:
            lanes: clients that may share one device.
            opened: told of a device before its first work.
        """
        self._lanes = lanes
        self._opened = opened
        self._queues: dict[str, DeviceQueue] = {}
        self._lock = threading.Lock()

    def of(self, device: str) -> DeviceQueue:
        """Return a device's queue, making it at first use."""
        with self._lock:
            if device not in self._queues:
                self._opened(device)
                self._queues[device] = DeviceQueue(device, self._lanes)
            return self._queues[device]

    def close(self, seconds: float) -> bool:
        """Let every worker go; False where one was still at work after ``seconds``."""
        ended = [queue.close(seconds) for queue in self._queues.values()]
        return all(ended)
