"""The files of a host, out of the package ``plugin``, which is read here and never imported."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import host_bridge
from host_bridge.errors import BridgeError

if TYPE_CHECKING:
    from host_bridge.install.hosts import Host, Part

_PLUGIN = Path(host_bridge.__file__).parents[1] / "plugin"
"""In a wheel as in a checkout the two packages are neighbours."""

_LEFT_OUT = frozenset({".pyc", ".pyo"})


def payload(host: Host) -> dict[PurePosixPath, bytes]:
    """Content by place in the host's folder.

    Raises:
        BridgeError: ``FILE_MISSING`` where this installation lacks a part.
    """
    found = {part.source: _files(part) for part in host.parts}
    # A folder inside another part's has its own place: the inner one comes later and wins.
    placed = {path: place for source in sorted(found) for place, path in found[source].items()}
    return {place: path.read_bytes() for path, place in sorted(placed.items())}


def _files(part: Part) -> dict[PurePosixPath, Path]:
    source, target = _PLUGIN / part.source, PurePosixPath(part.target)
    if source.is_file():
        return {target: source}
    found = {
        target / path.relative_to(source).as_posix(): path
        for path in source.rglob("*")
        if path.is_file() and path.suffix not in _LEFT_OUT
    }
    if not found:
        raise BridgeError(
            "FILE_MISSING", f"This installation of PlateKey lacks {part.source}.", "Install platekey again."
        )
    return found
