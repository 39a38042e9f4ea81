"""The content store: files in memory, known by the SHA-256 of their bytes; the least recently used leave first."""

from __future__ import annotations

import hashlib
import io
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from engine.errors import EngineError


class ContentStore:
    """Bytes by hash, bounded. Uploads under way count against the bound too. Safe to use from any thread."""

    def __init__(self, capacity: int, largest: int) -> None:
        """Make an empty store.

        Args:
            capacity: bytes held at most.
            largest: size of the largest single file, bytes.
        """
        self._capacity = capacity
        self._largest = min(largest, capacity)
        self._files: OrderedDict[str, bytes] = OrderedDict()
        self._held = 0
        self._reserved = 0
        self._lock = threading.Lock()

    @property
    def held(self) -> int:
        """Bytes of complete files in the store."""
        return self._held

    def get(self, sha256: str) -> bytes | None:
        """Return a file and mark it as used; None where the store does not hold it."""
        with self._lock:
            if sha256 in self._files:
                self._files.move_to_end(sha256)
            return self._files.get(sha256)

    def missing(self, hashes: Iterable[str]) -> list[str]:
        """Return the hashes that are not held, each once, in the order given; the held ones are marked as used."""
        return [sha256 for sha256 in dict.fromkeys(hashes) if self.get(sha256) is None]

    def put(self, sha256: str, data: bytes) -> None:
        """Hold a file whose hash is known to be right.

        Raises:
            EngineError: LIMIT_EXCEEDED, the file is larger than one file may be.
        """
        self.check_size(sha256, len(data))
        with self._lock:
            self._held -= len(self._files.pop(sha256, b""))
            self._make_room(len(data))
            self._files[sha256] = data
            self._held += len(data)

    def receive(self, sha256: str, size: int, chunks: Iterable[bytes]) -> bool:
        """Take a file in chunks, and hold it only where length and hash are as announced.

        Returns:
            False where the file was held already; the chunks are not read then.

        Raises:
            EngineError: LIMIT_EXCEEDED, too large alone or with the other uploads under way; BLOB_MISMATCH.
        """
        if self.get(sha256) is not None:
            return False
        with self._reservation(sha256, size):
            data = _join(sha256, size, chunks)
        verify(sha256, data, f"upload {sha256[:12]}")
        self.put(sha256, data)
        return True

    def check_size(self, name: str, size: int) -> None:
        """Refuse what is larger than one file may be.

        Raises:
            EngineError: LIMIT_EXCEEDED.
        """
        if size > self._largest:
            raise EngineError(
                "LIMIT_EXCEEDED",
                f"{name} has {size} bytes; this engine takes files up to {self._largest}.",
                "Use a smaller or compressed file, or start the engine with a larger --store-bytes.",
                size=size,
                limit=self._largest,
            )

    @contextmanager
    def _reservation(self, sha256: str, size: int) -> Iterator[None]:
        self.check_size(f"upload {sha256[:12]}", size)
        with self._lock:
            if self._reserved + size > self._capacity:
                raise EngineError(
                    "LIMIT_EXCEEDED",
                    f"upload {sha256[:12]} of {size} bytes does not fit beside the uploads under way.",
                    "Wait for the other uploads, or start the engine with a larger --store-bytes.",
                    size=size,
                    limit=self._capacity,
                )
            self._reserved += size
            self._make_room(0)
        try:
            yield
        finally:
            with self._lock:
                self._reserved -= size

    def _make_room(self, size: int) -> None:
        while self._files and self._held + self._reserved + size > self._capacity:
            _, dropped = self._files.popitem(last=False)
            self._held -= len(dropped)


def verify(sha256: str, data: bytes, name: str) -> None:
    """Check bytes against the hash they were announced with.

    Raises:
        EngineError: BLOB_MISMATCH, naming ``name``.
    """
    if hashlib.sha256(data).hexdigest() != sha256:
        raise EngineError(
            "BLOB_MISMATCH",
            f"{name} is not the file that was announced: its SHA-256 differs.",
            "The file changed since it was hashed; render the frame again.",
        )


def _join(sha256: str, size: int, chunks: Iterable[bytes]) -> bytes:
    buffer = io.BytesIO()
    for chunk in chunks:
        if buffer.tell() + len(chunk) > size:
            break
        buffer.write(chunk)
    else:
        if buffer.tell() == size:
            return buffer.getvalue()
    raise EngineError(
        "BLOB_MISMATCH",
        f"upload {sha256[:12]} is not of the announced length.",
        "The file changed while it was sent; render the frame again.",
        announced=size,
    )
