"""A displacement for every pixel, measured where plate and frame look alike, and carried on where they do not.

Dense inverse search (Kroeger et al., ECCV 2016) between feature images, there and back. What it says counts where it
returns home, where the plate so displaced correlates with the frame, and where the surroundings say so too: a subject
passes none of these. Over the subject the field is the smooth continuation of its surroundings.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engine.pipeline.registration.fields import Image8, Matrix, continued, reduced, sampled
from engine.pipeline.registration.planes import lay_planes
from engine.values import Array, Mask

_LONG_SIDE = 960
"""px at which the search runs; `sharpen` finds the rest (measured: 0.06 px median of a 1080p frame)."""

_PATCH = 11
_ALIKE = 0.7
"""px, side of the neighbourhood that must correlate, and by how much: as of tracked points."""

_TEXTURE = 4.0
"""Levels of deviation in the neighbourhood; below them there is nothing to correlate, and nothing to see."""

_RETURN = 0.5
"""px. There and back, a pixel must come home."""

_CROWDS = ((9, 0.5), (41, 0.4))
"""Sides of neighbourhoods, px, and the share of each that must have been found: chance finds specks."""

_SPECKS = 5
"""px, side of the median that takes specks off the field; it keeps its steps."""

_BETTER = 0.5
"""Part of what a plane lacks in likeness that a measured displacement may lack: else the plane's word counts, which is
exact where there is a plane."""

_LEVELS = 8.0
"""Of 255: a difference that halves a pixel's weight while sharpening (Geman and McClure)."""

_WINDOW = 15
_STEP = 0.5
_STIFF = 1.0
"""px, side of the window that is sharpened together; px, most that it moves; squared levels per px that hold it."""


@dataclass(frozen=True)
class Flow:
    """A field of displacements, OpenCV's pixel centres.

    Attributes:
        way: ``(h, w, 2)`` px, x and y: the frame's pixel shows what the laid plate has that far away.
        trust: ``(h, w)`` 0..1, where it was measured.
        hidden: ``(h, w)``, where a nearer plane stood before the plate's camera.
    """

    way: Array
    trust: Array
    hidden: Mask


def measure(
    frame: Image8,
    plate: Image8,
    valid: Mask,
    bounds: tuple[npt.NDArray[np.float64], ...],
    motions: list[Matrix],
) -> Flow:
    """Measure the field between a frame and a plate that a homography laid on it.

    Args:
        frame: ``(h, w)`` feature image.
        plate: ``(h, w)`` feature image.
        valid: ``(h, w)``, where the plate saw the pixel.
        bounds: ``(2,)`` least and largest displacement that anything proves, px.
        motions: of the planes of the set; may be none.
    """
    scale = min(1.0, _LONG_SIDE / max(frame.shape))
    size = (round(frame.shape[1] * scale), round(frame.shape[0] * scale))
    small_frame, small_plate = (cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in (frame, plate))
    seen = cv2.resize(valid.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    planes = lay_planes(small_frame, small_plate, seen, [reduced(motion, scale) for motion in motions])
    way, trust = _searched(small_frame, small_plate, seen, [bound * scale for bound in bounds], planes.way)
    trust = _in_company(trust & ~planes.edge)
    beside = continued(way - planes.way, trust.astype(np.float32))
    beside = np.stack([cv2.medianBlur(np.ascontiguousarray(beside[..., axis]), _SPECKS) for axis in (0, 1)], 2)
    way = cv2.resize(planes.way + beside, frame.shape[::-1]) / np.float32(scale)
    trust, hidden = (cv2.resize(mask.astype(np.float32), frame.shape[::-1]) for mask in (trust, planes.hidden))
    return Flow(np.asarray(way, np.float32), trust, hidden > 0)


def _searched(
    frame: Image8, plate: Image8, seen: Mask, bounds: list[npt.NDArray[np.float64]], resting: Array
) -> tuple[Array, Mask]:
    """The field, and where it holds. Where no displacement looks better than the planes' own, that holds."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    way, back = search.calc(frame, plate, None), search.calc(plate, frame, None)
    missed = np.hypot(*cv2.split(way + sampled(back, way)))
    within = ((way > bounds[0]) & (way < bounds[1])).all(2) & (missed < _RETURN)
    moved, at_rest = _likeness(frame, sampled(plate, way)), _likeness(frame, sampled(plate, resting))
    chosen = within & (1 - moved < _BETTER * (1 - at_rest))
    way = np.where(chosen[..., None], way, resting)
    return way, seen & (np.where(chosen, moved, at_rest) > _ALIKE)


def _likeness(frame: Image8, plate: npt.NDArray[np.generic]) -> Array:
    """``(h, w)`` correlation of neighbourhoods, 0 where the plate has no texture."""
    first, second = frame.astype(np.float32), plate.astype(np.float32)
    mean_first, mean_second, *squares = (
        cv2.blur(image, (_PATCH, _PATCH)) for image in (first, second, first * first, second * second, first * second)
    )
    of_first = np.maximum(squares[0] - mean_first**2, 1e-3)
    of_second = np.maximum(squares[1] - mean_second**2, 1e-3)
    correlation = (squares[2] - mean_first * mean_second) / np.sqrt(of_first * of_second)
    return np.where(of_second > _TEXTURE**2, correlation, np.float32(0))


def _in_company(trust: Mask) -> Mask:
    for side, share in _CROWDS:
        trust = trust & (cv2.blur(trust.astype(np.float32), (side, side)) > share)
    return trust


def sharpen(frame: Image8, plate: Image8, flow: Flow) -> Flow:
    """One step of Lucas and Kanade at full size, in windows, on trusted pixels that look alike.

    Args:
        frame: ``(h, w)`` feature image.
        plate: ``(h, w)`` feature image.
        flow: of their size.
    """
    there = sampled(plate, flow.way)
    across, down = (cv2.Scharr(there, cv2.CV_32F, *axis, scale=1 / 32) for axis in ((1, 0), (0, 1)))
    missed = frame.astype(np.float32) - there
    weight = flow.trust / np.square(1 + np.square(missed / _LEVELS))
    xx, xy, yy, xr, yr = (
        cv2.blur(product * weight, (_WINDOW, _WINDOW))
        for product in (across * across, across * down, down * down, across * missed, down * missed)
    )
    determinant = (xx + _STIFF) * (yy + _STIFF) - xy * xy
    step = np.stack([(yy + _STIFF) * xr - xy * yr, (xx + _STIFF) * yr - xy * xr], 2) / determinant[..., None]
    return Flow(flow.way + np.clip(step, -_STEP, _STEP) * flow.trust[..., None], flow.trust, flow.hidden)
