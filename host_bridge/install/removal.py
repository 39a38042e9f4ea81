"""Uninstalling: exactly what a receipt names, as it was written, and folders of ours that are empty then."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from host_bridge.errors import BridgeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from host_bridge.install.receipt import Receipt


class Removal:
    """What uninstalling will take away. Nothing is removed before `apply`.

    Args:
        receipt: of the installation.

    Attributes:
        files: files that are there as they were written.
        kept: files that somebody changed since; they stay.
    """

    def __init__(self, receipt: Receipt) -> None:
        self._receipt = receipt
        there = {path: hashes for path, hashes in receipt.files.items() if Path(path).is_file()}
        self.files = [Path(path) for path, hashes in there.items() if has_hash(Path(path), hashes)]
        self.kept = [Path(path) for path in there if Path(path) not in self.files]
        if receipt.hooked and not self._hook_is_there():
            self.kept.append(Path(receipt.hooked))

    @property
    def edited(self) -> Path | None:
        """The user's script that our line leaves."""
        return Path(self._receipt.hooked) if self._receipt.hooked and self._hook_is_there() else None

    def apply(self, keep_receipt: bool = False) -> None:
        """Remove the files, what Python compiled from them, our line, the empty folders, and the receipt.

        Args:
            keep_receipt: leave the receipt: more of the installation stays.

        Raises:
            BridgeError: ``OUTPUT_NOT_WRITABLE``; what was not removed is still in the receipt.
        """
        try:
            for path in self.files:
                path.unlink(missing_ok=True)
                _remove_compiled(path)
            if self.edited:
                _cut(self.edited, self._receipt.hook.encode())
        except OSError as error:
            raise BridgeError(
                "OUTPUT_NOT_WRITABLE",
                f"{error.filename} cannot be removed: {error.strerror}.",
                "Close the host, ask for the right to write there, then uninstall again.",
            ) from error
        for folder in reversed(self._receipt.folders):
            with suppress(OSError):  # not empty: somebody else's files stay, and so does their folder
                Path(folder).rmdir()
        if not keep_receipt:
            self._receipt.discard()

    def _hook_is_there(self) -> bool:
        with suppress(OSError):
            return Path(self._receipt.hooked).read_bytes().count(self._receipt.hook.encode()) == 1
        return False


def has_hash(path: Path, hashes: Iterable[str]) -> bool:
    """Whether a file can be read and its content has one of these SHA-256."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() in hashes
    except OSError:
        return False


def _remove_compiled(source: Path) -> None:
    """The host's Python leaves ``__pycache__/NAME.cpython-XY.pyc`` beside what it imports (PEP 3147)."""
    cache = source.parent / "__pycache__"
    if source.suffix == ".py" and cache.is_dir():
        for compiled in cache.glob(f"{source.stem}.*.pyc"):
            compiled.unlink(missing_ok=True)
        with suppress(OSError):
            cache.rmdir()


def _cut(script: Path, line: bytes) -> None:
    """Take our line out of the user's script, which may be a link and keeps its owner and mode."""
    with script.open("r+b") as file:
        rest = file.read().replace(line, b"", 1)
        file.seek(0)
        file.write(rest)
        file.truncate()
