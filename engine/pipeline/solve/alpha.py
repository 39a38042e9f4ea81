"""Alpha: what the network says, what physics demands, and what the artist wants."""

from __future__ import annotations

import cv2
import numpy as np

from engine.settings import Knobs
from engine.values import Array, Matte, Plate

# Standard deviations of grain that a difference must exceed before it counts as physics and not noise: one false pixel
# in about 740 for a normal distribution.
GRAIN_SLACK = 3.0

# A background this many standard deviations above black supports the lower bound.
_BOUND_SUPPORT = 12.0

# The lower bound acts within this many px of what the network holds for subject: it completes hair, no more.
_BOUND_REACH = 24


def graded_alpha(
    frame: Array, plate: Plate, ratio: Array, matte: Matte, noise: Array, knobs: Knobs, core: Array
) -> Array:
    """Alpha ``(H, W)`` 0..1 before garbage and mix: the network's, raised to the lower bound, graded, then core."""
    alpha = np.maximum(matte.alpha, lower_bound(frame, plate, ratio, matte.alpha, noise))
    span = max(knobs.white_point - knobs.black_point, 1e-6)
    alpha = np.clip((alpha - knobs.black_point) / span, 0, 1)
    return np.asarray(np.maximum(shift_edge(alpha, knobs.edge_shift), core), np.float32)


def lower_bound(frame: Array, plate: Plate, ratio: Array, alpha: Array, noise: Array) -> Array:
    """Smallest alpha that leaves no negative light: ``a >= max_c(1 - I_c / (s B_c))`` (F >= 0).

    The bound is physics only where the background is known. So background and shadow are taken at their darkest within
    a pixel (registration); the frame with `GRAIN_SLACK`, or as its mean over 3x3 with a third of that; channels near
    black do not count; and it acts only near what the network already holds for subject, where s is continued from the
    surroundings and not read off the pixel.

    Returns:
        ``(H, W)`` 0..1, 0 where it says nothing.
    """
    around = np.ones((3, 3), np.uint8)
    behind = cv2.erode(ratio, around) * cv2.erode(plate.rgb, around)
    known = (behind > _BOUND_SUPPORT * noise) & plate.valid[..., None]
    seen = np.minimum(frame + GRAIN_SLACK * noise, cv2.blur(frame, (3, 3)) + GRAIN_SLACK / 3 * noise)
    bound = np.where(known, 1 - seen / np.maximum(behind, 1e-6), 0)
    near = cv2.GaussianBlur((alpha > 0.5).astype(np.float32), (0, 0), _BOUND_REACH / 2)
    return np.asarray(np.clip(bound.max(2), 0, 1) * np.clip(near * 8, 0, 1), np.float32)


def shift_edge(alpha: Array, pixels: float) -> Array:
    """Grow (above 0) or shrink the matte by a number of px, fractions by interpolation of grey dilations."""
    if pixels == 0:
        return alpha
    operate = cv2.dilate if pixels > 0 else cv2.erode
    whole, part = divmod(abs(pixels), 1)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * int(whole) + 1,) * 2)
    inner = operate(alpha, disk) if whole else alpha
    outer = operate(inner, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)))
    return np.asarray(inner + (outer - inner) * np.float32(part), np.float32)
