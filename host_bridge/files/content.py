"""Files by the hash of their bytes: what a request names them by."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from host_bridge.errors import BridgeError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PIECE = 1 << 20
"""Bytes read at a time: large enough that hashing, not reading, takes the time."""


@dataclass(frozen=True)
class Content:
    """A file as it was when it was hashed.

    Attributes:
        path: absolute, links resolved, so that the engine finds the same file.
        name: the name it was asked for by, which tells its format; bytes that are no UTF-8 are replaced, for the wire.
        sha256: hash of the bytes, hex.
        size: length, bytes.
    """

    path: Path
    name: str
    sha256: str
    size: int

    @property
    def wire_path(self) -> str:
        """The path as the wire can carry it; empty where it is no UTF-8."""
        text = str(self.path)
        return text if text == _as_utf8(text) else ""

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Read the file.

        Raises:
            BridgeError: ``FILE_MISSING`` where it cannot be opened any more.
        """
        try:
            file = self.path.open("rb")
        except OSError as error:
            raise _unreadable(self.path, error) from error
        with file:
            yield file


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hex.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


class Hasher:
    """Hashes each file once, and again when its size or a time stamp changes."""

    def __init__(self) -> None:
        self._known: dict[tuple[Path, int, int, int], str] = {}

    def content(self, path: Path) -> Content:
        """Hash a file, or remember its hash.

        Raises:
            BridgeError: ``FILE_MISSING`` where it cannot be read.
        """
        try:
            stat = path.stat()
            stamp = (path, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
            if stamp not in self._known:
                self._known[stamp] = sha256_of(path)
            return Content(path.resolve(), _as_utf8(path.name), self._known[stamp], stat.st_size)
        except OSError as error:
            raise _unreadable(path, error) from error


def _as_utf8(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _unreadable(path: Path, error: OSError) -> BridgeError:
    return BridgeError(
        "FILE_MISSING", f"{path} cannot be read: {error.strerror}.", "Check the file and its permissions."
    )
