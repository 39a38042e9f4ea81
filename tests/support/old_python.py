"""The oldest Python that a host brings, where this machine has one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

OLDEST = "3.7"
"""Nuke 13's."""


def oldest_python() -> str | None:
    """An interpreter of that version, from the search path or pyenv; None where there is none."""
    found = [shutil.which(f"python{OLDEST}"), *Path.home().glob(f".pyenv/versions/{OLDEST}.*/bin/python")]
    return next((str(path) for path in found if path and _is_oldest(str(path))), None)


def _is_oldest(path: str) -> bool:
    """Whether it runs: a shim of a version manager may stand for a version that is not chosen."""
    script = f"import sys; sys.exit('{OLDEST}' != '%d.%d' % sys.version_info[:2])"
    return subprocess.run([path, "-c", script], capture_output=True, timeout=30, check=False).returncode == 0
