"""What makes two engines the same: their code, and the libraries that touch pixels."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import engine

WIRE = 1
"""Version of the wire, `host_bridge/wire/v1`."""

_LIBRARIES = ("torch", "numpy", "opencv-python-headless", "opencolorio", "OpenImageIO")


def build_hash() -> str:
    """Return 16 hex digits over the engine's Python files, the shipped colour config and the pixel libraries' versions.

    Weights are not in it: their own hash travels with each model.
    """
    digest = hashlib.sha256()
    root = Path(engine.__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    for path in sorted([*root.rglob("*.ocio"), *(root.parent / "ocio_configs").glob("*.ocio")]):
        digest.update(path.read_bytes())
    for library in _LIBRARIES:
        digest.update(f"{library} {_version(library)}\n".encode())
    return digest.hexdigest()[:16]


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "absent"
