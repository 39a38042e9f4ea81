"""A frame's file while it arrives: under a temporary name, hashed as it comes."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from host_bridge.errors import BridgeError

if TYPE_CHECKING:
    from pathlib import Path


class PartFile:
    """A frame's file while it arrives.

    Args:
        path: temporary name, on the same disk as the final one.
        final: final name, for messages.

    Raises:
        BridgeError: ``OUTPUT_NOT_WRITABLE``, as from `write` and `finish`; the part is gone then.
    """

    def __init__(self, path: Path, final: Path) -> None:
        self.path = path
        self._final = final
        self._digest = hashlib.sha256()
        self._size = 0
        try:
            self._file = path.open("xb")
        except OSError as error:
            raise unwritable(final, error) from error

    def write(self, data: bytes) -> None:
        """Append a piece."""
        self._digest.update(data)
        self._size += len(data)
        try:
            self._file.write(data)
        except OSError as error:
            self.discard()
            raise unwritable(self._final, error) from error

    def finish(self, sha256: str, size: int) -> None:
        """Force the whole to disk; ``BLOB_MISMATCH`` where it is not what the engine announced."""
        if (self._digest.hexdigest(), self._size) != (sha256, size):
            self.discard()
            raise BridgeError(
                "BLOB_MISMATCH", f"{self._final.name} arrived damaged from the engine.", "Render the frame again."
            )
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            self.discard()
            raise unwritable(self._final, error) from error

    def facts(self) -> dict[str, object]:
        """Hash, length and time stamp of the finished part; renaming changes none of them."""
        return {"sha256": self._digest.hexdigest(), "size": self._size, "mtime_ns": self.path.stat().st_mtime_ns}

    def discard(self) -> None:
        """Remove the part. A full disk may refuse the buffered rest once more; it is not wanted any more."""
        with suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)


def unwritable(path: Path, error: OSError) -> BridgeError:
    """The error for a file that cannot be written."""
    return BridgeError(
        "OUTPUT_NOT_WRITABLE",
        f"{path} cannot be written: {error.strerror or error}.",
        "Free some space or check the folder's permissions, then run again: finished frames are kept.",
    )
