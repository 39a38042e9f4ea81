"""The side-car against the fake engine: footage, jobs in this process, and the command line in another."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import fake_engine
from eventually import eventually

from host_bridge.cancellation import Cancellation
from host_bridge.connection.address import Address
from host_bridge.connection.client import Engine
from host_bridge.files.cache import FrameCache
from host_bridge.files.content import Hasher
from host_bridge.job import MatteJob
from host_bridge.link.server import serve_link
from host_bridge.options import MatteOptions

REPOSITORY = Path(__file__).parents[2]
FAKE_COMMAND = [sys.executable, str(Path(fake_engine.__file__))]


def write_footage(folder: Path, numbers, name: str = "plate") -> str:
    """Files that the fake engine takes for images; returns their pattern."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        (folder / f"{name}.{number:04d}.exr").write_text(f"{name} {number}", encoding="utf-8")
    return str(folder / f"{name}.####.exr")


@dataclass
class InProcess:
    """Jobs in this process, against a fake engine in it."""

    cache_folder: Path
    scenario: fake_engine.Scenario
    token: str = "secret"
    gone: int = 0
    """Engines that are found and have gone before they are asked anything."""

    def __post_init__(self):
        self.cache_folder.mkdir(parents=True, exist_ok=True)

    def run(self, cancellation: Cancellation | None = None, emit=None, **options):
        """Run a job; returns its outcome and its events, unless `emit` takes those."""
        events: list = []
        cache = FrameCache(self.cache_folder, 1 << 30)
        wish = cancellation or Cancellation()
        server, _, port = fake_engine.start(self.scenario, "secret", ["/"], threading.Event())

        def connect(_options, _cancellation):
            if self.gone:
                self.gone -= 1
                return contextlib.closing(Engine(Address("127.0.0.1:9", self.token, shares_disk=True)))
            return contextlib.closing(Engine(Address(f"127.0.0.1:{port}", self.token, shares_disk=True)))

        try:
            job = MatteJob(MatteOptions(**options), connect, cache, Hasher(), emit or events.append, wish)
            return job.run(), events
        finally:
            server.stop(None).wait()


def environment(home: Path, **scenario) -> dict[str, str]:
    """Environment of a `platekey` that starts fake engines of a scenario."""
    return {
        **os.environ,
        "PLATEKEY_HOME": str(home),
        "PLATEKEY_ENGINE_COMMAND": shlex.join(FAKE_COMMAND),
        "FAKE_ENGINE": json.dumps(scenario),
        "PYTHONPATH": str(REPOSITORY),
    }


@contextlib.contextmanager
def link_served(home: Path):
    """The link's server in a thread of this process; yields the content of its state file."""
    end = Cancellation()
    thread = threading.Thread(target=serve_link, args=(60.0, end))
    thread.start()
    state = home / "run" / "link.json"
    try:
        eventually(state.exists)
        yield json.loads(state.read_text(encoding="utf-8"))
    finally:
        end.cancel()
        thread.join(10)
    assert not thread.is_alive()


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "host_bridge.cli", *arguments]


def platekey(env: dict[str, str], *arguments: str, **options) -> subprocess.CompletedProcess:
    """Run the command line to its end."""
    return subprocess.run(
        command(*arguments), env=env, capture_output=True, text=True, timeout=280, check=False, **options
    )


def journal(path: Path, prefix: str = "") -> list[str]:
    """Lines of a fake engine's journal that begin with a prefix."""
    if not path.exists():
        return []
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith(prefix)]
