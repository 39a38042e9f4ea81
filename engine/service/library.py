"""Files by reference: from the content store, or from disk where the path lies under an allowed root."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError
from engine.service.store import ContentStore, verify
from engine.settings import Source


@dataclass(frozen=True)
class FileRef:
    """A file that a request names: `ImageRef` of the wire, or an uploaded colour configuration."""

    sha256: str
    name: str
    path: str = ""
    part: str = ""
    space: str = ""


class Library:
    """Turns references into bytes. What it reads from disk is hashed, and kept in the store."""

    def __init__(self, store: ContentStore, roots: Iterable[Path]) -> None:
        """Make a library over a store.

        Args:
            store: where uploads lie.
            roots: folders under which paths are read; none means that paths are refused.
        """
        self._store = store
        self.roots = tuple(root.resolve() for root in roots)

    def load(self, ref: FileRef) -> Source:
        """Return the bytes behind a reference.

        Raises:
            EngineError: BLOB_MISSING, PATH_NOT_ALLOWED, FILE_MISSING, BLOB_MISMATCH, LIMIT_EXCEEDED or BAD_REQUEST.
        """
        path = self._allowed(ref) if ref.path else None
        data = self._store.get(ref.sha256)
        if data is None:
            data = self._read(ref, path)
        return Source(name=ref.name, sha256=ref.sha256, data=data, space=ref.space, part=ref.part)

    def _read(self, ref: FileRef, path: Path | None) -> bytes:
        if path is None:
            raise EngineError(
                "BLOB_MISSING",
                f"{ref.name} ({ref.sha256[:12]}) is not held by the engine.",
                "Upload it and send the frame again.",
                sha256=ref.sha256,
            )
        try:
            self._store.check_size(ref.name, path.stat().st_size)
            data = path.read_bytes()
        except OSError as error:
            raise EngineError(
                "FILE_MISSING",
                f"{path} cannot be read: {error.strerror}.",
                "Check that the file exists and that the engine's user may read it.",
            ) from error
        verify(ref.sha256, data, str(path))
        self._store.put(ref.sha256, data)
        return data

    def _allowed(self, ref: FileRef) -> Path:
        """Resolve links first, so that a link inside a root cannot lead out of it."""
        if not Path(ref.path).is_absolute():
            raise EngineError("BAD_REQUEST", f"Path {ref.path} is not absolute.", "Send the absolute path.")
        path = Path(ref.path).resolve()
        if not any(path.is_relative_to(root) for root in self.roots):
            raise EngineError(
                "PATH_NOT_ALLOWED",
                f"{ref.path} lies outside the folders this engine may read.",
                "Start the engine with --root for that folder, or upload the file.",
            )
        return path
