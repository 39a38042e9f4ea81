"""A real headless browser, for the pages that PlateKey writes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
)
_SECONDS = 90.0


class Browser:
    """Opens pages from disk, each time in a fresh profile.

    Args:
        folder: for profile and pictures.
    """

    def __init__(self, folder: Path) -> None:
        found = next(filter(None, map(shutil.which, _NAMES)), None)
        if found is None:
            pytest.skip("no browser is here; packaging/page_browser.py gets one where it can")
        self._command = [found, *_QUIET, f"--user-data-dir={folder / 'profile'}"]
        self._folder = folder

    def picture(self, page: Path, fragment: str = "", size: tuple[int, int] = (1100, 1600)) -> np.ndarray:
        """What the page looks like: ``(H, W, 3)`` uint8, R G B; `size` is width and height."""
        path = self._folder / "page.png"
        path.unlink(missing_ok=True)
        self._run(page, fragment, f"--window-size={size[0]},{size[1]}", f"--screenshot={path}")
        return cv2.imread(str(path))[..., ::-1]

    def dom(self, page: Path, fragment: str = "") -> str:
        """The page as it stands once its scripts have run."""
        return self._run(page, fragment, "--dump-dom")

    def _run(self, page: Path, fragment: str, *options: str) -> str:
        address = page.resolve().as_uri() + (f"#{fragment}" if fragment else "")
        environment = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": "disabled:"}
        done = subprocess.run(
            [*self._command, *options, address],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
            env=environment,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout
