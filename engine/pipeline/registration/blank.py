"""What is wrong with a plate whatever it is to be used for: it is black, or its light is cut off."""

from __future__ import annotations

import cv2
import numpy as np

from engine.values import Array

_BLACK = 0.002
"""Linear; 6.5 stops under mid grey. A plate whose brightest percent is below it holds no picture."""

_NEAR_TOP = 0.985
"""Of the largest value; coded tones near an integer file's ceiling are rare (as in the exposure fit)."""

_FAR_ABOVE = 4.0
"""Times the median, from which a plateau is one of highlights rather than a wall of one tone."""


def is_black(plate: Array) -> bool:
    """Whether ``(H, W, 3)`` linear light holds no picture."""
    return float(np.percentile(plate.max(2)[::2, ::2], 99)) < _BLACK


def clipped_share(plate: Array) -> float:
    """Share of the pixels that stand at a ceiling: at the largest value, exactly like all pixels around, without grain.

    Args:
        plate: ``(H, W, 3)`` linear, as read.
    """
    top = plate.max((0, 1))
    around = np.ones((3, 3), np.uint8)
    level = (cv2.dilate(plate, around) == cv2.erode(plate, around)) & (plate >= _NEAR_TOP * top)
    integer = (top >= 0.95) & (top <= 1.0 + 1e-3)
    ceiling = (integer | (top > _FAR_ABOVE * np.median(plate, (0, 1)))) & (top > 0)
    return float((level & ceiling).any(2).mean())
