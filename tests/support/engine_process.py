"""A real engine in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from engine_client import Client

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0


class EngineProcess:
    """`platekey-engine serve` with a handshake file in ``folder``; a context manager that leaves no process behind."""

    def __init__(self, folder: Path, *options: str, environment: dict[str, str] | None = None) -> None:
        self.handshake_file = folder / "engine.json"
        self.log = folder / "engine.log"
        command = [sys.executable, "-m", "engine", "serve", "--device", "cpu", "--threads", "1"]
        command += ["--handshake", str(self.handshake_file), "--log-file", str(self.log), *options]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stderr=subprocess.DEVNULL, env={**os.environ, **(environment or {})}
        )

    def __enter__(self) -> EngineProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def handshake(self) -> dict[str, object]:
        """Wait for the handshake file and return what it says."""
        end = time.monotonic() + START_SECONDS
        while not self.handshake_file.exists():
            assert self.process.poll() is None, f"the engine left with {self.process.returncode}"
            assert time.monotonic() < end, "the engine does not start"
            time.sleep(0.02)
        return json.loads(self.handshake_file.read_text())

    def client(self, **how: object) -> Client:
        """Connect with the handshake's token."""
        handshake = self.handshake()
        return Client(handshake["address"], handshake["token"], **how)


def serve_and_fail(*options: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `platekey-engine serve` with options it must refuse."""
    command = [sys.executable, "-m", "engine", "serve", "--device", "cpu", *options]
    plain = {name: value for name, value in os.environ.items() if name != "PLATEKEY_TOKEN"}
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, env={**plain, **(environment or {})}
    )
