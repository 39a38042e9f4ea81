"""A clip and its clean plate on this machine's disk, for the command line; over the wire the side-car finds them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import fileseq

from engine.errors import EngineError

_STILL = re.compile(r"[^#@%]*\Z")


@dataclass(frozen=True)
class Footage:
    """Files by frame number.

    Attributes:
        numbers: frames to use.
        frames: the clip.
        plates: a plate a frame; empty where one file stands behind all.
        plate: that file.
        space: colour space of all.
    """

    numbers: tuple[int, ...]
    frames: Mapping[int, Path]
    plates: Mapping[int, Path]
    plate: Path | None
    space: str

    def plate_of(self, number: int) -> Path:
        """The plate behind a frame.

        Raises:
            EngineError: FILE_MISSING.
        """
        if self.plate is not None:
            return self.plate
        if number not in self.plates:
            step = "Render it, or name one file for all frames."
            raise EngineError("FILE_MISSING", f"The clean plate has no frame {number}.", step)
        return self.plates[number]

    def stamps(self) -> list[bytes]:
        """What says that a file is another than before: name, size and time."""
        paths = [*(self.frames[number] for number in self.numbers), *map(self.plate_of, self.numbers)]
        return [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}".encode() for path in paths] + [
            self.space.encode()
        ]


def find_footage(shot: str, clean_plate: str, frames: str, space: str) -> Footage:
    """Find the files.

    Args:
        shot: pattern like ``frame.####.exr``, or a folder of one sequence.
        clean_plate: file, pattern, or number of a frame of the clip.
        frames: ``1001-1100x10``; empty for all.
        space: colour space; may be empty for EXR.

    Raises:
        EngineError: FILE_MISSING; BAD_REQUEST.
    """
    clip = _sequence(shot)
    numbers = tuple(sorted(set(_range(frames)) if frames else clip.keys()))
    if missing := [number for number in numbers if number not in clip]:
        raise EngineError("FILE_MISSING", f"{shot} has no frame {missing[0]}.", "Correct --frames.")
    plates, plate = _plates(clean_plate, clip)
    files = [clip[number] for number in numbers] + [plate or next(iter(plates.values()))]
    if not space and any(path.suffix.lower() != ".exr" for path in files):
        step = "Add --colorspace with a name of the configuration."
        raise EngineError("BAD_REQUEST", "Only an EXR's colour space is known.", step)
    footage = Footage(numbers, clip, plates, plate, space or "scene_linear")
    for number in numbers:
        footage.plate_of(number)
    return footage


def _plates(text: str, clip: Mapping[int, Path]) -> tuple[Mapping[int, Path], Path | None]:
    if re.fullmatch(r"-?\d+", text):
        if int(text) not in clip:
            raise EngineError("FILE_MISSING", f"The clip has no frame {text} to be the clean plate.", "Name another.")
        return {}, clip[int(text)]
    path = Path(text).expanduser()
    if _STILL.match(text) and not path.is_dir():
        if not path.is_file():
            raise EngineError("FILE_MISSING", f"There is no clean plate {path}.", "Correct --clean-plate.")
        return {}, path
    return _sequence(text), None


def _sequence(text: str) -> dict[int, Path]:
    """Number -> file."""
    path = Path(text).expanduser()
    found = list(_found(path))
    if len(found) != 1:
        what = "no sequence" if not found else f"{len(found)} sequences"
        step = "Name one by its pattern, like frame.####.exr."
        raise EngineError("FILE_MISSING", f"{text} holds {what}.", step)
    return found[0]


def _found(path: Path) -> Iterator[dict[int, Path]]:
    pattern = str(path)
    try:
        if path.is_dir():
            sequences = fileseq.findSequencesOnDisk(pattern)
        elif _STILL.match(pattern):
            raise EngineError("BAD_REQUEST", f"{path} is one file, and a clip has several.", "Name its pattern.")
        else:
            sequences = [fileseq.findSequenceOnDisk(pattern)]
    except (OSError, fileseq.FileSeqException) as error:
        raise EngineError("FILE_MISSING", f"There are no files {path}.", "Correct the pattern.") from error
    for sequence in sequences:
        if sequence.frameSet() is not None:
            yield {int(number): Path(sequence.frame(number)) for number in sequence.frameSet()}


def _range(text: str) -> Iterator[int]:
    try:
        return iter([int(number) for number in fileseq.FrameSet(text)])
    except (fileseq.FileSeqException, ValueError) as error:
        raise EngineError("BAD_REQUEST", f"'{text}' is no range of frames.", "Write it like 1001-1100x10.") from error
