"""What one homography leaves: tracked points that move away from it together, by parallax, lens or shutter."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]

_MOVED = 0.3
"""px. What less than that is left behind a homography does not show in a matte, and is near to what grain does."""

_FAR = 12.0
"""px. What moves further is a thing that walked, or a look-alike of the set; nearer than that a set has to be."""

_NEIGHBOURS = 6
_COMPANY = 3
_ALIKE = 0.2
"""A moved point counts if 3 of its 6 nearest points moved as it did, within 0.2 px plus a tenth of its way: a
look-alike on the subject finds none."""

_SHARE = 0.05
"""Smallest share of the points found that must have moved. Behind a subject before a set that a homography explains it
is up to 3 %, as the subject's edge pulls at points; with 1 px of parallax it is 25 % (measured on rendered scenes)."""

_ROOM = 1.0
"""px beyond the farthest tracked point that a dense field may reach: between points there may be nearer things."""


@dataclass(frozen=True)
class Parallax:
    """Points that speak for the place of background, wherever it went.

    Attributes:
        at: ``(N, 2)`` where the homography puts them, px of the frame.
        moved: ``(N, 2)`` from there to where the frame has them.
        shown: enough of them moved to call it more than chance.
    """

    at: Points
    moved: Points
    shown: bool

    @property
    def bounds(self) -> tuple[Points, Points]:
        """``(2,)`` least and largest way back, x and y, with room around them; 0 is always within."""
        reach = np.concatenate([-self.moved, np.zeros((1, 2))])
        return reach.min(0) - _ROOM, reach.max(0) + _ROOM


def left_behind(found: Points) -> Parallax:
    """Sort out the tracked points.

    Args:
        found: ``(2, N, 2)`` as `alignment.Alignment.found` has them.

    Returns:
        The points that the homography explains, and those that moved with their neighbours.
    """
    at, moved = found[0], found[1] - found[0]
    way = np.hypot(*moved.T)
    away = np.flatnonzero((way > _MOVED) & (way < _FAR))
    kept = way <= _MOVED
    kept[away] = _accompanied(at, moved, away)
    accompanied = int(kept[away].sum())
    return Parallax(at[kept], moved[kept], accompanied > max(_COMPANY, _SHARE * len(at)))


def _accompanied(at: Points, moved: Points, chosen: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Whether chosen points moved as enough of their nearest neighbours did."""
    if len(at) <= _NEIGHBOURS or not len(chosen):
        return np.zeros(len(chosen), np.bool_)
    nearest = nearest_points(at[chosen], at, _NEIGHBOURS + 1)
    apart = np.hypot(*np.moveaxis(moved[nearest] - moved[chosen, None], 2, 0))
    alike = apart < _ALIKE + 0.1 * np.hypot(*moved[chosen].T)[:, None]
    # One of those that are alike is the point itself.
    return np.asarray(alike.sum(1) > _COMPANY)


def nearest_points(of: Points, among: Points, count: int) -> npt.NDArray[np.int32]:
    """``(N, count)`` numbers of the points nearest to each of ``(N, 2)``; the point itself is one of them."""
    first, second = (points.astype(np.float32) for points in (of, among))
    return np.asarray(cv2.batchDistance(first, second, cv2.CV_32F, normType=cv2.NORM_L2SQR, K=count)[1])
