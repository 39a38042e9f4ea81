"""Frame numbers and the files of a sequence, as people write them."""

from __future__ import annotations

import re
from typing import Iterable, List, Tuple

_PADDING = re.compile(r"#+|%0?(\d*)d")
"""``####`` or ``%04d``: the two spellings that the side-car reads and hosts write."""


def compact(frames: Iterable[int]) -> str:
    """``1001-1003,1007``: the numbers, each once, ascending, runs joined. The side-car reads the same."""
    return ",".join(str(first) if first == last else "{}-{}".format(first, last) for first, last in _runs(frames))


def frame_file(pattern: str, frame: int) -> str:
    """The file of a frame: ``key.0007.exr`` of ``key.####.exr``; the pattern itself where it holds no number.

    Only the last padding in the file's name counts; folders keep theirs.
    """
    found = list(_PADDING.finditer(pattern))
    if not found:
        return pattern
    last = found[-1]
    width = len(last.group()) if last.group().startswith("#") else int(last.group(1) or 1)
    return pattern[: last.start()] + str(frame).zfill(width) + pattern[last.end() :]


def _runs(frames: Iterable[int]) -> List[Tuple[int, int]]:
    runs: List[Tuple[int, int]] = []
    for frame in sorted(set(frames)):
        if runs and frame == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], frame)
        else:
            runs.append((frame, frame))
    return runs


def spread(frames: List[int], most: int) -> List[int]:
    """At most so many of the frames, evenly spread, both ends among them."""
    if len(frames) <= most:
        return frames
    return [frames[round(index * (len(frames) - 1) / (most - 1))] for index in range(most)]
