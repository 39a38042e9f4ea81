"""Numbered files as VFX people write them: ``plate.####.exr``, ``plate.%04d.exr``, a folder, or one file."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import fileseq
from fileseq.exceptions import FileSeqException, MaxSizeException

from host_bridge.errors import BridgeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_IMAGE_ENDINGS = frozenset({".exr", ".png", ".tif", ".tiff", ".dpx", ".jpg", ".jpeg"})
"""Formats that the engine reads; in a folder, other files are passed over."""

_DEFAULT_STILL_FRAME = 1
"""Number of a still whose name holds none."""


@dataclass(frozen=True)
class Clip:
    """Image files by frame number.

    Attributes:
        name: the pattern or file, as the artist knows it.
        paths: absolute path by frame number, ascending; what was found on disk.
        still: one file, which stands for every frame where it is used as plate or matte.
        stated: frames that the pattern itself names (``plate.1-9####.exr``), else empty.
    """

    name: str
    paths: dict[int, Path]
    still: bool = False
    stated: tuple[int, ...] = ()

    @property
    def first(self) -> int:
        """Number of the first frame on disk."""
        return next(iter(self.paths))

    @property
    def last(self) -> int:
        """Number of the last frame on disk."""
        return next(reversed(self.paths))

    @property
    def ending(self) -> str:
        """File ending in lower case, with its dot."""
        return self.paths[self.first].suffix.lower()

    def path(self, frame: int) -> Path:
        """File of a frame; a still is every frame's."""
        return self.paths[self.first] if self.still else self.paths[frame]

    def require(
        self,
        frames: Iterable[int],
        what: str,
        next_step: str = "Supply these files, or leave their frames out.",
    ) -> None:
        """Make sure that every one of these frames is on disk.

        Args:
            frames: frame numbers.
            what: the clip's part in the job, for the message: "frames", "garbage matte" ...
            next_step: what the artist does where one is missing.

        Raises:
            BridgeError: ``FILE_MISSING`` with the missing numbers.
        """
        missing = [] if self.still else sorted(set(frames) - self.paths.keys())
        if missing:
            numbers = fileseq.framesToFrameRange(missing)
            raise BridgeError(
                "FILE_MISSING",
                f"{self.name} ({what}): missing {numbers}.",
                next_step,
                frames=numbers,
            )


def parse_range(text: str) -> tuple[int, ...]:
    """Frame numbers of ``1001-1100x2``, in the order written.

    Raises:
        BridgeError: ``BAD_REQUEST``.
    """
    try:
        frames = tuple(fileseq.FrameSet(text))
    except (FileSeqException, MaxSizeException) as error:
        raise _no_range(text) from error
    if not frames or any(frame != int(frame) for frame in frames):
        raise _no_range(text)
    return tuple(map(int, frames))


def spread(numbers: Sequence[int], most: int) -> tuple[int, ...]:
    """At most so many of the numbers, evenly spread, first and last among them."""
    if len(numbers) <= most:
        return tuple(numbers)
    return tuple(numbers[round(index * (len(numbers) - 1) / (most - 1))] for index in range(most))


def open_clip(text: str) -> Clip:
    """Find what a path, pattern or folder names on disk.

    Raises:
        BridgeError: ``FILE_MISSING`` where there is nothing, ``BAD_REQUEST`` where a folder holds several sequences.
    """
    path = Path(text).expanduser().absolute()
    if path.is_file():
        return _still(path)
    if path.is_dir():
        return _numbered(_pattern_in(path))
    return _numbered(path)


def frame_namer(text: str) -> fileseq.FileSequence:
    """A pattern that gives file names by ``.frame(number)``; ``#`` stands for one digit, as in Nuke."""
    return fileseq.FileSequence(os.fspath(text), pad_style=fileseq.PAD_STYLE_HASH1)


def _no_range(text: str) -> BridgeError:
    return BridgeError(
        "BAD_REQUEST", f"'{text}' is no range of whole frames.", "Write it like 1001-1100 or 1001-1100x2."
    )


def _still(path: Path) -> Clip:
    numbers = frame_namer(path.name).frameSet()
    frame = int(numbers[0]) if numbers else _DEFAULT_STILL_FRAME
    return Clip(path.name, {frame: path}, still=True)


def _pattern_in(folder: Path) -> Path:
    names = [name for name in os.listdir(folder) if Path(name).suffix.lower() in _IMAGE_ENDINGS]
    found = fileseq.findSequencesInList(names, pad_style=fileseq.PAD_STYLE_HASH1)
    numbered = [sequence for sequence in found if sequence.frameSet()]
    if len(numbered) == 1:
        return folder / _pattern(numbered[0])
    if not numbered:
        raise BridgeError("FILE_MISSING", f"{folder} holds no image sequence.", "Name a file or a pattern.")
    listed = ", ".join(sorted(f"{_pattern(sequence)} ({sequence.frameSet()})" for sequence in numbered))
    raise BridgeError("BAD_REQUEST", f"{folder} holds several sequences: {listed}.", "Name one by its pattern.")


def _pattern(sequence: fileseq.FileSequence) -> str:
    return f"{sequence.basename()}{sequence.padding()}{sequence.extension()}"


def _numbered(path: Path) -> Clip:
    """The files of a pattern; listed by name, since a glob would trip over brackets in a path."""
    namer = frame_namer(path.name)
    if not namer.padding():
        raise BridgeError("FILE_MISSING", f"{path} does not exist.", "Check the path.")
    digits = re.compile(re.escape(namer.basename()) + r"(-?\d+)" + re.escape(namer.extension()))
    try:
        matches = [digits.fullmatch(name) for name in os.listdir(path.parent)]
    except OSError as error:
        raise BridgeError("FILE_MISSING", f"{path.parent}: {error.strerror}.", "Check the path.") from error
    numbers = sorted(int(match[1]) for match in matches if match and namer.frame(int(match[1])) == match[0])
    if not numbers:
        raise BridgeError("FILE_MISSING", f"No file matches {path}.", "Check the name and the number of digits.")
    stated = tuple(int(frame) for frame in namer.frameSet() or ())
    return Clip(path.name, {number: path.parent / namer.frame(number) for number in numbers}, stated=stated)
