"""Finding an engine to work with: the one that runs here, the one that was named, or a new one.

An engine started here leaves ``run/engine-DEVICE-CODE.json`` in PlateKey's folder. CODE stands for the installation, so
an engine of another one is neither used nor stopped. Who may start is decided by a lock; an engine ends by itself when
nobody calls.
"""

from __future__ import annotations

import os
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from host_bridge.connection.address import Address
from host_bridge.connection.client import Engine
from host_bridge.connection.launch import engine_code, log_of, start_engine
from host_bridge.errors import BridgeError
from host_bridge.files import home
from host_bridge.files.lock import FileLock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from host_bridge.cancellation import Cancellation
    from host_bridge.options import EngineChoice
    from host_bridge.wire.v1 import engine_pb2

_AUTO = "auto"

_LOCK_SECONDS = 240.0
"""Longer than an engine may take to start: whoever waits finds it running."""

_LOCK_TRY_SECONDS = 0.5
"""How long a cancelled job may go on waiting."""


@dataclass(frozen=True)
class RunningEngine:
    """An engine of this machine that answers.

    Attributes:
        address: how to reach it.
        description: what it said.
        device: the device it was started for; ``auto`` where it chose.
        ours: it belongs to this installation.
    """

    address: Address
    description: engine_pb2.DescribeResponse
    device: str
    ours: bool

    def serves(self, device: str) -> bool:
        """Whether it is the engine for a device, ``auto`` meaning the best there is."""
        if device == _AUTO:
            return self.device == _AUTO or len(self.description.devices) == 1
        return self.description.default_device == device


def running_engines() -> list[RunningEngine]:
    """Every engine that was started here and still answers."""
    found = (_look_up(path) for path in sorted(home.folder("run").glob("engine-*.json")))
    return [engine for engine in found if engine]


@contextmanager
def connect(options: EngineChoice, cancellation: Cancellation) -> Iterator[Engine]:
    """A connection to the engine that a job wants, started here where none was named and none runs.

    Raises:
        BridgeError: ``ENGINE_UNAVAILABLE``, ``TOKEN_WRONG`` or ``FILE_MISSING`` (token or certificate file).
    """
    address = _named(options) if options.engine else local_engine(options.device or _AUTO, cancellation)
    with closing(Engine(address)) as engine:
        yield engine


def local_engine(device: str, cancellation: Cancellation) -> Address:
    """The engine of this machine for a device, started where there is none.

    Raises:
        BridgeError: ``ENGINE_UNAVAILABLE`` or ``CANCELLED``.
    """
    code = engine_code()
    with FileLock(home.folder("run") / "engine.lock") as lock:
        _elect(lock, cancellation)
        for engine in running_engines():
            if engine.ours and engine.serves(device):
                return engine.address
        handshake = home.folder("run") / f"engine-{device.replace(':', '_')}-{code}.json"
        start_engine(handshake, device, cancellation)
        started = _look_up(handshake)
    if started is None:
        raise BridgeError("ENGINE_UNAVAILABLE", "The engine started but does not answer.", "Run 'platekey doctor'.")
    return started.address


def _elect(lock: FileLock, cancellation: Cancellation) -> None:
    """Wait for the right to look for an engine and to start one."""
    deadline = time.monotonic() + _LOCK_SECONDS
    while not lock.acquire(_LOCK_TRY_SECONDS):
        cancellation.check()
        if time.monotonic() > deadline:
            raise BridgeError("ENGINE_UNAVAILABLE", "Another PlateKey is still starting an engine.", "Try again.")


def _look_up(handshake: Path) -> RunningEngine | None:
    """The engine behind a handshake, or None where none answers there any more."""
    left = home.read_json(handshake)
    if left is None:
        return None
    address = Address(
        left["address"], left["token"], shares_disk=True, token_from=str(handshake), log=log_of(handshake)
    )
    _, device, code = handshake.stem.split("-")
    try:
        with closing(Engine(address)) as engine:
            description = engine.describe()
    except BridgeError:
        return None
    ours = code == engine_code() and description.pid == left["pid"]
    return RunningEngine(address, description, device.replace("_", ":"), ours)


def _named(options: EngineChoice) -> Address:
    token, source = os.environ.get("PLATEKEY_TOKEN", ""), "PLATEKEY_TOKEN"
    if options.token_file:
        path = Path(options.token_file).expanduser()
        try:
            token, source = path.read_text(encoding="utf-8").strip(), str(path)
        except OSError as error:
            raise BridgeError(
                "FILE_MISSING", f"{path} cannot be read: {error.strerror}.", "Check --token-file."
            ) from error
    if not token:
        raise BridgeError(
            "TOKEN_WRONG",
            f"The engine at {options.engine} wants a token, and none was given.",
            "Pass its file with --token-file, or set PLATEKEY_TOKEN.",
        )
    tls_ca = Path(options.tls_ca).expanduser() if options.tls_ca else None
    return Address(options.engine, token, tls_ca, token_from=source)
