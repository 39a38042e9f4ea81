"""A background that moves: of a clip of the empty set, the frame that each pixel's surroundings look most like.

Nothing but what the set itself showed at that place is ever taken, and whole patches at a time, so that a subject of
another colour or another texture stays as different from the plate as it was.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from engine.values import Array, Mask, Photometric, Plate

MOST_IMAGES = 24
"""Images of the set that are compared; 48 bring nothing over 24 (measured on four generated shots before foliage)."""

_PATCH = 5
"""px, height and width of the patches that are compared."""

_WIDE, _WIDE_SHARE = 15, 0.5
"""px; weight of the wider surroundings, which make neighbours choose alike. Measured on eight generated shots: what the
matte errs beyond that of the perfect plate is 18 % of a still plate's; with patches of 3 and 9 px 26 %."""

_FAR = 8.0
"""Deviations beyond which a difference counts no further: the subject's, whose choice then follows its surroundings."""


def choose(frame: Array, images: Iterable[Plate], fit: Photometric) -> Plate:
    """Choose, pixel by pixel, the image that shows the background as the frame does.

    Args:
        frame: ``(H, W, 3)`` linear, with the subject.
        images: of the empty set, on the frame's grid and at its exposure.
        fit: its noise says what a difference is worth.

    Returns:
        The plate, invalid where no image is valid.
    """
    a, b = np.asarray(fit.noise, np.float32).T
    scale = 1 / np.sqrt(a + b * np.maximum(frame, 0) + np.float32(1e-12))
    rgb, valid = np.zeros_like(frame), np.zeros(frame.shape[:2], np.bool_)
    least = np.full(frame.shape[:2], np.inf, np.float32)
    for image in images:
        cost = _cost(frame, image, scale)
        better: Mask = image.valid & (cost < least)
        np.copyto(least, cost, where=better)
        np.copyto(rgb, image.rgb, where=better[..., None])
        valid |= image.valid
    return Plate(rgb, valid)


def _cost(frame: Array, image: Plate, scale: Array) -> Array:
    """``(H, W)``: mean squared difference of the surroundings, in deviations of the grain."""
    apart = np.minimum(np.abs(frame - image.rgb) * scale, _FAR)
    squared = (apart * apart).mean(2)
    near, wide = (cv2.blur(squared, (side, side)) for side in (_PATCH, _WIDE))
    return np.asarray((1 - _WIDE_SHARE) * near + _WIDE_SHARE * wide, np.float32)
