"""A browser for the tests of the report's page: ``python packaging/page_browser.py``.

On Debian, as root, it installs Debian's chromium where no browser is; anywhere else it says so, and the tests of the
page skip. It never fails: a test run without a browser is still a test run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
"""Names under which the tests look for one."""

_SECONDS = 300
"""Longest time that an installation may take."""


def main() -> int:
    """Find or install a browser; always returns 0."""
    found = _found()
    if found:
        sys.stdout.write(f"{found}\n")
    elif not _may_install():
        sys.stdout.write("No browser is here, and none can be installed: the tests of the report's page will skip.\n")
    elif not (
        _quiet("apt-get", "update") and _quiet("apt-get", "install", "-y", "--no-install-recommends", "chromium")
    ):
        sys.stdout.write("Debian's chromium cannot be installed: the tests of the report's page will skip.\n")
    else:
        sys.stdout.write(f"{_found()}\n")
    return 0


def _found() -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def _may_install() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def _quiet(*command: str) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    quiet = subprocess.DEVNULL
    try:
        done = subprocess.run(command, env=environment, stdout=quiet, stderr=quiet, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
