"""The few planes that a set is nearly made of: how each moved, which pixel is whose, and what one hid behind another.

A wall and a table before it shift differently when a camera is carried. Where nothing can be measured the plane says
how the picture goes on, and at its edge the field steps and does not bend.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import cv2
import numpy as np
import numpy.typing as npt

from engine.pipeline.registration.fields import Image8, Matrix, continued, led_by, sampled
from engine.pipeline.registration.parallax import Parallax, nearest_points
from engine.values import Array, Mask

Points = npt.NDArray[np.float64]

_MOST = 3
_SHARE = 0.05
_FEWEST = 12
"""Planes that are looked for; smallest share, and number, of the tracked points that make one."""

_OFF = 0.8
"""px by which a plane may miss a point: walls stand askew, and lenses bend."""

_NEIGHBOURS = 6
_STEP = 1.0
"""Of points with neighbours on another plane: px, median, by which those move otherwise. Where a lens or a shutter
bends the picture, planes that touch agree there, and the dense field follows the bend better."""

_LARGEST = 48.0
"""Levels of 255 beyond which a difference counts no further."""

_NARROW, _WIDE = 5, 15
"""px, sides of the surroundings that are compared."""

_EVIDENCE = 8.0
_UNLIKE = 10.0
"""Levels by which one plane must explain the surroundings better to count in full; levels beyond which none explains
them: the subject stands there, or something was hidden."""

_SPECKS = 15
"""px, side of the median that takes specks off the planes: what is narrower is measured densely."""

_WORSE = 4.0
"""Levels by which, of two pixels of the frame that claim one of the plate, the hidden one looks less like it."""


@dataclass(frozen=True)
class Planes:
    """Which pixel is on which plane.

    Attributes:
        way: ``(h, w, 2)`` px, as the pixel's own plane displaces it.
        hidden: ``(h, w)``, true where another plane hid it from the plate's camera.
        edge: ``(h, w)``, true near where planes meet.
    """

    way: Array
    hidden: Mask
    edge: Mask


def find_planes(homography: Matrix, points: Parallax) -> list[Matrix]:
    """Motions that tracked points have in common, frame pixel -> pixel of the plate as the homography lays it.

    Similarities, one after the other by RANSAC: one homography can lie on a table's edge and a wall's top at once.

    Args:
        homography: ``(3, 3)`` plate pixel -> frame pixel.
        points: of background, as it puts them and as they moved; what walked is not among them.

    Returns:
        Two or more, or none where one homography and a smooth field say it all.
    """
    frame = points.at + points.moved
    plate = _mapped(np.asarray(np.linalg.inv(homography), np.float64), points.at)
    owner = np.full(len(frame), -1)
    motions: list[Matrix] = []
    while len(motions) < _MOST:
        left = np.flatnonzero(owner < 0)
        fewest = max(_FEWEST, _SHARE * len(frame))
        if len(left) < fewest:
            break
        motion, agree = cv2.estimateAffinePartial2D(
            frame[left], plate[left], method=cv2.RANSAC, ransacReprojThreshold=_OFF, maxIters=3000, confidence=0.999
        )
        if motion is None or agree.sum() < fewest:
            break
        owner[left[agree.ravel() > 0]] = len(motions)
        motions.append(homography @ np.vstack([motion, [0.0, 0.0, 1.0]]))
    return motions if len(motions) > 1 and _step(owner, frame, points.moved) > _STEP else []


def lay_planes(frame: Image8, plate: Image8, seen: Mask, motions: list[Matrix]) -> Planes:
    """Give every pixel to the plane under which its surroundings look most alike.

    Where no plane explains a pixel, or all do, its plane is that of what lies around it.

    Args:
        frame: ``(h, w)`` feature image.
        plate: ``(h, w)`` feature image, laid by the homography.
        seen: ``(h, w)``, where the plate saw the pixel.
        motions: of `find_planes`, for pictures of this size.
    """
    if len(motions) < 2:
        nothing = np.zeros(frame.shape, np.bool_)
        return Planes(np.zeros((*frame.shape, 2), np.float32), nothing, nothing)
    ways = [led_by(motion, frame.shape[:2]) for motion in motions]
    apart = [np.minimum(np.abs(frame.astype(np.float32) - sampled(plate, way)), _LARGEST) for way in ways]
    narrow, wide = (np.stack([cv2.blur(one, (side, side)) for one in apart], 2) for side in (_NARROW, _WIDE))
    owner = _owners((narrow + wide) / 2, seen)
    way = np.take_along_axis(np.stack(ways), owner[None, ..., None].astype(np.intp), axis=0)[0]
    edge = cv2.morphologyEx(owner, cv2.MORPH_GRADIENT, np.ones((_PATCH, _PATCH), np.uint8)) > 0
    return Planes(way, _hidden(owner, ways, narrow), edge)


_PATCH = 11
"""px around a plane's edge where a dense measurement sees both planes."""


def _owners(cost: Array, seen: Mask) -> npt.NDArray[np.uint8]:
    """``(h, w)`` number of the plane."""
    least = cost.min(2)
    weight = np.clip((cost.max(2) - least) / _EVIDENCE - 0.25, 0, 1) * (seen & (least < _UNLIKE))
    favour = continued(cost - cost.mean(2, keepdims=True), np.asarray(weight, np.float32))
    return np.asarray(cv2.medianBlur(favour.argmin(2).astype(np.uint8), _SPECKS), np.uint8)


def _hidden(owner: npt.NDArray[np.uint8], ways: list[Array], cost: Array) -> Mask:
    """Where a pixel leads to a place of the plate to which another plane's pixel leads, too, and looks more like it."""
    hidden = np.zeros(owner.shape, np.bool_)
    for mine, other in permutations(range(len(ways)), 2):
        there = ways[mine] - ways[other]
        claimed = sampled((owner == other).astype(np.float32), there) > 0.5
        hidden |= (owner == mine) & claimed & (sampled(cost[..., other], there) + _WORSE < cost[..., mine])
    # Lone pixels are chance, and the network takes them for something to explain.
    return np.asarray(cv2.morphologyEx(hidden.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0)


def _step(owner: npt.NDArray[np.intp], at: Points, moved: Points) -> float:
    """Median px by which neighbouring points of different planes move apart; 0 where no planes touch."""
    owned = owner >= 0
    owner, at, moved = owner[owned], at[owned], moved[owned]
    if len(at) <= _NEIGHBOURS:
        return 0.0
    nearest = nearest_points(at, at, _NEIGHBOURS + 1)
    apart = np.hypot(*np.moveaxis(moved[nearest] - moved[:, None], 2, 0))[owner[nearest] != owner[:, None]]
    return float(np.median(apart)) if apart.size else 0.0


def _mapped(matrix: Matrix, points: Points) -> Points:
    mapped = points @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(mapped[:, :2] / mapped[:, 2:])
