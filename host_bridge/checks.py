"""What ``platekey doctor`` looks at. Each check says what it found, and where it fails, what to do."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from host_bridge.cancellation import Cancellation
from host_bridge.connection.client import Engine
from host_bridge.connection.engines import local_engine
from host_bridge.errors import BridgeError
from host_bridge.files import home
from host_bridge.options import DEFAULT_CONFIG

if TYPE_CHECKING:
    from host_bridge.wire.v1 import engine_pb2

_PYTHONS = ((3, 10), (3, 13))
"""Oldest and newest Python that the engine's wheels exist for."""

_FREE_BYTES = 5 << 30
"""Room for half of the default frame cache; below it, a shot's results may not fit either."""

_IMPORT_SECONDS = 180.0


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: what was looked at.
        passed: whether it is as it should be.
        found: what was found, one sentence.
        next_step: what to do where it failed.
    """

    name: str
    passed: bool
    found: str
    next_step: str = ""

    def as_json(self) -> dict[str, object]:
        """Plain values."""
        return asdict(self)


def run_checks() -> list[Check]:
    """Every check, in the order in which to mend things. Starts an engine where none runs."""
    return [_python(), _home(), _disk(), _ports(), _torch(), *_engine()]


def _python() -> Check:
    version = sys.version_info[:2]
    text = ".".join(map(str, sys.version_info[:3]))
    return Check(
        "python",
        _PYTHONS[0] <= version <= _PYTHONS[1],
        f"Python {text} at {sys.executable}",
        "Install PlateKey with Python 3.10 to 3.13.",
    )


def _home() -> Check:
    try:
        with tempfile.TemporaryFile(dir=home.folder("run")):
            return Check("home", True, f"{home.home()} can be written")
    except BridgeError as error:
        return Check("home", False, error.message, error.next_step)
    except OSError as error:
        return Check("home", False, f"{home.home()}: {error.strerror}", "Set PLATEKEY_HOME to a folder of your own.")


def _disk() -> Check:
    place = next(folder for folder in (home.home(), *home.home().parents) if folder.exists())
    free = shutil.disk_usage(place).free
    return Check(
        "disk",
        free >= _FREE_BYTES,
        f"{free / 2**30:.1f} GiB free at {place}",
        "Free some space, or set PLATEKEY_HOME to another disk and PLATEKEY_CACHE_GIB to less.",
    )


def _ports() -> Check:
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            socket.create_connection(listener.getsockname(), timeout=2).close()
    except OSError as error:
        return Check("ports", False, f"loopback does not connect: {error}", "Let the firewall pass 127.0.0.1.")
    return Check("ports", True, "loopback connects")


def _torch() -> Check:
    """In a process of its own: a broken torch can take its process along."""
    step = "Install platekey[engine] into this Python, with the torch build for your GPU."
    command = [sys.executable, "-c", "import torch; print(torch.__version__)"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_IMPORT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check("torch", False, f"cannot be imported: {error}", step)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return Check("torch", False, f"cannot be imported: {last}", step)
    return Check("torch", True, f"torch {done.stdout.strip()}")


def _engine() -> list[Check]:
    try:
        with closing(Engine(local_engine("auto", Cancellation()))) as engine:
            description = engine.describe()
            healthy = engine.is_healthy()
    except BridgeError as error:
        return [Check("engine", False, error.message, error.next_step)]
    found = f"engine {description.version}, build {description.build}, answers"
    return [Check("engine", True, found), _device(description, healthy), _weights(description), _color(description)]


def _device(description: engine_pb2.DescribeResponse, healthy: bool) -> Check:
    names = {device.id: device.name for device in description.devices}
    chosen = description.default_device
    return Check(
        "device",
        healthy and chosen in names,
        f"{chosen} ({names.get(chosen, 'unknown')}) {'answers' if healthy else 'does not answer'}",
        "Check the GPU's driver, or render with --device cpu.",
    )


def _weights(description: engine_pb2.DescribeResponse) -> Check:
    """Whether every model's file is there. Its bytes are the engine's to check, and it does whenever it loads them."""
    missing = ", ".join(model.name for model in description.models if not model.weights_size)
    if missing or not description.models:
        found = f"missing: {missing}" if missing else "the engine has no model"
        return Check("weights", False, found, "Install platekey again: it brings the weights along.")
    there = [f"{it.name} {it.weights_sha256[:12]}, {it.weights_size / 1e6:.1f} MB" for it in description.models]
    return Check("weights", True, f"{', '.join(there)}; a job that loads them checks the hash")


def _color(description: engine_pb2.DescribeResponse) -> Check:
    return Check(
        "ocio",
        DEFAULT_CONFIG in description.color_configs,
        f"{len(description.color_configs)} built-in configurations",
        f"Install platekey[engine] again: its configuration {DEFAULT_CONFIG} is missing.",
    )
