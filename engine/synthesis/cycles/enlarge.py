"""Enlarging pictures in numpy: Blender's Python has no imaging library."""

from __future__ import annotations

import numpy as np

from engine.values import Array


def enlarged(picture: Array, size: int) -> Array:
    """A square picture ``(N, N, C)`` at another size, linear between pixel centres."""
    for axis in (0, 1):
        count = picture.shape[axis]
        at = np.clip((np.arange(size) + 0.5) * count / size - 0.5, 0, count - 1)
        low = np.minimum(at.astype(np.int64), count - 2)
        share = (at - low).astype(np.float32).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        picture = picture.take(low, axis) * (1 - share) + picture.take(low + 1, axis) * share
    return picture
