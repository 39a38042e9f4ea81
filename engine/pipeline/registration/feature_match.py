"""Where one picture's features lie in another, however far the camera went between them."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
"""``(N, 2)`` x, y in pixels, centres at integers + 0.5."""

_LONG_SIDE = 960
"""px. Matches are a start that tracking refines: full size finds no better one (measured on the sample photographs)."""

_FEATURES = 3000
_RATIO = 0.75
"""Nearest over second nearest descriptor distance; between the 0.7 and 0.8 of Lowe, IJCV 2004, section 7.1."""


def match_features(plate: npt.NDArray[np.uint8], frame: npt.NDArray[np.uint8]) -> tuple[Points, Points]:
    """Match SIFT features (Lowe, IJCV 2004) by ratio test and mutual choice.

    Args:
        plate: ``(h, w)``.
        frame: ``(H, W)``.

    Returns:
        Two lists of equal length, ``(N, 2)``: where a feature lies in the plate, and where in the frame.
    """
    plate_points, plate_descriptors = _describe(plate)
    frame_points, frame_descriptors = _describe(frame)
    if min(len(plate_points), len(frame_points)) < 2:
        return np.empty((0, 2)), np.empty((0, 2))
    squared = (
        np.square(plate_descriptors).sum(1)[:, None]
        + np.square(frame_descriptors).sum(1)[None]
        - 2.0 * plate_descriptors @ frame_descriptors.T
    )
    chosen = squared.argmin(1)
    nearest, second = np.partition(squared, 1, axis=1)[:, :2].T
    mutual = squared.argmin(0)[chosen] == np.arange(len(chosen))
    kept = mutual & (nearest < _RATIO**2 * second)
    return plate_points[kept], frame_points[chosen[kept]]


def _describe(image: npt.NDArray[np.uint8]) -> tuple[Points, npt.NDArray[np.float32]]:
    """Features of an image and their descriptors ``(N, 128)``, whose whole numbers keep float32 sums exact."""
    scale = min(1.0, _LONG_SIDE / max(image.shape))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1.0 else image
    keypoints, descriptors = cv2.SIFT.create(_FEATURES).detectAndCompute(small, None)
    if descriptors is None:
        return np.empty((0, 2)), np.empty((0, 128), np.float32)
    return (np.asarray(cv2.KeyPoint.convert(keypoints), np.float64) + 0.5) / scale, descriptors
