"""Installing a host's node in one folder: first a plan without a conflict, then its files, each written whole."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import host_bridge
from host_bridge.errors import BridgeError
from host_bridge.install.payload import payload
from host_bridge.install.receipt import Receipt, receipt_of
from host_bridge.install.removal import Removal, has_hash

if TYPE_CHECKING:
    from host_bridge.install.hosts import Host


class Installation:
    """What installing a host in one folder will write. Nothing is written before `apply`.

    Args:
        host: the host.
        folder: its own folder, absolute.
        edit: add the hook's line to a start-up script of the user's.

    Attributes:
        files: content by path.
        advice: what is left to the user, one sentence each.

    Raises:
        BridgeError: ``OUTPUT_EXISTS`` where a file of somebody else's lies in the way, or a file of ours was changed.
    """

    def __init__(self, host: Host, folder: Path, edit: bool = False) -> None:
        self.folder = folder
        self.files = {folder / place: content for place, content in payload(host).items()}
        self.advice: list[str] = []
        self._before = receipt_of(host.name, folder)
        self._receipt = Receipt(host.name, str(folder), host_bridge.__version__)
        self._plan_hook(host, edit)
        self._refuse_strangers()

    @property
    def edited(self) -> Path | None:
        """The user's script that a line will be added to."""
        return Path(self._receipt.hooked) if self._receipt.hooked else None

    def apply(self) -> None:
        """Write everything; the receipt comes first, so that whatever happens can be undone.

        Raises:
            BridgeError: ``OUTPUT_NOT_WRITABLE``; what was written of a first installation is gone again then.
        """
        before = self._before or Receipt("", "", "")
        fresh = {str(path): [_sha256(content)] for path, content in self.files.items()}
        self._receipt.folders = [*before.folders, *map(str, _missing_folders(self.files))]
        # Until the last file is there, each may be the old or the new one.
        names = before.files.keys() | fresh.keys()
        self._receipt.files = {name: [*before.files.get(name, ()), *fresh.get(name, ())] for name in names}
        self._receipt.save()
        try:
            for path, content in self.files.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(path, content)
            if self.edited and not before.hook:
                with self.edited.open("ab") as script:
                    script.write(self._receipt.hook.encode())
        except OSError as error:
            if self._before is None:
                Removal(self._receipt).apply()
            raise _unwritable(self.folder, error) from error
        self._remove_obsolete(before)
        self._receipt.files = fresh
        self._receipt.save()

    def _plan_hook(self, host: Host, edit: bool) -> None:
        if host.hook is None:
            return
        script = self.folder / host.hook.file
        before, ours = self._before, host.hook.script.encode()
        if not script.exists() or (before and str(script) in before.files) or has_hash(script, [_sha256(ours)]):
            self.files[script] = ours
            return
        text = script.read_text(encoding="utf-8", errors="surrogateescape")
        if before and before.hook and before.hook in text:
            self._receipt.hooked, self._receipt.hook = before.hooked, before.hook
        elif host.hook.line not in text and edit:
            self._receipt.hooked = str(script)
            self._receipt.hook = ("" if text.endswith("\n") or not text else "\n") + host.hook.line + "\n"
        elif host.hook.line not in text:
            self.advice.append(
                f"{script} is yours and stays as it is. Add this line to it, or run this again with --edit-startup:\n"
                f"    {host.hook.line}"
            )

    def _refuse_strangers(self) -> None:
        known = self._before.files if self._before else {}
        for path, content in self.files.items():
            if not path.exists() and not path.is_symlink():
                continue
            if path.is_symlink() or not path.is_file():
                raise _in_the_way(path, "is no plain file")
            if not has_hash(path, [_sha256(content), *known.get(str(path), ())]):
                raise _in_the_way(path, "was changed since" if str(path) in known else "is not PlateKey's")

    def _remove_obsolete(self, before: Receipt) -> None:
        """Take away what an earlier version had and this one has not."""
        gone = {path: hashes for path, hashes in before.files.items() if Path(path) not in self.files}
        Removal(Receipt(before.host, before.folder, before.version, gone)).apply(keep_receipt=True)


def _missing_folders(files: dict[Path, bytes]) -> list[Path]:
    """Folders that have to be made, outermost first."""
    parents = {parent for path in files for parent in path.parents if not parent.exists()}
    return sorted(parents, key=lambda path: len(path.parts))


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _in_the_way(path: Path, why: str) -> BridgeError:
    return BridgeError(
        "OUTPUT_EXISTS",
        f"{path} {why}; nothing was installed.",
        "Move it away, then install again; or name another folder with --path.",
    )


def _unwritable(folder: Path, error: OSError) -> BridgeError:
    return BridgeError(
        "OUTPUT_NOT_WRITABLE",
        f"The node cannot be written to {folder}: {error.filename or folder}: {error.strerror}.",
        "Ask for the right to write there, or name another folder with --path.",
    )
