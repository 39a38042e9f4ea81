"""Calls in progress: what `Stop`, the idle stop and `DescribeResponse.active_calls` go by."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from engine.errors import EngineError


class Calls:
    """Counts calls, and closes the door when the engine stops. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active = 0
        self._last_end = time.monotonic()
        self._stopping = False

    @property
    def active(self) -> int:
        """Calls in progress."""
        return self._active

    @property
    def stopping(self) -> bool:
        """True once no new call is let in."""
        return self._stopping

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Count one call for as long as it runs.

        Raises:
            EngineError: ENGINE_STOPPING, the door is closed.
        """
        with self._lock:
            self.check_open()
            self._active += 1
        try:
            yield
        finally:
            with self._lock:
                self._active -= 1
                self._last_end = time.monotonic()

    def check_open(self) -> None:
        """Refuse new work once the engine stops.

        Raises:
            EngineError: ENGINE_STOPPING.
        """
        if self._stopping:
            raise EngineError("ENGINE_STOPPING", "The engine is stopping.", "Start another engine and send it again.")

    def close(self, *, at_most: int | None = None, idle: float = 0.0) -> bool:
        """Close the door, unless too much is going on.

        Args:
            at_most: calls that may be in progress; None for any number.
            idle: seconds that must have passed since the last call ended.

        Returns:
            Whether the door is closed now.
        """
        with self._lock:
            busy = at_most is not None and self._active > at_most
            recent = time.monotonic() - self._last_end < idle
            self._stopping = self._stopping or not (busy or recent)
            return self._stopping
