"""Whether two pictures without features, a bare wall for one, show the same thing."""

from __future__ import annotations

import cv2
import numpy as np

from engine.values import Array, Mask

_LONG_SIDE = 240
"""px. Areas, not grain, are compared."""

_TOLERANCE = 0.1
"""stops around the commonest ratio, in each channel: uneven light of two takes, not another wall."""

_STOPS = 2.0
"""Largest exposure difference of two takes, as the photometric fit allows."""

_TINT = 1.0
"""stops. Largest difference between the channels' ratios: a white balance, not another paint."""


def agreeing_share(frame: Array, plate: Array, valid: Mask) -> float:
    """Share of the valid area in which frame and plate differ by one common gain per channel.

    Args:
        frame: ``(H, W, 3)`` linear.
        plate: ``(H, W, 3)`` linear.
        valid: ``(H, W)``.

    Returns:
        0..1; 0 where the common gain is no plausible exposure or white balance.
    """
    scale = min(1.0, _LONG_SIDE / max(valid.shape))
    small_frame, small_plate, weight = (_reduce(image, scale) for image in (frame, plate, valid.astype(np.float32)))
    seen = weight > 0.99
    if not seen.any():
        return 0.0
    floor = np.float32(max(1e-3, 0.02 * float(np.percentile(small_frame[seen], 75))))
    ratio = np.log2(np.maximum(small_frame[seen], 0) + floor) - np.log2(np.maximum(small_plate[seen], 0) + floor)
    modes = np.array([_mode(ratio[:, channel]) for channel in range(3)])
    if np.abs(modes).max() > _STOPS or np.ptp(modes) > _TINT:
        return 0.0
    return float((np.abs(ratio - modes).max(1) < _TOLERANCE).mean())


def _reduce(image: Array, scale: float) -> Array:
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _mode(values: Array) -> float:
    """Centre of the fullest window of the tolerance's width."""
    ordered = np.sort(values)
    ends = np.searchsorted(ordered, ordered + 2 * _TOLERANCE, side="right")
    start = int((ends - np.arange(len(ordered))).argmax())
    return float(np.median(ordered[start : ends[start]]))
