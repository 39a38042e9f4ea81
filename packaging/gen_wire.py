"""Generate the wire's stubs from its .proto files: ``python packaging/gen_wire.py [--check]``.

``--check`` writes nothing and exits with 1 where the committed stubs are not what the .proto files say.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WIRE = Path("host_bridge/wire/v1")

GENERATOR = "1.66.2"
"""Version of grpcio-tools. Old on purpose: stubs refuse a grpcio or protobuf older than their generator's."""

STUBS = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py")
WITH_SERVICE = "engine_pb2_grpc.py"
"""The generator writes a service stub for every file; only this one holds a service."""


def generate(target: Path) -> None:
    """Write the stubs into ``target``, under the same relative path."""
    protos = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / WIRE).glob("*.proto"))
    outputs = [f"--{kind}={target}" for kind in ("python_out", "pyi_out", "grpc_python_out")]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", "-I.", *outputs, *protos], cwd=ROOT, check=True)
    for stub in (target / WIRE).glob("*_pb2_grpc.py"):
        if stub.name != WITH_SERVICE:
            stub.unlink()


def stubs(root: Path) -> dict[str, bytes]:
    """Return the stubs under a root, by file name."""
    return {path.name: path.read_bytes() for pattern in STUBS for path in (root / WIRE).glob(pattern)}


def stale(fresh: dict[str, bytes], committed: dict[str, bytes]) -> list[str]:
    """Return the names of stubs that differ, are missing or have no source any more."""
    return sorted(name for name in fresh.keys() | committed.keys() if fresh.get(name) != committed.get(name))


def check_generator() -> None:
    """Leave with a sentence unless the pinned generator is installed: another one writes other bytes."""
    try:
        found = version("grpcio-tools")
    except PackageNotFoundError:
        found = "none"
    if found != GENERATOR:
        sys.exit(f"grpcio-tools {GENERATOR} is needed, {found} is installed: pip install grpcio-tools=={GENERATOR}")


def main() -> None:
    """Generate or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args().check
    check_generator()
    with tempfile.TemporaryDirectory() as scratch:
        generate(Path(scratch))
        fresh = stubs(Path(scratch))
        different = stale(fresh, stubs(ROOT))
        if check and different:
            sys.exit(f"Stale stubs: {', '.join(different)}. Run: python packaging/gen_wire.py")
        for name in () if check else different:
            if name in fresh:
                shutil.copyfile(Path(scratch) / WIRE / name, ROOT / WIRE / name)
            else:
                (ROOT / WIRE / name).unlink()


if __name__ == "__main__":
    main()
