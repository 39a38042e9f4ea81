"""Outlines of subjects: coverage masks of people and things, drawn large and reduced, so that edges are exact areas."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from engine.synthesis.textures import Rng
from engine.values import Array

OVERSAMPLE = 3
"""Drawing happens at this many times the size; with the line filter, 256 levels of coverage."""

# Fractional bits of OpenCV's drawing coordinates.
_SHIFT = 4

Points = npt.NDArray[np.float64]
"""``(n, 2)`` of x, y in px."""


class Sheet:
    """A coverage mask under the pen. Coordinates are pixels of the finished mask."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._ink = np.zeros((size * OVERSAMPLE, size * OVERSAMPLE), np.uint8)

    def fill(self, points: Points, ink: int = 255) -> None:
        """Fill a polygon; ink 0 cuts a hole."""
        cv2.fillPoly(self._ink, [self._fixed(points)], ink, cv2.LINE_AA, _SHIFT)

    def stroke(self, points: Points, width: float, closed: bool = False) -> None:
        """Draw a polyline of a width in px, with round joints."""
        thickness = max(1, round(width * OVERSAMPLE))
        cv2.polylines(self._ink, [self._fixed(points)], closed, 255, thickness, cv2.LINE_AA, _SHIFT)

    def hairs(self, curves: npt.NDArray[np.float64], thirds: int = 1) -> None:
        """Draw ``(count, points, 2)`` curves, each so many thirds of a pixel wide."""
        cv2.polylines(self._ink, [self._fixed(curve) for curve in curves], False, 255, thirds, cv2.LINE_AA, _SHIFT)

    def coverage(self) -> Array:
        """``(size, size)``, 0..1."""
        reduced = cv2.resize(self._ink, (self._size, self._size), interpolation=cv2.INTER_AREA)
        return reduced.astype(np.float32) / 255

    @staticmethod
    def _fixed(points: Points) -> npt.NDArray[np.int32]:
        return np.round(points * (OVERSAMPLE << _SHIFT)).astype(np.int32)


def ellipse(centre: tuple[float, float], axes: tuple[float, float], turn: float = 0.0, points: int = 64) -> Points:
    """Points on an ellipse: centre and half axes in px, turn in radians."""
    t = np.linspace(0, 2 * np.pi, points, endpoint=False)
    x, y = np.cos(t) * axes[0], np.sin(t) * axes[1]
    cos, sin = np.cos(turn), np.sin(turn)
    return np.stack((centre[0] + cos * x - sin * y, centre[1] + sin * x + cos * y), 1)


def wobble(rng: Rng, points: Points, amount: float, waves: int = 6) -> Points:
    """Push a closed outline in and out by up to ``amount`` of its size."""
    t = np.linspace(0, 2 * np.pi, len(points), endpoint=False)
    scale = np.ones(len(points))
    for wave in range(2, waves):
        scale += rng.normal(0, amount / wave) * np.cos(wave * t + rng.uniform(0, 2 * np.pi))
    centre = points.mean(0)
    return centre + (points - centre) * scale[:, None]


def capsule(start: Points, end: Points, start_width: float, end_width: float) -> Points:
    """Outline of a limb between two joints, widths in px."""
    along = (end - start) / max(float(np.hypot(*(end - start))), 1e-6)
    across = np.array((-along[1], along[0]))
    sides = (start + across * start_width / 2, end + across * end_width / 2)
    back = (end - across * end_width / 2, start - across * start_width / 2)
    return np.stack((*sides, end + along * end_width / 2.5, *back, start - along * start_width / 2.5))


def locks(
    rng: Rng, roots: Points, outward: Points, length: float, curl: float, points: int = 12
) -> npt.NDArray[np.float64]:
    """Hair curves from roots: each starts outward, then bends and curls.

    Args:
        rng: source of randomness.
        roots: ``(n, 2)`` px.
        outward: ``(n, 2)`` unit directions.
        length: px, typical.
        curl: 0 (straight) .. 1 (curly).
        points: points of each curve.

    Returns:
        ``(n, points, 2)`` px.
    """
    count = len(roots)
    angle = np.arctan2(outward[:, 1], outward[:, 0]) + rng.normal(0, 0.5, count)
    bend = rng.normal(rng.normal(0, 1.2), 0.5, count)
    t = np.linspace(0, 1, points)
    phase, waves = rng.uniform(0, 2 * np.pi, (count, 1)), rng.uniform(1, 4, (count, 1))
    heading = angle[:, None] + bend[:, None] * t + curl * 1.5 * np.sin(phase + waves * 2 * np.pi * t)
    step = (length * rng.uniform(0.4, 1.3, count) / points)[:, None]
    path = np.stack((np.cos(heading) * step, np.sin(heading) * step), -1).cumsum(1)
    return np.asarray(roots[:, None] + path - path[:, :1])
