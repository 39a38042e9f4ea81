"""The files of a host, out of the installed package ``plugin``; that package is read here and never imported."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from host_bridge.errors import BridgeError

if TYPE_CHECKING:
    from host_bridge.install.hosts import Host, Part

_LEFT_OUT = frozenset({".pyc", ".pyo"})


def payload(host: Host) -> dict[PurePosixPath, bytes]:
    """Content by place in the host's folder.

    Raises:
        BridgeError: ``FILE_MISSING`` where this installation lacks a part.
    """
    root = _plugin()
    return {place: path.read_bytes() for part in host.parts for place, path in sorted(_files(root, part).items())}


def _plugin() -> Path:
    spec = find_spec("plugin")
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise BridgeError("FILE_MISSING", "This installation of PlateKey has no nodes.", "Install platekey again.")
    return Path(places[0])


def _files(root: Path, part: Part) -> dict[PurePosixPath, Path]:
    source, target = root / part.source, PurePosixPath(part.target)
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
