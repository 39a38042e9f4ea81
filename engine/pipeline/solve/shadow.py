"""The shadow ratio: smooth under the subject, and exact in the file."""

from __future__ import annotations

import cv2
import numpy as np

from engine.pipeline.solve.extend import extend
from engine.pipeline.solve.pieces import planar
from engine.settings import Knobs
from engine.values import Array, Matte

# Steps of the shadow ratio, per unit. Halves between 0.5 and 1 lie 1/2048 apart, floats 1/2**24: on this grid s and
# 1 - s are both exact, so the shadow layer (1 - s) and the ratio (s) say the same.
_RATIO_STEPS = {True: 2.0**11, False: 2.0**24}

# The shadow ratio is measured over 6x6 px, so it is believed only this far from the subject; nearer it is continued.
_SURROUNDINGS = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (13, 13))


# Weight, 0..1, that stands for knowing nothing.
_KNOWN = 1e-6


def shadow_ratio(matte: Matte, knobs: Knobs, garbage: Array, shade: Array) -> Array:
    """S in 0..1, continued smoothly under the subject, scaled by the gain, none inside garbage.

    What is surely shadow (``shade``, ``(H, W)`` 0..1) is believed beside the subject, too: a contact shadow ends there.

    Returns:
        ``(H, W, 3)`` where the knob says RGB, else ``(H, W, 1)``.
    """
    clear = np.maximum((1 - cv2.dilate(matte.alpha, _SURROUNDINGS)) ** 2, shade * (1 - matte.alpha))
    ratio = planar(matte.shadow)
    if knobs.shadow_color == "grey":
        ratio = ratio.mean(2, keepdims=True)
    # Deep inside, where nothing is known, the slightest weight says: no shadow.
    extended = extend(np.where(clear[..., None] > _KNOWN, ratio, 1), np.maximum(clear, _KNOWN))
    mixed = extended + (ratio - extended) * clear[..., None]
    depth = (1 - mixed) * knobs.shadow_gain * (1 - garbage[..., None])
    return np.clip(1 - depth, 0, 1, out=depth)


def stored_ratio(ratio: Array, half: bool) -> Array:
    """S on the grid on which it and its complement are both exact."""
    steps = _RATIO_STEPS[half]
    return np.asarray(np.round(ratio * steps) / steps, np.float32)
