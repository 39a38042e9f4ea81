"""The machine to install on, as far as hosts' folders depend on it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Machine:
    """A user on a machine.

    Attributes:
        system: as ``sys.platform`` names it: ``linux``, ``darwin`` or ``win32``.
        home: the user's own folder.
        environment: variables that move hosts' folders.
    """

    system: str
    home: Path
    environment: Mapping[str, str]

    @classmethod
    def this(cls) -> Machine:
        """This user on this machine."""
        return cls(sys.platform, Path.home(), os.environ)

    @property
    def support(self) -> Path:
        """Where macOS and Windows keep the settings of applications."""
        if self.system == "darwin":
            return self.home / "Library" / "Application Support"
        stated = self.environment.get("APPDATA")
        return Path(stated) if stated else self.home / "AppData" / "Roaming"
