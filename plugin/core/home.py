"""PlateKey's own folder, where a node finds the side-car."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """``$PLATEKEY_HOME``, or ``~/.platekey``; the side-car's rule. Not created here."""
    chosen = os.environ.get("PLATEKEY_HOME")
    return Path(os.path.abspath(os.path.expanduser(chosen))) if chosen else Path.home() / ".platekey"
