"""The pieces a frame is solved in: strips of rows that fit a processor's cache, plane by plane, on several cores.

The strips do not depend on the number of threads, and none reads what another writes: the pixels are always the same.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from engine.values import Array, Mask

_SAMPLES = 1 << 16
"""Pixels of a strip: an image of three channels takes 0.8 MB, so that a formula's terms stay in the cache."""

_THREADS = 8
"""At most: each holds a strip's terms, some 20 MB, and between two of NumPy's calls only one of them runs."""


@dataclass(frozen=True)
class Strip:
    """Rows as slices: those that are solved, those that are seen, and the first within the second."""

    keep: slice
    see: slice
    inner: slice


def in_strips(size: tuple[int, ...], solve: Callable[[Strip], None], margin: int = 0) -> None:
    """Call a function for every strip of a picture, on threads, where OpenCV may use some.

    Args:
        size: ``(height, width)`` and what may follow.
        solve: writes the rows that a strip keeps, and no others.
        margin: rows that a strip sees above and below, where the picture has them.
    """
    height, width = size[:2]
    rows = max(_SAMPLES // max(width, 1), 8)
    strips = [_strip(start, min(start + rows, height), height, margin) for start in range(0, height, rows)]
    with ThreadPoolExecutor(min(max(cv2.getNumThreads(), 1), _THREADS)) as pool:
        for _ in pool.map(solve, strips):
            pass


def _strip(start: int, stop: int, height: int, margin: int) -> Strip:
    first = max(start - margin, 0)
    return Strip(slice(start, stop), slice(first, min(stop + margin, height)), slice(start - first, stop - first))


def planar(values: Array) -> Array:
    """The same ``(H, W, C)``, each channel's plane in one piece in memory.

    NumPy keeps the layout, and then loops over rows where it would loop over three channels: up to 20 times as fast.
    """
    return np.ascontiguousarray(values.transpose(2, 0, 1)).transpose(1, 2, 0)


def planes(height: int, width: int, channels: int = 3) -> Array:
    """Room for ``(H, W, C)``, laid out as `planar` does."""
    return np.empty((channels, height, width), np.float32).transpose(1, 2, 0)


def by_plane(operate: Callable[[Array], Array], values: Array) -> Array:
    """What OpenCV makes of each channel of ``(H, W, C)``, laid out as `planar` does."""
    return np.stack([operate(values[..., channel]) for channel in range(values.shape[2])]).transpose(1, 2, 0)


def box(mask: Mask, margin: int) -> tuple[slice, slice]:
    """Rows and columns that hold a mask, which is somewhere true, with a margin."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return (
        slice(max(int(rows[0]) - margin, 0), int(rows[-1]) + margin + 1),
        slice(max(int(columns[0]) - margin, 0), int(columns[-1]) + margin + 1),
    )
