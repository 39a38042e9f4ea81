"""A lock between processes, held by the operating system: it ends with its process, however that ends."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


_POLL = 0.05
"""Seconds between two tries: neither system's lock call has a time-out."""


class FileLock:
    """An exclusive lock on a file that holds nothing else. The file stays: removing it would split the lock.

    Args:
        path: the lock's file, in a folder that exists.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self, timeout: float = 0.0) -> bool:
        """Take the lock, waiting at most ``timeout`` seconds; false where another process holds it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + timeout
        while not _taken(descriptor):
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return False
            time.sleep(_POLL)
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Let the lock go; closing its file does that on every system."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> FileLock:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()


def _taken(descriptor: int) -> bool:
    try:
        _lock(descriptor)
    except OSError:
        return False
    return True
