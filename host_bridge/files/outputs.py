"""Final files: written beside their place, checked, renamed, and remembered as ours.

A delivered file ``out.1001.exr`` has a record ``.platekey/out.1001.exr.json`` beside it: the key it was made for, its
hash, length and time stamp. One record a frame, so that farm machines rendering parts of one shot into one folder never
write the same file.
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from host_bridge.errors import BridgeError
from host_bridge.files.content import sha256_of
from host_bridge.files.home import read_json, write_json
from host_bridge.files.partfile import PartFile, unwritable
from host_bridge.files.sequence import frame_namer

if TYPE_CHECKING:
    from collections.abc import Iterable

_RECORDS = ".platekey"

_ABANDONED_SECONDS = 3600.0
"""Age at which a part file belongs to no running process: no frame is written for an hour."""


class Outputs:
    """The delivered files of one pattern.

    Args:
        pattern: where the files go, ``out.####.exr``; a plain file name where there is one frame.
        frames: numbers to be delivered.
        inputs: files of the job, none of which may be written over.
        overwrite: replace files that PlateKey did not write.

    Raises:
        BridgeError: ``BAD_REQUEST`` for an impossible pattern, ``OUTPUT_NOT_WRITABLE`` for the folder,
            ``OUTPUT_EXISTS`` for files of somebody else's.
    """

    def __init__(self, pattern: str, frames: tuple[int, ...], inputs: set[Path], overwrite: bool) -> None:
        path = Path(pattern).expanduser().absolute()
        namer = frame_namer(path.name)
        if path.suffix.lower() != ".exr":
            raise BridgeError("BAD_REQUEST", f"{path.name}: results are EXR files.", "Name them like out.####.exr.")
        if len(frames) > 1 and not namer.padding():
            raise BridgeError(
                "BAD_REQUEST", f"{path.name} is one name for {len(frames)} frames.", "Name them like out.####.exr."
            )
        named = {frame: namer.frame(frame) if namer.padding() else path.name for frame in frames}
        self._folder = path.parent
        self.paths: dict[int, Path] = {frame: self._folder / name for frame, name in named.items()}
        if clash := inputs & set(self.paths.values()):
            raise BridgeError("BAD_REQUEST", f"{min(clash)} is an input of this job.", "Choose another output.")
        self._records = self._prepare()
        if not overwrite:
            self._refuse_strangers()

    def is_fresh(self, frame: int, key: str) -> bool:
        """Whether the delivered file was made for this key and nobody has changed it."""
        record = self._record(frame)
        if record is None or record.get("key") != key:
            return False
        path = self.paths[frame]
        stamp = _stamp(path)
        if stamp is None or stamp[0] != record["size"]:
            return False
        return stamp[1] == record["mtime_ns"] or sha256_of(path) == record["sha256"]

    def withdraw(self, frame: int) -> bool:
        """Take a delivered file from its final name, where it is ours as it is now; false where there is none.

        Raises:
            BridgeError: ``OUTPUT_NOT_WRITABLE`` where it cannot be removed.
        """
        path = self.paths[frame]
        try:
            if not path.exists() or not self._is_ours(frame):
                return False
            path.unlink()
            self._record_path(frame).unlink()
        except OSError as error:
            raise unwritable(path, error) from error
        return True

    def begin(self, frame: int) -> PartFile:
        """Start a frame's file under a temporary name.

        Raises:
            BridgeError: ``OUTPUT_NOT_WRITABLE``.
        """
        return PartFile(self._records / f"{self.paths[frame].name}.{secrets.token_hex(4)}.part", self.paths[frame])

    def deliver(self, frame: int, part: PartFile, key: str) -> Path:
        """Give a complete part its final name.

        The record is on disk first and names both the new and the old content, so that a crash between the two steps
        leaves a file that is still known as ours.

        Raises:
            BridgeError: ``OUTPUT_NOT_WRITABLE``; the part is gone then.
        """
        path = self.paths[frame]
        previous = self._record(frame)
        record = {"key": key, **part.facts(), "replaces": previous["sha256"] if previous else ""}
        try:
            write_json(self._record_path(frame), record)
            _sync_folder(self._records)
            part.path.replace(path)
            _sync_folder(self._folder)
        except OSError as error:
            part.discard()
            raise unwritable(path, error) from error
        return path

    def _prepare(self) -> Path:
        """Make the folder of records, which also shows that the output folder takes files; sweep what a crash left."""
        if not self._folder.is_dir():
            raise BridgeError(
                "OUTPUT_NOT_WRITABLE", f"The output folder {self._folder} does not exist.", "Make it, or correct -o."
            )
        records = self._folder / _RECORDS
        probe = records / f"{secrets.token_hex(4)}.part"
        try:
            records.mkdir(exist_ok=True)
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise unwritable(self._folder, error) from error
        for left in records.glob("*.part"):
            stamp = _stamp(left)
            if stamp and time.time() - stamp[1] / 1e9 > _ABANDONED_SECONDS:
                left.unlink(missing_ok=True)
        return records

    def _refuse_strangers(self) -> None:
        strangers = [path for frame, path in self.paths.items() if path.exists() and not self._is_ours(frame)]
        if strangers:
            raise BridgeError(
                "OUTPUT_EXISTS",
                f"{_listed(strangers)} exists, and PlateKey did not write it as it is now.",
                "Choose another output, or move that file away; --overwrite replaces it.",
                count=len(strangers),
            )

    def _is_ours(self, frame: int) -> bool:
        record = self._record(frame)
        if record is None:
            return False
        path = self.paths[frame]
        return _stamp(path) == (record["size"], record["mtime_ns"]) or sha256_of(path) in {
            record["sha256"],
            record["replaces"],
        }

    def _record(self, frame: int) -> dict | None:
        return read_json(self._record_path(frame))

    def _record_path(self, frame: int) -> Path:
        return self._records / f"{self.paths[frame].name}.json"


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def _listed(paths: Iterable[Path]) -> str:
    first, *rest = sorted(map(str, paths))
    return f"{first} and {len(rest)} more" if rest else first


def _sync_folder(folder: Path) -> None:
    """Make the rename survive a power cut; Windows has no such call."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
