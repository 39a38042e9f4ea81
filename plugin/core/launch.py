"""Starting the side-car from inside a host, so that it neither inherits the host's Python nor dies with the host."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

from .errors import LinkError

_OF_THE_HOST = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__")
"""Variables that send another interpreter to the host's libraries: https://docs.python.org/3/using/cmdline.html"""


def start_side_car(command: List[str], home: Path) -> subprocess.Popen:
    """Start the side-car; where another one runs already, the new one ends with 0.

    Args:
        command: the command with its arguments.
        home: PlateKey's folder, which it runs in: a working folder is on Python's search path.

    Raises:
        LinkError: the folder cannot be made, or the command cannot be run.
    """
    options: Dict[str, Any] = {}
    if sys.platform == "win32":
        options["creationflags"] = 0x08000000 | 0x00000200  # CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP
    else:
        options["start_new_session"] = True
    quiet = subprocess.DEVNULL
    environment = {name: value for name, value in os.environ.items() if name not in _OF_THE_HOST}
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return subprocess.Popen(
            command, stdin=quiet, stdout=quiet, stderr=quiet, cwd=str(home), env=environment, **options
        )
    except OSError as error:
        raise LinkError(
            "ENGINE_UNAVAILABLE",
            "PlateKey's side-car cannot be started: {}: {}.".format(error.filename or command[0], error.strerror),
            "Install PlateKey, then run 'platekey install' again so that the node knows where it is.",
        ) from error
