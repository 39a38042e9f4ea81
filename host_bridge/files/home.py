"""PlateKey's own folder: engine states, logs and the frame cache, readable by their owner only."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import time
from pathlib import Path

from host_bridge.errors import BridgeError

PRIVATE = 0o600
"""Mode of a file that only its owner may read: it holds a token."""


def home() -> Path:
    """``$PLATEKEY_HOME``, or ``~/.platekey``. Not created here."""
    chosen = os.environ.get("PLATEKEY_HOME")
    return Path(chosen).expanduser().absolute() if chosen else Path.home() / ".platekey"


def folder(name: str) -> Path:
    """A folder in `home`, made with mode 0700 where missing.

    Raises:
        BridgeError: ``OUTPUT_NOT_WRITABLE`` where it cannot be made.
    """
    path = home() / name
    try:
        home().mkdir(mode=0o700, parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise BridgeError(
            "OUTPUT_NOT_WRITABLE",
            f"PlateKey's own folder {path} cannot be made: {error.strerror}.",
            "Set PLATEKEY_HOME to a folder that you can write to.",
        ) from error
    return path


def sweep(name: str, seconds: float) -> None:
    """Empty a folder in `home` of the folders that nobody has touched for a while: a host that crashed left them.

    Args:
        name: the folder's name.
        seconds: age from which one counts as left.
    """
    with contextlib.suppress(FileNotFoundError), os.scandir(home() / name) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False) and entry.stat().st_mtime < time.time() - seconds:
                shutil.rmtree(entry.path, ignore_errors=True)


def write_json(path: Path, value: object, mode: int = 0o666) -> None:
    """Write JSON under a temporary name, force it to disk, then rename it.

    Args:
        path: final name.
        value: what to write.
        mode: permissions, less the umask; `PRIVATE` for what only its owner may read.

    Raises:
        OSError: it cannot be written; nothing is left then, and the file that was there stays.
    """
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(value, file)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_json(path: Path) -> dict | None:
    """The JSON object in a file, or None where there is no file or no whole object."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
