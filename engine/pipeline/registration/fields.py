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


def led_by(matrix: Matrix, size: tuple[int, int]) -> Array:
    """``(h, w, 2)``: where a homography of our pixel centres leads each pixel, from where it is."""
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    u, v, w = (row[0] * x + row[1] * y + row[2] for row in matrix)
    return np.stack([u / w - x, v / w - y], 2).astype(np.float32)


def reduced(matrix: Matrix, scale: float) -> Matrix:
    """A homography of pictures as one of pictures ``scale`` times as large."""
    scaling = np.diag([scale, scale, 1.0])
    return np.asarray(scaling @ matrix @ np.linalg.inv(scaling))


def sampled(image: npt.NDArray[np.generic], way: Array) -> Array:
    """What an image has where each pixel's displacement leads, ``(h, w, ...)`` float32."""
    y, x = np.mgrid[: way.shape[0], : way.shape[1]].astype(np.float32)
    at = x + way[..., 0], y + way[..., 1]
    return np.asarray(cv2.remap(image.astype(np.float32), *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


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
