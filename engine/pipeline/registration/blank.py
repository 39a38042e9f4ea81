"""Plates that show nothing: black, or clipped."""

from __future__ import annotations

import numpy as np

from engine.values import Array

_BLACK = 0.02
"""A plate whose brightest hundredth is darker than this share of the frame's middle holds nothing to subtract."""

_AT_TOP = 0.999
"""Of its largest value, what counts as clipped."""


def is_black(frame: Array, plate: Array) -> bool:
    """Whether a plate ``(h, w, 3)`` is black beside a frame ``(H, W, 3)``, both linear."""
    of_frame, of_plate = (rgb[::4, ::4].mean(2) for rgb in (frame, plate))
    return bool(np.percentile(of_plate, 99) < _BLACK * np.median(of_frame))


def clipped_share(rgb: Array) -> float:
    """Largest share of a channel's samples that lie at its very top; no grain does that."""
    samples = rgb[::2, ::2].reshape(-1, 3)
    top = samples.max(0)
    return float(((samples >= _AT_TOP * top) & (top > 0)).mean(0).max())
