"""Fields of displacements: what a picture has where they lead, and how they go on where nothing was measured."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from engine.values import Array

Image8 = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float64]

_PULL = 1e-3
"""Weight of the coarser level's answer against a measurement: felt only where there is none."""


def grid(size: tuple[int, int]) -> Array:
    """``(h, w, 2)``: x and y of each pixel, OpenCV's centres."""
    at = np.empty((*size, 2), np.float32)
    at[..., 0], at[..., 1] = np.arange(size[1])[None], np.arange(size[0])[:, None]
    return at


def led_by(matrix: Matrix, size: tuple[int, int]) -> Array:
    """``(h, w, 2)``: where a homography of our pixel centres leads each pixel, from where it is."""
    at = grid(size) + np.float32(0.5)
    return np.asarray(cv2.perspectiveTransform(at, matrix) - at)


def reduced(matrix: Matrix, scale: float) -> Matrix:
    """A homography of pictures as one of pictures ``scale`` times as large."""
    scaling = np.diag([scale, scale, 1.0])
    return np.asarray(scaling @ matrix @ np.linalg.inv(scaling))


def sampled(image: npt.NDArray[np.generic], way: Array) -> Array:
    """What an image has where each pixel's displacement leads, ``(h, w, ...)`` float32."""
    at = grid(way.shape[:2])
    at += way
    return np.asarray(cv2.remap(image.astype(np.float32), at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def continued(values: Array, weight: Array) -> Array:
    """Push-pull (Gortler et al., SIGGRAPH 1996): each level fills its gaps from the one of half its size.

    Args:
        values: ``(h, w, c)``.
        weight: ``(h, w)``, 0..1.
    """
    if min(weight.shape) <= 4:
        mean = (values * weight[..., None]).sum((0, 1)) / max(float(weight.sum()), 1e-6)
        return np.asarray((values * weight[..., None] + _PULL * mean) / (weight[..., None] + _PULL))
    half = cv2.pyrDown(weight)
    coarse = cv2.pyrDown(values * weight[..., None]).reshape(*half.shape, -1) / np.maximum(half, 1e-9)[..., None]
    finer = cv2.pyrUp(continued(coarse, np.minimum(half, 1)), dstsize=weight.shape[::-1]).reshape(values.shape)
    return np.asarray((values * weight[..., None] + _PULL * finer) / (weight[..., None] + _PULL))
