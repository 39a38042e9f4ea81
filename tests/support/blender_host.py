"""Real Blenders, each in a process of its own that has a time-out."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("in_blender.py")
VERSIONS = ("4.5", "5.0")

SECONDS = 120.0
"""A run of Blender that takes longer hangs."""


def step(name: str, /, **arguments: object) -> tuple[str, dict[str, object]]:
    """A step of `in_blender.py`."""
    return name, arguments


@dataclass
class Run:
    """What came of a process: its exit code, what it printed, and the steps' results where it went to its end."""

    code: int
    printed: str
    results: list = field(default_factory=list)


class Blender:
    """One version of Blender, with an environment in which it finds the side-car.

    Args:
        version: ``4.5`` or ``5.0``.
        environment: of its processes.
    """

    def __init__(self, version: str, environment: dict[str, str]) -> None:
        self.version = version
        self._python = ROOT / f".venv-bpy{version.replace('.', '')}" / "bin" / "python"
        self._environment = environment
        if not self._python.exists():
            missing = f"Blender {version} is not here; packaging/bpy_environments.py gets it"
            (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)

    def start(self, *steps: tuple) -> subprocess.Popen:
        """Start a process that goes through the steps."""
        command = [str(self._python), str(SCRIPT), json.dumps(steps)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, env=self._environment, text=True, errors="replace", **pipes)

    def run(self, *steps: tuple) -> Run:
        """Go through the steps, to the end or to where the process leaves."""
        return finished(self.start(*steps))


def finished(process: subprocess.Popen) -> Run:
    """Wait for a process."""
    try:
        printed, _ = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
        process.wait()
    results = json.loads(printed.splitlines()[-1]) if process.returncode == 0 else []
    return Run(process.returncode, printed, results)


def environment(home: Path, **more: str) -> dict[str, str]:
    """Environment of a Blender whose side-car and engine keep their things in a folder of the test's."""
    side_car = shlex.join([sys.executable, "-m", "host_bridge.cli", "link"])
    return {**os.environ, "PLATEKEY_HOME": str(home), "PLATEKEY_SIDE_CAR": side_car, "OMP_NUM_THREADS": "1", **more}
