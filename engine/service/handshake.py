"""How a client finds this engine: its token, and the file that holds its address."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.errors import EngineError


@dataclass(frozen=True)
class Handshake:
    """What a client needs to connect and to know whom it meets."""

    pid: int
    address: str
    token: str
    version: str
    build: str
    wire: int


def find_token(file: Path | None, environment: str, handshake: Path | None) -> str:
    """Return the token that calls must bear: from a file, from the environment, or a new one left in the handshake.

    Raises:
        EngineError: BAD_REQUEST, the file is empty or unreadable, or a new token would reach nobody.
    """
    if file is not None:
        return _read_token(file)
    if environment:
        return environment
    if handshake is None:
        raise EngineError(
            "BAD_REQUEST",
            "No token was given and there is nowhere to leave a new one.",
            "Give --handshake FILE, --token-file FILE or the environment variable PLATEKEY_TOKEN.",
        )
    return secrets.token_urlsafe(32)


@contextmanager
def published(path: Path | None, handshake: Handshake) -> Iterator[None]:
    """Keep the handshake file there, readable by its owner only, for as long as the engine answers.

    Raises:
        OSError: the file cannot be written.
    """
    if path is None:
        yield
        return
    _write(path, json.dumps(asdict(handshake)))
    try:
        yield
    finally:
        _remove(path, handshake)


def _write(path: Path, text: str) -> None:
    """Write under a temporary name, which `mkstemp` makes with mode 0600, and rename."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)


def _remove(path: Path, ours: Handshake) -> None:
    """Leave a file that another engine has written since."""
    if path.exists() and json.loads(path.read_text(encoding="utf-8")) == asdict(ours):
        path.unlink()


def _read_token(file: Path) -> str:
    try:
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EngineError("BAD_REQUEST", f"Token file {file} cannot be read.", "Check --token-file.") from error
    if not token:
        raise EngineError("BAD_REQUEST", f"Token file {file} is empty.", "Write a token of your choice into it.")
    return token
