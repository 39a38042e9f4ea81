"""Blender's colour configuration as one file that an engine can read, wherever it runs."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Dict

import bpy

from ..core.errors import LinkError
from ..core.home import home

_LARGEST = 256 << 20
"""Bytes of a configuration with its tables: ten times Blender's own."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The archive's time stamps, all alike, so that the same configuration is the same bytes."""


def config() -> str:
    """Blender's configuration: a path to an archive, or a built-in's URI.

    It is the one that ``$OCIO`` names, else Blender's own. The archive is OCIO's own, ``config.ocio`` beside its tables
    (https://opencolorio.readthedocs.io/en/latest/releases/ocio_2_2.html); it is made once, in PlateKey's folder, and
    its name tells its content.

    Raises:
        LinkError: the configuration cannot be read, or the archive not be written.
    """
    stated = os.environ.get("OCIO", "")
    if stated.startswith("ocio://") or stated.endswith(".ocioz"):
        return stated
    folder = bpy.utils.system_resource("DATAFILES", path="colormanagement")
    source = Path(stated) if stated else Path(folder) / "config.ocio"
    try:
        return _archived(source, home())
    except OSError as error:
        raise LinkError(
            "FILE_MISSING",
            "Blender's colour configuration {} cannot be archived: {}.".format(source, error),
            "Correct $OCIO, or make PlateKey's folder {} writable.".format(home()),
        ) from error


@lru_cache(maxsize=1)
def _archived(source: Path, place: Path) -> str:
    files = sorted(path for path in source.parent.rglob("*") if path.is_file())
    if sum(path.stat().st_size for path in files) > _LARGEST:
        raise LinkError(
            "LIMIT_EXCEEDED",
            "The folder of the colour configuration {} holds more than {} MiB.".format(source, _LARGEST >> 20),
            "Give the configuration a folder of its own, or archive it with 'ocioarchive'.",
        )
    contents = {"config.ocio" if path == source else _inside(path, source): path.read_bytes() for path in files}
    digest = hashlib.sha256()
    for name, content in contents.items():
        digest.update(name.encode("utf-8") + b"\0" + hashlib.sha256(content).digest())
    archive = place / "color" / "blender-{}.ocioz".format(digest.hexdigest()[:16])
    if not archive.exists():
        archive.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(archive, contents)
    return str(archive)


def _inside(path: Path, source: Path) -> str:
    return path.relative_to(source.parent).as_posix()


def _write(archive: Path, contents: Dict[str, bytes]) -> None:
    descriptor, temporary = tempfile.mkstemp(suffix=".part", dir=str(archive.parent))
    with os.fdopen(descriptor, "wb") as out, zipfile.ZipFile(out, "w") as packed:
        for name, content in contents.items():
            packed.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    os.replace(temporary, str(archive))
