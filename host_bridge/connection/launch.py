"""Starting an engine of this installation: which command, with which log, and when it is up."""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from host_bridge.errors import BridgeError
from host_bridge.files import home

if TYPE_CHECKING:
    from host_bridge.cancellation import Cancellation

COMMAND_VARIABLE = "PLATEKEY_ENGINE_COMMAND"
"""Environment variable with another command for the engine, as a shell would read it."""

_START_SECONDS = 180.0
"""Importing torch from a cold network disk takes a minute or two; measured 4 s from a warm local one."""

_POLL = 0.05
_LOG_LINES = 12
IDLE_STOP = 300
"""Seconds after which an engine that nobody calls stops by itself."""


def engine_command() -> list[str]:
    """The engine's command: the same interpreter, so the same installation, unless the environment names another."""
    stated = os.environ.get(COMMAND_VARIABLE)
    return shlex.split(stated, posix=os.name == "posix") if stated else [sys.executable, "-m", "engine"]


def engine_code() -> str:
    """12 hex digits for the engine that `engine_command` would start: its interpreter, place and files.

    Two installations, or one before and after an update, never share a running engine. Found without importing it.
    """
    digest = hashlib.sha256("\0".join([sys.prefix, *engine_command()]).encode())
    spec = find_spec("engine")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        for path in sorted(path for path in Path(folder).rglob("*") if path.is_file() and path.suffix != ".pyc"):
            stat = path.stat()
            digest.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:12]


def start_engine(handshake: Path, device: str, cancellation: Cancellation) -> None:
    """Start an engine and wait until its handshake is there.

    Args:
        handshake: file that it leaves its address and token in.
        device: device id, or ``auto``.
        cancellation: ends the waiting; the engine that was begun ends too, since nobody else knows it.

    Raises:
        BridgeError: ``ENGINE_UNAVAILABLE`` with the log's last lines, or ``CANCELLED``.
    """
    handshake.unlink(missing_ok=True)
    log = log_of(handshake)
    command = [*engine_command(), "serve", "--handshake", str(handshake), "--device", device]
    command += ["--idle-stop", str(IDLE_STOP)]
    for root in _roots():
        command += ["--root", root]
    process = _spawn(command, log)
    deadline = time.monotonic() + _START_SECONDS
    try:
        while home.read_json(handshake) is None:
            cancellation.check()
            if process.poll() is not None or time.monotonic() > deadline:
                raise _not_started(process, log)
            time.sleep(_POLL)
    except BridgeError:
        process.kill()
        process.wait()
        raise


def log_of(handshake: Path) -> Path:
    """Where the engine of a handshake writes its log."""
    return home.folder("log") / f"{handshake.stem}.log"


def _spawn(command: list[str], log: Path) -> subprocess.Popen:
    """A process that outlives this one and hears nothing of its terminal's Ctrl-C."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    # So that a checkout which was never installed starts its own engine.
    package_parent = str(Path(__file__).resolve().parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [package_parent, os.environ.get("PYTHONPATH")]))
    environment.pop("PLATEKEY_TOKEN", None)
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    try:
        with log.open("wb") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=home.home(),
                env=environment,
                start_new_session=True,
                creationflags=flags,
            )
    except OSError as error:
        raise BridgeError(
            "ENGINE_UNAVAILABLE",
            f"The engine cannot be started: {command[0]}: {error.strerror}.",
            f"Install platekey[engine], or correct {COMMAND_VARIABLE}.",
        ) from error


def _roots() -> list[str]:
    """Every disk: the engine runs as this user, and only who has its token, this user, can ask it to read."""
    if sys.platform == "win32":
        return [drive for drive in (f"{letter}:\\" for letter in "CDEFGHIJKLMNOPQRSTUVWXYZAB") if Path(drive).exists()]
    return ["/"]


def _not_started(process: subprocess.Popen, log: Path) -> BridgeError:
    code = process.poll()
    how = f"ended with exit code {code}" if code is not None else f"was not up within {_START_SECONDS:.0f} s"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    said = "\n".join([*lines, ""]) if lines else "The engine's log is empty. "
    return BridgeError(
        "ENGINE_UNAVAILABLE",
        f"{said}The engine {how}.",
        f"Run 'platekey doctor'; the whole log is {log}.",
        log=log,
    )
