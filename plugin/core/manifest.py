"""What a node knows of its results: one small file a frame, beside them.

``.platekey/key.1001.exr.node.json`` says for which state ``key.1001.exr`` was made, and by which engine. One file a
frame, so that two hosts or farm workers on parts of one shot never write the same one.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Callable, Iterable, List, NamedTuple, Optional

from .frames import frame_file

_FOLDER = ".platekey"
"""The side-car keeps its records of the same results there."""


class Entry(NamedTuple):
    """What is known of a frame's result.

    Attributes:
        state: the node's state that it was made for, by `state_hash`.
        file: name of the result.
        size: its bytes.
        engine: version and build of the engine.
        weights: hash of the model's weights.
    """

    state: str
    file: str
    size: int
    engine: str
    weights: str


class Gaps(NamedTuple):
    """Frames that cannot be used: no result, or one of another state."""

    missing: List[int]
    stale: List[int]


class Manifest:
    """The records of one node's results.

    Args:
        pattern: the results' files, ``/cache/key.####.exr``.
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    def file(self, frame: int) -> Path:
        """Where a frame's result lies, or would lie."""
        return Path(frame_file(self._pattern, frame))

    def record(self, frame: int, state: str, engine: str, weights: str) -> None:
        """Remember what a frame's result, which is there, was made for.

        Raises:
            OSError: the result is not there, or the record cannot be written; an earlier one stays then.
        """
        file = self.file(frame)
        entry = Entry(state, file.name, file.stat().st_size, engine, weights)
        place = self._place(frame)
        place.parent.mkdir(exist_ok=True)
        _write(place, json.dumps(entry._asdict(), indent=1))

    def entry(self, frame: int) -> Optional[Entry]:
        """What is known of a frame's result; None where there is none, or the file is not the one remembered."""
        try:
            entry = Entry(**json.loads(self._place(frame).read_text(encoding="utf-8")))
            return entry if self.file(frame).stat().st_size == entry.size else None
        except (OSError, ValueError, TypeError):
            return None

    def missing_or_stale(self, frames: Iterable[int], state_of: Callable[[int], str]) -> Gaps:
        """Frames without a usable result.

        Args:
            frames: numbers that are wanted.
            state_of: the node's state at a frame, now.
        """
        gaps = Gaps([], [])
        for frame in frames:
            entry = self.entry(frame)
            if entry is None:
                gaps.missing.append(frame)
            elif entry.state != state_of(frame):
                gaps.stale.append(frame)
        return gaps

    def _place(self, frame: int) -> Path:
        file = self.file(frame)
        return file.parent / _FOLDER / (file.name + ".node.json")


def _write(path: Path, text: str) -> None:
    """Write under a temporary name and rename, so that a reader finds the old or the new record, whole."""
    descriptor, temporary = tempfile.mkstemp(suffix=".part", prefix=path.name, dir=str(path.parent))
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, str(path))
    except OSError:
        os.unlink(temporary)
        raise
