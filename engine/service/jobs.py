"""Work that a client can cancel by its id: `Matte` streams and jobs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import grpc

from engine.errors import EngineError


class Job:
    """One piece of cancellable work."""

    def __init__(self, job_id: str) -> None:
        self.id = job_id
        self._lock = threading.Lock()
        self._cancelled = False
        self._wakes: list[Callable[[], None]] = []

    def cancelled(self) -> bool:
        """Whether the work is no longer wanted."""
        return self._cancelled

    def check(self) -> None:
        """Leave work that is no longer wanted.

        Raises:
            EngineError: CANCELLED.
        """
        if self._cancelled:
            raise EngineError("CANCELLED", f"Job {self.id} was cancelled.", "Send it again if it is wanted after all.")

    def cancel(self) -> None:
        """Mark the work as no longer wanted, and wake whoever waits for it. A second time does nothing."""
        with self._lock:
            wakes, self._wakes = self._wakes, []
            self._cancelled = True
        for wake in wakes:
            wake()

    def follow(self, context: grpc.ServicerContext) -> None:
        """Cancel the work when its call ends, whoever ended it."""
        if not context.add_callback(self.cancel):
            self.cancel()

    def on_cancel(self, wake: Callable[[], None]) -> None:
        """Have ``wake`` called once, on cancellation; at once where that has happened."""
        with self._lock:
            if not self._cancelled:
                self._wakes.append(wake)
                return
        wake()


class Jobs:
    """The jobs that run, by id."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, Job] = {}

    @contextmanager
    def running(self, job_id: str) -> Iterator[Job]:
        """Register a job for as long as it runs; leaving cancels what is left of it.

        Raises:
            EngineError: BAD_REQUEST, the id is empty or in use.
        """
        job = Job(job_id)
        with self._lock:
            if not job_id or job_id in self._running:
                raise EngineError(
                    "BAD_REQUEST", f"Job id {job_id!r} is empty or in use.", "Send a unique id.", job_id=job_id
                )
            self._running[job_id] = job
        try:
            yield job
        finally:
            with self._lock:
                del self._running[job_id]
            job.cancel()

    def cancel(self, job_id: str) -> bool:
        """Cancel a job; False where none of that id runs."""
        with self._lock:
            job = self._running.get(job_id)
        if job is None:
            return False
        job.cancel()
        return True
