"""What an installation wrote, remembered so that uninstalling takes exactly that away."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from host_bridge.errors import BridgeError
from host_bridge.files import home

_FOLDER = "hosts"


@dataclass
class Receipt:
    """What was written for a host in one folder.

    Attributes:
        host: its name.
        folder: the host's own folder.
        version: of PlateKey.
        files: SHA-256 by path; two of them where an update may have been interrupted.
        folders: folders that were made, outermost first.
        hooked: path of a script of the user's that a line was added to; empty for none.
        hook: that line as it was added.
    """

    host: str
    folder: str
    version: str
    files: dict[str, list[str]] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    hooked: str = ""
    hook: str = ""

    def save(self) -> None:
        """Write it.

        Raises:
            BridgeError: ``OUTPUT_NOT_WRITABLE``.
        """
        path = _place(self.host, Path(self.folder))
        home.folder(_FOLDER)
        try:
            home.write_json(path, asdict(self))
        except OSError as error:
            raise BridgeError(
                "OUTPUT_NOT_WRITABLE",
                f"{path} cannot be written: {error.strerror}.",
                "Free some space, then try again.",
            ) from error

    def discard(self) -> None:
        """Forget it, and after the last one the folders that are empty then."""
        path = _place(self.host, Path(self.folder))
        path.unlink(missing_ok=True)
        with suppress(OSError):  # not empty
            path.parent.rmdir()
            home.home().rmdir()


def receipt_of(host: str, folder: Path) -> Receipt | None:
    """The receipt of a host in a folder; None where nothing is installed there."""
    return _read(_place(host, folder))


def receipts(host: str = "") -> list[Receipt]:
    """Every receipt of a host, or of all hosts."""
    found = sorted((home.home() / _FOLDER).glob(f"{host or '*'}-*.json"))
    return [receipt for receipt in map(_read, found) if receipt]


def _place(host: str, folder: Path) -> Path:
    code = hashlib.sha256(str(folder).encode()).hexdigest()[:8]
    return home.home() / _FOLDER / f"{host}-{code}.json"


def _read(path: Path) -> Receipt | None:
    value = home.read_json(path)
    try:
        return Receipt(**value) if value else None
    except TypeError:
        return None
