"""Who may load what. Import rules are checked statically too; a fresh interpreter shows what really happens."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"numpy", "torch", "cv2", "OpenImageIO", "PyOpenColorIO"}


def loaded_by(statement: str) -> set[str]:
    """Names of the modules that a fresh interpreter holds after a statement."""
    script = f"{statement}\nimport sys\nsys.stdout.write('\\n'.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(run.stdout.splitlines())


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import engine", HEAVY | {"grpc", "host_bridge"}),
        ("import engine.cli", HEAVY),
        ("import host_bridge", {"grpc", "google.protobuf"}),
        ("import host_bridge.connection.client", HEAVY | {"engine", "plugin"}),
        ("import engine.pipeline, engine.values, engine.errors, engine.settings", {"grpc", "host_bridge", "torch"}),
        ("import engine.service.server", {"host_bridge.connection.client", "cv2", "plugin"}),
    ],
)
def test_an_import_loads_only_what_it_may(statement: str, unwanted: set[str]):
    assert not loaded_by(statement) & unwanted


def test_only_translation_servicer_and_job_kinds_read_the_wires_messages():
    readers = {
        path.relative_to(ROOT / "engine").as_posix()
        for path in (ROOT / "engine").rglob("*.py")
        if any("host_bridge.wire" in name for name in imported(path))
    }
    assert readers == {
        "service/job_kinds/adapt.py",
        "service/job_kinds/build_plate.py",
        "service/job_kinds/inspect.py",
        "service/job_kinds/probe.py",
        "service/job_kinds/report.py",
        "service/server.py",
        "service/servicer.py",
        "service/translate/job_reply.py",
        "service/translate/knobs.py",
        "service/translate/replies.py",
        "service/translate/requests.py",
    }
    server = imported(ROOT / "engine/service/server.py")
    assert [name for name in server if name.startswith("host_bridge")] == ["host_bridge.wire.v1.engine_pb2_grpc"]


def imported(path: Path) -> list[str]:
    """Full names of everything a file imports."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def test_packaging_and_tests_hide_no_other_package():
    assert not list((ROOT / "packaging").rglob("__init__.py")), "A package there hides PyPI's packaging."
    assert not list((ROOT / "tests").rglob("__init__.py")), "Test folders are no packages: names would clash."
    where = "import packaging.version, sys; sys.stdout.write(packaging.version.__file__)"
    run = subprocess.run([sys.executable, "-c", where], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not Path(run.stdout).is_relative_to(ROOT / "packaging")
