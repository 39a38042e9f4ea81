"""``host.json``: how a node, which knows neither the side-car's Python nor its place, starts it."""

from __future__ import annotations

import sys

import host_bridge
from host_bridge.errors import BridgeError
from host_bridge.files import home

_NAME = "host.json"


def write_host_file() -> None:
    """Leave the command of this installation's side-car in PlateKey's folder.

    Raises:
        BridgeError: ``OUTPUT_NOT_WRITABLE``.
    """
    command = [sys.executable, "-m", "host_bridge.cli", "link"]
    path = home.home() / _NAME
    try:
        home.write_json(path, {"version": host_bridge.__version__, "side_car": command})
    except OSError as error:
        raise BridgeError(
            "OUTPUT_NOT_WRITABLE",
            f"{path} cannot be written: {error.strerror}.",
            "Set PLATEKEY_HOME to a folder that you can write to.",
        ) from error


def remove_host_file() -> None:
    """Take it away: no host is left that would read it."""
    (home.home() / _NAME).unlink(missing_ok=True)
