"""A wish to stop, from a signal or a host, and whatever has to hear of it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from host_bridge.errors import BridgeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Cancellation:
    """Asked for once, from any thread; never taken back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requested = False
        self._listeners: list[Callable[[], object]] = []

    def cancel(self) -> None:
        """Ask for it, and tell whoever is watching."""
        with self._lock:
            self._requested = True
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()

    def check(self) -> None:
        """Raise ``CANCELLED`` once it was asked for."""
        if self._requested:
            raise BridgeError("CANCELLED", "The job was cancelled.", "Run it again to go on: finished frames are kept.")

    @contextmanager
    def watch(self, listener: Callable[[], object]) -> Iterator[None]:
        """Call ``listener`` when it is asked for while the block runs, at once where it already was."""
        with self._lock:
            self._listeners.append(listener)
            requested = self._requested
        if requested:
            listener()
        try:
            yield
        finally:
            with self._lock:
                self._listeners.remove(listener)
