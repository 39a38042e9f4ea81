"""Emptying PlateKey's own folder: cache, logs, and what running processes left. Only files of known names."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from host_bridge.errors import BridgeError
from host_bridge.files import home

if TYPE_CHECKING:
    from pathlib import Path

_FILES = {
    "run": ("link.json", "link.lock", "engine.lock", "engine-*.json", "*.part"),
    "log": ("*.log",),
    "cache": ("*.exr", "*.part"),
}
"""Patterns by folder of everything that PlateKey writes there."""


def own_files() -> list[Path]:
    """Every file of PlateKey's in its own folder but receipts and ``host.json``."""
    own = home.home()
    return sorted(path for folder, names in _FILES.items() for name in names for path in (own / folder).glob(name))


def purge() -> None:
    """Remove them, and each folder that is empty then.

    Raises:
        BridgeError: ``OUTPUT_NOT_WRITABLE``.
    """
    try:
        for path in own_files():
            path.unlink(missing_ok=True)
    except OSError as error:
        raise BridgeError(
            "OUTPUT_NOT_WRITABLE",
            f"{error.filename} cannot be removed: {error.strerror}.",
            "Run 'platekey stop', then try again.",
        ) from error
    tidy()


def tidy() -> None:
    """Remove PlateKey's folders that are empty."""
    for folder in (*(home.home() / name for name in _FILES), home.home()):
        with suppress(OSError):  # not empty, or never made
            folder.rmdir()
