"""Real Blenders, each in a process of its own that has a time-out, and a shot to key in them."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from exr_files import read, write
from side_car import FAKE_COMMAND, journal

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("in_blender.py")
VERSIONS = ("4.5", "5.0")

SECONDS = 240.0
"""A run of Blender that takes longer hangs."""

SIZE = (64, 36)
FIRST, LAST = 1001, 1008


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
        self._python = ROOT / f".venv-bpy{version.replace('.', '')}" / "bin" / "python"
        self.environment = environment
        if not self._python.exists():
            missing = f"Blender {version} is not here; packaging/bpy_environments.py gets it"
            (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)

    def start(self, *steps: tuple) -> subprocess.Popen:
        """Start a process that goes through the steps."""
        command = [str(self._python), str(SCRIPT), json.dumps(steps)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, env=self.environment, text=True, errors="replace", **pipes)

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


def environment(home: Path) -> dict[str, str]:
    """Environment of a Blender whose side-car and engine keep their things in a folder of the test's."""
    side_car = shlex.join([sys.executable, "-m", "host_bridge.cli", "link"])
    ours = {"PLATEKEY_HOME": str(home), "PLATEKEY_SIDE_CAR": side_car, "OMP_NUM_THREADS": "1"}
    left_out = ("PLATEKEY_ENGINE_COMMAND", "OCIO")
    return {**{name: value for name, value in os.environ.items() if name not in left_out}, **ours}


def stop_all(home: Path) -> None:
    """Kill the side-car and the engines of a PlateKey folder."""
    for state in (home / "run").glob("*.json"):
        with suppress(ProcessLookupError):
            os.kill(json.loads(state.read_text(encoding="utf-8"))["pid"], signal.SIGKILL)


def answer_pixel(number: int) -> float:
    """Value of every channel of the main layer that the fake engine answers a frame with."""
    return float(np.float32(number / 2000))


class Station:
    """An artist's machine with Blender, footage of eight frames, a side-car, and an engine that answers what is known.

    Args:
        folder: everything lies in it.
        version: Blender's.
        scenario: the engine's.
    """

    def __init__(self, folder: Path, version: str, **scenario: object) -> None:
        self.folder = folder
        self.footage = folder / "my shöt"
        self.results = folder / "rösults"
        self.out = folder / "öut"
        self.journal = folder / "journal"
        self._answers = folder / "answers"
        for made in (self.footage, self._answers):
            made.mkdir()
        self._write()
        self.blender = Blender(version, environment(folder / "hö me"))
        self.scenario(**scenario)

    def scenario(self, **changes: object) -> None:
        """Let the engines that start from now on behave otherwise."""
        told = {"journal": str(self.journal), "answers": str(self._answers), **changes}
        self.blender.environment["PLATEKEY_ENGINE_COMMAND"] = shlex.join(FAKE_COMMAND)
        self.blender.environment["FAKE_ENGINE"] = json.dumps(told)

    def steps(self, exported: bool, **node: object) -> list[tuple]:
        """Footage, an exposure node where the frame has to be exported, and the node."""
        steps = [step("shot", size=SIZE, first=FIRST + 1, last=LAST), self.image("Footage")]
        if exported:
            steps.append(step("exposure", name="Exposure", source="Footage"))
        above = {"Frame": "Exposure" if exported else "Footage"}
        settings = {"folder": str(self.results), "clean_frame": FIRST, "inputs": above, **node}
        return [*steps, step("platekey", **settings)]

    def image(self, name: str, **described: object) -> tuple:
        """The footage's Image node."""
        path = str(self.footage / f"f.{FIRST}.exr")
        counted = {"path": path, "start": FIRST, "length": LAST - FIRST + 1, "offset": FIRST - 1}
        return step("footage", name=name, **{**counted, **described})

    def rendered(self, out: str = "") -> dict[int, float]:
        """Frames that Blender wrote, with the value of their first pixel."""
        files = sorted((self.out / out).glob("r.*.exr"))
        return {int(path.name.split(".")[1]): float(read(path)[1][0, 0, 0]) for path in files}

    def engine_frames(self) -> list[int]:
        """Frames that engines made, in their order."""
        return [int(line.split()[1]) for line in journal(self.journal, "frame")]

    def leftovers(self) -> list[Path]:
        """Half files."""
        return [path for path in self.results.rglob("*") if ".part" in path.name]

    def close(self) -> None:
        """Leave no process behind."""
        stop_all(self.folder / "hö me")

    def _write(self) -> None:
        for number in range(FIRST, LAST + 1):
            write(self.footage / f"f.{number}.exr", np.full((SIZE[1], SIZE[0], 3), number / 500, np.float32))
            layered = np.full((SIZE[1], SIZE[0], 8), answer_pixel(number), np.float32)
            channels = (*"RGBA", *(f"shadow.{channel}" for channel in "RGBA"))
            write(self._answers / f"{number}.exr", layered, channels=channels)
