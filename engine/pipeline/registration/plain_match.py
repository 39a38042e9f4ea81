"""Whether a plate without features, a bare wall for one, is of the frame's scene."""

from __future__ import annotations

import cv2
import numpy as np

from engine.values import Array, Mask

_LONG_SIDE = 120
"""px. Areas, not grain, are compared."""

_SURROUND = 6.0
_STRUCTURE = 0.05
_STRUCTURED_AREA = 0.1
"""px, sigma of the local mean that is taken away, as light falls off along a wall; stops around it that count as
structure; largest share of a plain plate that may have it: sockets, not a set."""

_TOLERANCE = 0.1
"""stops around the commonest ratio, in each channel: uneven light of two takes, not another wall."""

_AGREEING_AREA = 0.35
"""Smallest share of the frame that must be wall: about what a large subject leaves."""

_STOPS = 2.0
_TINT = 1.0
"""stops. Largest ratio of two takes in a channel, and largest difference between channels: white balance, not paint."""


def same_wall(frame: Array, plate: Array, valid: Mask) -> bool:
    """Whether the plate is plain, and the frame shows it in the same place but for one gain per channel.

    Args:
        frame: ``(H, W, 3)`` linear.
        plate: ``(H, W, 3)`` linear, as it lies.
        valid: ``(H, W)``, where the plate saw the pixel.
    """
    scale = min(1.0, _LONG_SIDE / max(valid.shape))
    small_frame, small_plate, weight = (_reduce(image, scale) for image in (frame, plate, valid.astype(np.float32)))
    seen = weight > 0.99
    if not seen.any():
        return False
    floor = np.float32(max(1e-3, 0.02 * float(np.percentile(small_plate[seen], 75))))
    stops_frame, stops_plate = (np.log2(np.maximum(image, 0) + floor) for image in (small_frame, small_plate))
    return _plain(stops_plate.mean(2), seen) and _agreeing_share((stops_frame - stops_plate)[seen]) >= _AGREEING_AREA


def _reduce(image: Array, scale: float) -> Array:
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _plain(stops: Array, seen: Mask) -> bool:
    """Whether next to nothing of the picture stands out from its surroundings."""
    filled = np.where(seen, stops, np.median(stops[seen]))
    structure = np.abs(filled - cv2.GaussianBlur(filled, (0, 0), _SURROUND))[seen]
    return bool((structure > _STRUCTURE).mean() < _STRUCTURED_AREA)


def _agreeing_share(ratio: Array) -> float:
    """Share of ``(N, 3)`` ratios, in stops, near the commonest; 0 where that is no plausible exposure and white."""
    modes = np.array([_mode(ratio[:, channel]) for channel in range(3)])
    if np.abs(modes).max() > _STOPS or np.ptp(modes) > _TINT:
        return 0.0
    return float((np.abs(ratio - modes).max(1) < _TOLERANCE).mean())


def _mode(values: Array) -> float:
    """Median of the fullest window as wide as the tolerance allows."""
    ordered = np.sort(values)
    ends = np.searchsorted(ordered, ordered + 2 * _TOLERANCE, side="right")
    start = int((ends - np.arange(len(ordered))).argmax())
    return float(np.median(ordered[start : ends[start]]))
