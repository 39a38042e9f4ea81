"""Fixtures of the whole suite: engines, real ones in processes and composed ones with a stand-in for the pipeline."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from engine_client import Client
from engine_process import EngineProcess
from gated_compute import GatedCompute

from engine.service.limits import Limits
from engine.service.options import ServeOptions

# Hosts find `platekey` on the search path, as they do where its environment is active.
os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))

TOKEN = "test-token"


@pytest.fixture(scope="session")
def engine_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder under which `engine_process` reads paths."""
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="session")
def engine_process(tmp_path_factory: pytest.TempPathFactory, engine_root: Path) -> Iterator[EngineProcess]:
    """One real engine for all tests that leave it as they found it; its store holds 8 MiB."""
    folder = tmp_path_factory.mktemp("engine")
    with EngineProcess(folder, "--root", str(engine_root), "--store-bytes", str(8 << 20)) as process:
        yield process


@pytest.fixture
def client(engine_process: EngineProcess) -> Iterator[Client]:
    """A client of `engine_process`."""
    with engine_process.client() as connected:
        yield connected


@pytest.fixture
def serve_here() -> Iterator[Callable[..., Client]]:
    """Serve a stand-in for the pipeline inside this process: ``serve_here(compute, **limits) -> client``."""
    from engine.service.server import EngineServer

    with ExitStack() as exits:

        def serve(compute: GatedCompute, **limits: int) -> Client:
            server = EngineServer(ServeOptions(TOKEN, device="cpu", limits=Limits(**limits)), compute)
            address = server.start()
            exits.callback(server.stop, grace=0.0)
            exits.callback(compute.gate.set)
            return exits.enter_context(Client(address, TOKEN))

        yield serve
