"""Alpha: what the network says, what physics demands, and what the artist wants."""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np

from engine.pipeline.solve.grain import deviation
from engine.pipeline.solve.pieces import Strip, box, by_plane, in_strips, planar
from engine.settings import Knobs
from engine.values import Array, Photometric, Plate

# Standard deviations of grain that a difference must exceed before it counts as physics and not noise: one false pixel
# in about 740 for a normal distribution.
GRAIN_SLACK = 3.0

# A background this many standard deviations above black supports the lower bound.
_BOUND_SUPPORT = 12.0

# The lower bound acts within this many px of what the network holds for subject: it completes hair, no more.
_BOUND_REACH = 24


def graded_alpha(alpha: Array, bound: Array, knobs: Knobs, core: Array) -> Array:
    """Alpha ``(H, W)`` 0..1 before garbage and mix: the network's, raised to the lower bound, graded, then core."""
    alpha = np.maximum(alpha, bound)
    span = max(knobs.white_point - knobs.black_point, 1e-6)
    alpha = np.clip((alpha - knobs.black_point) / span, 0, 1)
    return np.asarray(np.maximum(shift_edge(alpha, knobs.edge_shift), core), np.float32)


def lower_bound(frame: Array, plate: Plate, ratio: Array, alpha: Array, fit: Photometric) -> Array:
    """Smallest alpha that leaves no negative light: ``a >= max_c(1 - I_c / (s B_c))`` (F >= 0).

    The bound is physics only where the background is known. So background and shadow are taken at their darkest within
    a pixel (registration); the frame with `GRAIN_SLACK`, or as its mean over 3x3 with a third of that; channels near
    black do not count; and it acts only near what the network already holds for subject, where s is continued from the
    surroundings and not read off the pixel.

    Args:
        frame: I, ``(H, W, 3)`` linear.
        plate: B.
        ratio: s, ``(H, W, 3)`` or ``(H, W, 1)``.
        alpha: the network's, ``(H, W)``.
        fit: the noise of ``frame - plate``.

    Returns:
        ``(H, W)`` 0..1, 0 where it says nothing.
    """
    bound, subject = np.zeros_like(alpha), alpha > 0.5
    if not subject.any():
        return bound
    # Beyond twice the reach, which is four of the Gaussian's deviations, it is exactly 0.
    around = box(subject, 4 * _BOUND_REACH)
    near = cv2.GaussianBlur(subject[around].astype(np.float32), (0, 0), _BOUND_REACH / 2)
    seen, behind, acts = frame[around], Plate(plate.rgb[around], plate.valid[around]), bound[around]

    def solve(strip: Strip) -> None:
        least = _least(seen[strip.see], behind.rgb[strip.see], ratio[around][strip.see], fit)[strip.inner]
        known = np.where(behind.valid[strip.keep], least, 0)
        acts[strip.keep] = np.clip(known, 0, 1) * np.clip(near[strip.keep] * 8, 0, 1)

    in_strips(near.shape, solve, margin=1)
    return bound


def _least(frame: Array, plate: Array, ratio: Array, fit: Photometric) -> Array:
    """``max_c(1 - I_c / (s B_c))``, ``(H, W)``, with slack; at least 0. See `lower_bound`."""
    frame = planar(frame)
    noise = deviation(frame, fit)
    darkest = partial(cv2.erode, kernel=np.ones((3, 3), np.uint8))
    behind = by_plane(darkest, ratio) * by_plane(darkest, plate)
    mean = by_plane(partial(cv2.blur, ksize=(3, 3)), frame)
    light = np.minimum(frame + GRAIN_SLACK * noise, mean + GRAIN_SLACK / 3 * noise)
    known = behind > _BOUND_SUPPORT * noise
    return np.asarray(np.where(known, 1 - light / np.maximum(behind, 1e-6), 0).max(2), np.float32)


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
