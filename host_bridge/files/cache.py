"""The frame cache: results by key, bounded, the least recently used leave first.

A cached file's name is ``KEY.SHA256.exr``: it needs no index, and a damaged one is seen when it is used.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from host_bridge.errors import BridgeError
from host_bridge.files import home

if TYPE_CHECKING:
    from pathlib import Path

    from host_bridge.files.partfile import PartFile

_PIECE = 1 << 20
"""Bytes copied at a time."""

DEFAULT_GIB = 10.0
"""Some 500 frames of 1920 x 1080 with every usual layer in half (about 20 MB each)."""

_TRIM_SHARE = 1 / 64
"""Share of the limit that is written between two looks at the whole folder: at 10 GiB, some 8 frames of 20 MB."""


@dataclass(frozen=True)
class CacheState:
    """Bytes and files held, and the bytes allowed."""

    size: int
    files: int
    limit: int


class FrameCache:
    """Results by key. Safe to share between processes: files appear by rename, and one that has left is a miss.

    Args:
        folder: where the files lie.
        limit: bytes that may stay, passed by a 64th between two trims; 0 turns the cache off.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        # As if that much was written since the last trim: many short jobs, one frame each, must not add up.
        self._untrimmed = limit

    def copy_to(self, key: str, part: PartFile) -> bool:
        """Fill a part file from the cache and finish it; false, with the part discarded, where there is no sound copy.

        Raises:
            BridgeError: ``OUTPUT_NOT_WRITABLE``.
        """
        source = next(self._folder.glob(f"{key}.*.exr"), None)
        if source is None or not self._limit:
            part.discard()
            return False
        size = 0
        try:
            with source.open("rb") as file:
                while data := file.read(_PIECE):
                    part.write(data)
                    size += len(data)
            os.utime(source)
        except OSError:
            part.discard()
            return False
        return self._finish(source, part, size)

    def put(self, key: str, sha256: str, path: Path) -> None:
        """Keep a copy of a delivered file. A cache that cannot be written only means that the next run works again."""
        temporary = self._folder / f"{key}.{os.getpid()}.part"
        if not self._limit:
            return
        try:
            shutil.copyfile(path, temporary)
            self._untrimmed += temporary.stat().st_size
            temporary.replace(self._folder / f"{key}.{sha256}.exr")
            if self._untrimmed > self._limit * _TRIM_SHARE:
                self._trim()
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)

    def state(self) -> CacheState:
        """What it holds now."""
        sizes = [size for _, size, _ in self._files()]
        return CacheState(sum(sizes), len(sizes), self._limit)

    def _finish(self, source: Path, part: PartFile, size: int) -> bool:
        try:
            part.finish(source.name.split(".")[1], size)
        except BridgeError as error:
            if error.reason != "BLOB_MISMATCH":
                raise
            source.unlink(missing_ok=True)
            return False
        return True

    def _files(self) -> list[tuple[int, int, Path]]:
        """Time of last use, length and path of every file."""
        found = []
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):
                stat = path.stat()
                found.append((stat.st_mtime_ns, stat.st_size, path))
        return found

    def _trim(self) -> None:
        self._untrimmed = 0
        files = sorted(self._files())
        excess = sum(size for _, size, _ in files) - self._limit
        for _, size, path in files:
            if excess <= 0:
                return
            with suppress(OSError):
                path.unlink(missing_ok=True)
            excess -= size


def open_cache() -> FrameCache:
    """The user's cache, ``cache`` in PlateKey's folder; ``PLATEKEY_CACHE_GIB`` sets its limit.

    Raises:
        BridgeError: ``BAD_REQUEST`` for a limit that is no number.
    """
    stated = os.environ.get("PLATEKEY_CACHE_GIB", str(DEFAULT_GIB))
    try:
        limit = int(float(stated) * (1 << 30))
    except (ValueError, OverflowError) as error:
        raise BridgeError("BAD_REQUEST", f"PLATEKEY_CACHE_GIB is '{stated}'.", "Set it to a number of GiB.") from error
    return FrameCache(home.folder("cache"), limit)
