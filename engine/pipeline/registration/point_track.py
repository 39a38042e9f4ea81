"""How far a plate that lies on a frame is off, measured to hundredths of a pixel at textured points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
"""``(N, 2)`` x, y in pixels, centres at integers + 0.5."""

MANY = 3600
FEW = 900
"""Points asked for: one in each of that many cells, so that they cover the picture evenly."""

_CELL = 12
"""px, smallest side of a cell: nearer points would see the same pixels."""

_PATCH = 15
"""px, side of the neighbourhood that must look alike."""

_ALIKE = 0.7
"""Normalised correlation of two patches of one place; grain lowers it, another place hardly reaches it (measured)."""

_RETURN = 0.5
"""px. Tracked there and back, a point must come home (forward-backward check, Kalal et al., ICPR 2010)."""

_TEXTURE = 5.0
"""A corner's strength over the picture's 20th percentile; grain seldom goes above it (5 % of HD's cells, measured)."""

_WINDOW = (21, 21)
_LEVELS = 3
_STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 0.005)
"""px of the tracked neighbourhood; halvings of the picture, which reach some 20 px; iterations and px to stop at."""


@dataclass(frozen=True)
class Tracks:
    """Points of the plate that were found again in the frame; what the subject hides is not among them.

    Attributes:
        plate: ``(N, 2)`` where the plate has them, on the frame's grid.
        frame: ``(N, 2)`` where the frame has them.
        candidates: textured points of the plate that were looked for.
        area: px that they spread over, as `spread` counts.
    """

    plate: Points
    frame: Points
    candidates: int
    area: float


def track_points(
    plate: npt.NDArray[np.uint8], frame: npt.NDArray[np.uint8], valid: npt.NDArray[np.bool_], count: int = MANY
) -> Tracks:
    """Find the plate's textured points in the frame, within some 20 px of where they lie.

    Pyramidal Lucas-Kanade, there and back, and a correlation test: points that the subject hides fail it.

    Args:
        plate: ``(h, w)``, already on the frame's grid.
        frame: ``(h, w)``.
        valid: ``(h, w)``, where the plate saw the pixel.
        count: most points to look for.
    """
    points = _textured_points(plate, valid, count)
    if not len(points):
        return Tracks(np.empty((0, 2)), np.empty((0, 2)), 0, 0.0)
    forth, found, _ = cv2.calcOpticalFlowPyrLK(plate, frame, points, None, None, None, _WINDOW, _LEVELS, _STOP)
    alike = _correlation(_patches(plate, points), _patches(frame, forth)) > _ALIKE
    kept = alike & (found.ravel() == 1)
    candidates, area, points, forth = len(points), spread(points), points[kept], forth[kept]
    if len(points):
        back, returned, _ = cv2.calcOpticalFlowPyrLK(frame, plate, forth, None, None, None, _WINDOW, _LEVELS, _STOP)
        home = (returned.ravel() == 1) & (np.hypot(*(back - points).T) < _RETURN)
        points, forth = points[home], forth[home]
    return Tracks(points + 0.5, forth + 0.5, candidates, area)


def spread(points: npt.NDArray[np.floating[Any]]) -> float:
    """Area that ``(N, 2)`` points spread over, px: the square root of their covariance's determinant."""
    if len(points) < 3:
        return 0.0
    return float(np.sqrt(max(np.linalg.det(np.cov(points.T.astype(np.float64))), 0.0)))


def _textured_points(image: npt.NDArray[np.uint8], valid: npt.NDArray[np.bool_], count: int) -> npt.NDArray[np.float32]:
    """Strongest corner of each cell (Shi and Tomasi, CVPR 1994), ``(N, 2)``, OpenCV's pixel centres."""
    strength = cv2.cornerMinEigenVal(image, 7)
    inside = cv2.erode(valid.astype(np.uint8), np.ones((_PATCH, _PATCH)), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    seen = strength[inside > 0]
    if not seen.size:
        return np.empty((0, 2), np.float32)
    cell = max(_CELL, round((image.size / count) ** 0.5))
    rows, columns = (side // cell for side in image.shape)
    cells = np.where(inside > 0, strength, -1.0)[: rows * cell, : columns * cell]
    cells = cells.reshape(rows, cell, columns, cell).transpose(0, 2, 1, 3).reshape(rows * columns, cell**2)
    best = cells.argmax(1)
    row, column = np.divmod(np.arange(rows * columns), max(columns, 1))
    points = np.stack([column * cell + best % cell, row * cell + best // cell], 1).astype(np.float32)
    peak = cells.max(1, initial=-1.0)
    floor = max(_TEXTURE * float(np.percentile(seen[::7], 20)), 1e-6)
    return points[peak > floor]


def _patches(image: npt.NDArray[np.uint8], points: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """``(N, _PATCH ** 2)`` neighbourhoods, sampled between pixels."""
    down, right = np.stack(np.divmod(np.arange(_PATCH**2, dtype=np.float32), _PATCH)) - _PATCH // 2
    return cv2.remap(
        image.astype(np.float32),
        points[:, 0, None] + right,
        points[:, 1, None] + down,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _correlation(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """``(N,)`` normalised correlation of rows."""
    first, second = (rows - rows.mean(1, keepdims=True) for rows in (first, second))
    size = np.sqrt(np.square(first).sum(1) * np.square(second).sum(1))
    return (first * second).sum(1) / np.maximum(size, 1e-6)
