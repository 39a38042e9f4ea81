"""Which command starts the side-car on this machine, and a connection to it.

``platekey install`` leaves the command in ``host.json`` of PlateKey's folder, because a host knows neither the
side-car's Python nor its place.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from typing import List

from .errors import LinkError
from .home import home
from .link import LinkClient

COMMAND_VARIABLE = "PLATEKEY_SIDE_CAR"
"""Environment variable with another command for the side-car, as a shell would read it."""

HOST_FILE = "host.json"


def connect() -> LinkClient:
    """A connection to the side-car, started where none runs.

    Raises:
        LinkError: it is not installed, cannot be started, or is of another version.
    """
    return LinkClient(side_car_command())


def side_car_command() -> List[str]:
    """The command that starts the side-car.

    Raises:
        LinkError: ``ENGINE_UNAVAILABLE`` where none is known.
    """
    stated = os.environ.get(COMMAND_VARIABLE)
    if stated:
        return [part.strip('"') for part in shlex.split(stated, posix=os.name == "posix")]
    command = _installed()
    if command:
        return command
    found = shutil.which("platekey")
    if found:
        return [found, "link"]
    raise LinkError(
        "ENGINE_UNAVAILABLE",
        "This machine has the node but not PlateKey itself: {} is missing.".format(home() / HOST_FILE),
        "Install PlateKey here and run 'platekey install', which writes that file.",
    )


def _installed() -> List[str]:
    """The command that an installation left; empty where there is none, or no whole one."""
    try:
        command = json.loads((home() / HOST_FILE).read_text(encoding="utf-8"))["side_car"]
    except (OSError, ValueError, LookupError, TypeError):
        return []
    whole = isinstance(command, list) and all(isinstance(part, str) for part in command)
    return command if whole else []
