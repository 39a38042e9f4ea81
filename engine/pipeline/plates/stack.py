"""Frames on one pixel grid, on disk, read in strips: what a median over time needs, in bounded memory."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import EngineError
from engine.values import Array, Mask, Plate

_STRIP_BYTES = 64 << 20
"""Of one strip's float32 values; its arithmetic takes about six times as much (`tests/bench/plates.py` measures it)."""

_HALO = 2
"""Rows that a strip sees beyond those it answers for: two 3 x 3 neighbourhoods."""

_HALF_MAX = 65504.0
"""Largest finite half (IEEE 754 binary16). Footage is stored in halves; a brighter value is held at it."""


@dataclass(frozen=True)
class Strip:
    """Some rows of every frame.

    Attributes:
        values: ``(N, h, W, 3)``, 0 where invalid.
        valid: ``(N, h, W)``.
        rows: rows of the picture that it answers for.
        inner: the same rows, within the strip.
    """

    values: Array
    valid: Mask
    rows: slice
    inner: slice


class Stack:
    """Up to ``capacity`` frames of one size, as halves in a folder: 6 bytes a pixel and frame, and 1 for validity.

    Args:
        folder: where its two files go.
        capacity: frames.
        size: ``(H, W)``.

    Raises:
        EngineError: LIMIT_EXCEEDED, the disk is too small.
    """

    def __init__(self, folder: Path, capacity: int, size: tuple[int, int]) -> None:
        need, free = capacity * size[0] * size[1] * 7, shutil.disk_usage(folder).free
        if need > free:
            raise EngineError(
                "LIMIT_EXCEEDED",
                f"{capacity} frames need {need / 2**30:.1f} GiB in the temporary folder, which has {free / 2**30:.1f}.",
                "Name fewer frames, or start the engine with TMPDIR set to a larger disk.",
                need=need,
                free=free,
            )
        self._values = np.memmap(folder / "values", np.float16, "w+", shape=(capacity, *size, 3))
        self._valid = np.memmap(folder / "valid", np.bool_, "w+", shape=(capacity, *size))
        self.count = 0
        self.size = size

    def add(self, plate: Plate) -> None:
        """Append a frame on the grid."""
        self.replace(self.count, plate)
        self.count += 1

    def replace(self, index: int, plate: Plate) -> None:
        """Put another version of a frame in its place."""
        self._values[index] = np.clip(plate.rgb, -_HALF_MAX, _HALF_MAX)
        self._valid[index] = plate.valid

    def strips(self) -> Iterator[Strip]:
        """All rows, top to bottom."""
        height, width = self.size
        step = max(1, _STRIP_BYTES // (self.count * width * 12))
        for top in range(0, height, step):
            bottom = min(top + step, height)
            first, last = max(top - _HALO, 0), min(bottom + _HALO, height)
            values = np.asarray(self._values[: self.count, first:last], np.float32)
            valid = np.asarray(self._valid[: self.count, first:last])
            yield Strip(values, valid, slice(top, bottom), slice(top - first, bottom - first))
