"""How much softer one of two pictures of the same set is: the blur that brings the sharper one onto the softer."""

from __future__ import annotations

import cv2
import numpy as np

from engine.values import Array, Mask, Photometric, Plate

_BLURS = (0.0, 0.4, 0.6, 0.8, 1.0, 1.3, 1.6, 2.0, 2.5, 3.2, 4.0)
"""px, sigmas of the Gaussian blurs that are tried."""

_SURROUND = 8.0
"""px, sigma of the local mean that is taken away: light and shadow are no focus."""

_MARGIN = 12
"""px around what is no background that are left out; the widest blur reaches as far."""

_TEXTURE = 3.0
"""Deviations of the grain by which structure must stand out to tell a blur by."""

_FEWEST = 2000
"""px with such structure below which nothing is said."""

_GAIN = 0.85
"""A blur counts if what is left is below this part of what is left without one: half a pixel of misplacement makes any
blur look a little better."""


def focus_difference(frame: Array, plate: Plate, fit: Photometric, background: Mask) -> float | None:
    """Measure the blur between two pictures of a set.

    Args:
        frame: ``(H, W, 3)`` linear.
        plate: registered and fitted.
        fit: its noise is taken away from what is compared.
        background: ``(H, W)``, where both show the set.

    Returns:
        px, sigma: above 0 where the plate is sharper than the frame, below 0 where it is softer; None where the set has
        too little structure to tell.
    """
    where = cv2.erode(background.astype(np.uint8), np.ones((2 * _MARGIN + 1,) * 2, np.uint8), borderValue=0) > 0
    floor = np.float32(max(1e-3, 0.02 * float(np.percentile(plate.rgb[::4, ::4], 75))))
    light, grain = _log_luminance(plate.rgb, floor), _grain(plate.rgb, fit, floor)
    pictures = [image - cv2.GaussianBlur(image, (0, 0), _SURROUND) for image in (_log_luminance(frame, floor), light)]
    structured = np.max([cv2.GaussianBlur(np.abs(image), (0, 0), 2.0) for image in pictures], 0)
    where &= structured > _TEXTURE * np.sqrt(grain)
    if where.sum() < _FEWEST:
        return None
    noise = float(grain[where].mean())
    left = [[_left(blurred, still, sigma, where, noise) for sigma in _BLURS] for blurred, still in _orders(pictures)]
    sharper_plate, sharper_frame = (min(costs) for costs in left)
    order = 0 if sharper_plate <= sharper_frame else 1
    least = left[order].index(min(left[order]))
    if left[order][least] > _GAIN * left[order][0]:
        return 0.0
    return _BLURS[least] if order == 0 else -_BLURS[least]


def _orders(pictures: list[Array]) -> list[tuple[Array, Array]]:
    frame, plate = pictures
    return [(plate, frame), (frame, plate)]


def _left(blurred: Array, still: Array, sigma: float, where: Mask, noise: float) -> float:
    """Mean squared difference without the grain's own, half of which is in either picture and shrinks with the blur."""
    kept = 1.0
    if sigma:
        kernel = cv2.getGaussianKernel(2 * round(4 * sigma) + 1, sigma)
        blurred, kept = cv2.sepFilter2D(blurred, -1, kernel, kernel), float((kernel**2).sum()) ** 2
    squared = float(np.square(blurred - still)[where].mean())
    return max(squared - noise / 2 * (1 + kept), 0.02 * noise)


def _log_luminance(rgb: Array, floor: np.float32) -> Array:
    luma = cv2.transform(rgb, np.array([[0.25, 0.5, 0.25]], np.float32))
    return np.asarray(np.log2(np.maximum(luma, 0) + floor), np.float32)


def _grain(rgb: Array, fit: Photometric, floor: np.float32) -> Array:
    """``(H, W)`` variance of the difference of both pictures' log luminance, stops squared."""
    a, b = np.asarray(fit.noise, np.float32).T
    weights = np.array([0.25, 0.5, 0.25], np.float32) ** 2
    variance = ((a + b * np.maximum(rgb, 0)) * weights).sum(2)
    luma = np.maximum(cv2.transform(rgb, np.array([[0.25, 0.5, 0.25]], np.float32)), 0)
    return np.asarray(variance / (np.log(np.float32(2)) * (luma + floor)) ** 2, np.float32)
