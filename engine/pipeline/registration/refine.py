"""Where one homography is not enough: a dense field of what it leaves, if tracked points say that it leaves any."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engine.pipeline.registration.alignment import Alignment
from engine.pipeline.registration.dense_flow import measure, sharpen
from engine.pipeline.registration.feature_image import FeaturePair, laid
from engine.pipeline.registration.parallax import Parallax, left_behind
from engine.pipeline.registration.planes import find_planes
from engine.values import Array, Mask

_FOLDED = 0.4
"""Area of plate that a pixel of frame shows, below which it shows none: the field closes up over what a near thing hid
from the plate's camera. Lenses change areas by a few percent."""

_BETTER = 0.8
"""A field must miss the moved points by less than this part of what the homography misses them by."""


@dataclass(frozen=True)
class Field:
    """What is added to a homography.

    Attributes:
        way: ``(H, W, 2)`` px: the frame's pixel shows what the plate, laid by the homography, has that far away.
        seen: ``(H, W)``, false where the plate's camera cannot have seen it.
        distances: ``(N,)`` px by which the field misses the tracked points.
    """

    way: Array
    seen: Mask
    distances: npt.NDArray[np.float64]


def refine(pair: FeaturePair, alignment: Alignment, size: tuple[int, int]) -> Field | None:
    """Measure what a homography leaves.

    Args:
        pair: the feature images that were aligned.
        alignment: proven.
        size: ``(H, W)`` of the frame.

    Returns:
        The field, or None where tracked points show nothing that moved away from the homography together, or where the
        field explains them no better: a picture that a homography explains keeps it.
    """
    points = left_behind(alignment.found)
    if not points.shown:
        return None
    image, valid = laid(pair.plate, pair.reduced(alignment.homography), pair.frame.shape[:2])
    bounds = tuple(bound * pair.scale for bound in points.bounds)
    motions = [pair.reduced(motion) for motion in find_planes(alignment.homography, points)]
    flow = sharpen(pair.frame, image, measure(pair.frame, image, valid, bounds, motions))
    way, hidden = flow.way / np.float32(pair.scale), flow.hidden.astype(np.uint8)
    if way.shape[:2] != size:
        way, hidden = np.asarray(cv2.resize(way, size[::-1]), np.float32), cv2.resize(hidden, size[::-1])
    before, after = np.hypot(*points.moved.T), _missed(way, points)
    if np.percentile(after, 95) > _BETTER * np.percentile(before, 95):
        return None
    # Planes step at their edges, which is no fold; they say themselves what one hid behind another.
    return Field(way, np.asarray(hidden == 0) if motions else _unfolded(way), after)


def _missed(way: Array, points: Parallax) -> npt.NDArray[np.float64]:
    """``(N,)`` px: the field is asked where the frame has the point, and leads back to where the plate lies."""
    place = points.at + points.moved
    at = (place - 0.5).astype(np.float32)[None]
    led = cv2.remap(way, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
    return np.asarray(np.hypot(*(points.moved + led).T))


def _unfolded(way: Array) -> Mask:
    """Where the map keeps its area."""
    across, down = (cv2.Scharr(way, cv2.CV_32F, *axis, scale=1 / 32) for axis in ((1, 0), (0, 1)))
    area = (1 + across[..., 0]) * (1 + down[..., 1]) - across[..., 1] * down[..., 0]
    folded = cv2.dilate((area < _FOLDED).astype(np.uint8), np.ones((3, 3), np.uint8))
    return np.asarray(folded == 0)
