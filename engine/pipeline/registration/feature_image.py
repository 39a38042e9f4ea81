"""What registration looks at: fine structure of log luminance, the same in a frame and a plate of another exposure."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engine.values import Array, Mask

FeatureImage = npt.NDArray[np.uint8]
"""``(h, w)`` uint8; `PLAIN` = no structure."""

PLAIN = 128

Matrix = npt.NDArray[np.float64]

_LONG_SIDE = 2048
"""px. Larger pictures are reduced: a hundredth of a pixel here is a fiftieth there."""

_GRAIN = 1.0
"""px, Gaussian sigma that averages grain before it is taken for structure."""

_SURROUND = 8.0
"""px, Gaussian sigma of the local mean that is taken away: a gain is constant in log light, a soft shadow nearly so."""

_CONTRAST_FLOOR = 0.05
"""stops. Weaker structure than this is not stretched to full range: it is grain on a flat wall."""


_CENTRES = np.array([[1.0, 0.0, -0.5], [0.0, 1.0, -0.5], [0.0, 0.0, 1.0]])
"""Moves our pixel centres (integers + 0.5) to OpenCV's (integers)."""


@dataclass(frozen=True)
class FeaturePair:
    """A frame and a plate as registration sees them.

    Attributes:
        frame, plate: feature images; the sizes may differ.
        scale: the factor ``<= 1`` by which both are smaller than what they were made of.
    """

    frame: FeatureImage
    plate: FeatureImage
    scale: float

    def reduced(self, homography: Matrix) -> Matrix:
        """A homography of the pictures as one of the feature images."""
        scaling = np.diag([self.scale, self.scale, 1.0])
        return scaling @ homography @ np.linalg.inv(scaling)

    def enlarged(self, homography: Matrix) -> Matrix:
        """A homography of the feature images as one of the pictures."""
        scaling = np.diag([self.scale, self.scale, 1.0])
        return np.linalg.inv(scaling) @ homography @ scaling


def feature_images(frame: Array, plate: Array) -> FeaturePair:
    """Map two linear images to 8 bits so that equal places look equal whatever their exposure.

    Band-pass of log2 luminance, normalised with percentiles of both images together, so that single highlights of any
    height take no range from the rest.

    Args:
        frame: ``(H, W, 3)`` linear, any range.
        plate: ``(h, w, 3)`` linear, any range; the size may differ.
    """
    scale = min(1.0, _LONG_SIDE / max(*frame.shape[:2], *plate.shape[:2]))
    luminances = [_luminance(rgb, scale) for rgb in (frame, plate)]
    knee = max(1e-3, 0.02 * max(float(np.percentile(luma[::4, ::4], 75)) for luma in luminances))
    bands = [_band(np.log2(np.maximum(luma, 0.0) + np.float32(knee))) for luma in luminances]
    spread = max(float(np.percentile(np.abs(band[::4, ::4]), 98)) for band in bands)
    gain = 100.0 / max(spread, _CONTRAST_FLOOR)
    of_frame, of_plate = (cv2.convertScaleAbs(np.clip(band * gain + PLAIN, 0.0, 255.0)) for band in bands)
    return FeaturePair(of_frame, of_plate, scale)


def laid(plate: FeatureImage, homography: Matrix, size: tuple[int, int]) -> tuple[FeatureImage, Mask]:
    """A plate's feature image on the frame's grid of ``size``, and where the plate saw the pixel."""
    matrix = _CENTRES @ homography @ np.linalg.inv(_CENTRES)
    image = cv2.warpPerspective(plate, matrix, size[::-1], flags=cv2.INTER_LINEAR)
    valid = cv2.warpPerspective(np.ones_like(plate), matrix, size[::-1], flags=cv2.INTER_NEAREST) > 0
    return np.asarray(image, np.uint8), valid


def _luminance(rgb: Array, scale: float) -> Array:
    """``(h, w)`` mean of the channels with green twice: near enough to luminance in every RGB space."""
    luma = cv2.transform(rgb, np.array([[0.25, 0.5, 0.25]], np.float32))
    if scale < 1.0:
        return cv2.resize(luma, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return luma


def _band(image: Array) -> Array:
    """Structure between grain and surround."""
    fine = cv2.GaussianBlur(image, (0, 0), _GRAIN)
    return fine - cv2.GaussianBlur(fine, (0, 0), _SURROUND)
