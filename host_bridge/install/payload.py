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


def payload(host: Host) -> dict[PurePosixPath, bytes]:
    """Content by place in the host's folder.

    Raises:
        BridgeError: ``FILE_MISSING`` where this installation lacks a part.
    """
    found = {part.source: _files(part) for part in host.parts}
    # A folder inside another part's has its own place: the inner one comes later and wins.
    placed = {path: place for source in sorted(found) for path, place in found[source].items()}
    sources = {place: path for path, place in placed.items() if place}
    return {place: sources[place].read_bytes() for place in sorted(sources)}


def _files(part: Part) -> dict[Path, PurePosixPath | None]:
    """Place by file; None for a file that is left out."""
    source, target = _PLUGIN / part.source, PurePosixPath(part.target)
    if source.is_file():
        return {source: target}
    found = {
        path: target / path.relative_to(source).as_posix() if part.target else None
        for path in source.rglob("*")
        if path.is_file() and not _is_leftover(path.relative_to(source))
    }
    if not found:
        raise BridgeError(
            "FILE_MISSING", f"This installation of PlateKey lacks {part.source}.", "Install platekey again."
        )
    return found


def _is_leftover(path: Path) -> bool:
    """What Python and development tools leave beside sources."""
    return path.suffix == ".pyc" or any(part.startswith(".") for part in path.parts)
