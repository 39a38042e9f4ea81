"""Colour configurations: built-in ones by URI, an artist's by its bytes. None of them sees this machine.

OpenColorIO finds LUT files on disk, takes values from the environment and keeps every LUT it read under its path for
the life of the process. Here a configuration is given its files from memory only, under a folder named by their hash,
and an environment of its own defaults, so that the same request means the same colours on every engine.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import PyOpenColorIO

from engine.errors import EngineError
from engine.settings import Source

SHIPPED = "platekey://studio"
"""URI of the configuration that comes with PlateKey; see ocio_configs/README.md."""

_SHIPPED_FILE = "platekey_v1.ocio"
_ARCHIVE_MAGIC = b"PK\x03\x04"
_MAX_UNPACKED = 1 << 30
"""Bytes of an unpacked .ocioz; the largest ACES 1.2 configuration has about a quarter of it."""

_KEPT = 2
"""Artists' configurations kept with their files, 2 GiB at most: that of the show and of one more on the same engine."""


class _Files(PyOpenColorIO.PyConfigIOProxy):
    """A configuration and its LUTs in memory, as OpenColorIO asks for them."""

    def __init__(self, root: str, files: dict[str, bytes]) -> None:
        super().__init__()
        self._root = root
        self._files = files
        self._text = files["config.ocio"].decode()

    def getConfigData(self) -> str:  # noqa: N802 (OpenColorIO's name)
        return self._text

    def getLutData(self, path: str) -> bytearray:  # noqa: N802
        return bytearray(self._files[self._locate(path)])

    def getFastLutFileHash(self, path: str) -> str:  # noqa: N802
        return posixpath.join(self._root, self._locate(path))

    def _locate(self, path: str) -> str:
        """Raise for a file that did not come with the configuration; OpenColorIO would look on disk otherwise."""
        inside = posixpath.relpath(posixpath.normpath(path.replace("\\", "/")), self._root)
        if inside not in self._files:
            raise FileNotFoundError(posixpath.basename(path))
        return inside


@dataclass(frozen=True, eq=False)
class ColourConfig:
    """A loaded configuration.

    Attributes:
        name: URI or file name, for errors.
        ocio: OpenColorIO's configuration.
        context: what its variables stand for: its own defaults.
        files: its files; OpenColorIO does not keep the object alive.
    """

    name: str
    ocio: PyOpenColorIO.Config
    context: PyOpenColorIO.Context
    files: _Files | None = None


@dataclass(frozen=True)
class _Content:
    """A file known by its hash alone."""

    sha256: str
    source: Source = field(compare=False)


def load_config(config: str | Source) -> ColourConfig:
    """Load a configuration, or return it as it was loaded before.

    Args:
        config: ``ocio://...``, `SHIPPED`, or a file: the text of an .ocio or the archive that an .ocioz is.

    Raises:
        EngineError: ``COLOR_UNKNOWN`` where there is no such built-in one or the file cannot be loaded.
    """
    return _load_builtin(config) if isinstance(config, str) else _load_file(_Content(config.sha256, config))


@lru_cache(maxsize=16)
def _load_builtin(uri: str) -> ColourConfig:
    if uri == SHIPPED:
        data = _shipped_path().read_bytes()
        return _load_file(_Content(sha256(data).hexdigest(), Source(SHIPPED, "", data)))
    if not uri.startswith("ocio://"):
        raise _unloadable(uri, "there is no such built-in configuration")
    try:
        return _isolate(uri, PyOpenColorIO.Config.CreateFromBuiltinConfig(uri))
    except PyOpenColorIO.Exception as error:
        raise _unloadable(uri, str(error)) from error


@lru_cache(maxsize=_KEPT)
def _load_file(content: _Content) -> ColourConfig:
    # Or the LUTs of every configuration there ever was would stay, as OpenColorIO parsed them.
    PyOpenColorIO.ClearAllCaches()
    source = content.source
    try:
        files = _Files(content.sha256, _unpack(source))
        ocio = PyOpenColorIO.Config.CreateFromConfigIOProxy(files)
    except (PyOpenColorIO.Exception, zipfile.BadZipFile, zlib.error, UnicodeDecodeError, KeyError) as error:
        raise _unloadable(source.name, str(error)) from error
    ocio.setWorkingDir(content.sha256)
    return _isolate(source.name, ocio, files)


def _unpack(source: Source) -> dict[str, bytes]:
    if not source.data.startswith(_ARCHIVE_MAGIC):
        return {"config.ocio": source.data}
    with zipfile.ZipFile(BytesIO(source.data)) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        size = sum(member.file_size for member in members)
        if size > _MAX_UNPACKED:
            raise EngineError(
                "LIMIT_EXCEEDED",
                f"The colour configuration '{source.name}' unpacks to {size} bytes.",
                f"Leave out LUTs that are not needed; {_MAX_UNPACKED} bytes are the most.",
            )
        return {posixpath.normpath(member.filename.replace("\\", "/")): archive.read(member) for member in members}


def _isolate(name: str, ocio: PyOpenColorIO.Config, files: _Files | None = None) -> ColourConfig:
    """Cut a configuration off this process's environment, which OpenColorIO has read into it."""
    # It overrides the accuracy that is asked for, and stops every conversion where it is malformed.
    PyOpenColorIO.UnsetEnvVariable(PyOpenColorIO.OCIO_OPTIMIZATION_FLAGS_ENVVAR)
    context = deepcopy(ocio.getCurrentContext())
    context.clearStringVars()
    for variable in ocio.getEnvironmentVarNames():
        context[variable] = ocio.getEnvironmentVarDefault(variable)
    return ColourConfig(name, ocio, context, files)


def _shipped_path() -> Path:
    """Beside this file where it is installed, in ocio_configs/ in a checkout."""
    installed = Path(__file__).with_name(_SHIPPED_FILE)
    return installed if installed.exists() else Path(__file__).parents[3] / "ocio_configs" / _SHIPPED_FILE


def _unloadable(name: str, problem: str) -> EngineError:
    known = (f"ocio://{entry[0]}" for entry in PyOpenColorIO.BuiltinConfigRegistry().getBuiltinConfigs())
    return EngineError(
        "COLOR_UNKNOWN",
        f"The colour configuration '{name}' cannot be loaded: {' '.join(problem.split()).rstrip('.')}.",
        f"Use {SHIPPED} or another built-in one, or send an .ocio file, or an .ocioz archive where it needs LUT files.",
        builtin=", ".join([SHIPPED, *known]),
    )
