"""One resampling of a plate onto a frame's grid."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from engine.pipeline.registration.fields import grid
from engine.pipeline.registration.refine import Field
from engine.values import Array, Plate

Sampler: TypeAlias = Callable[[Array, int], Array]
"""Takes an image of the plate's grid and an OpenCV kernel; gives the frame's grid."""

_HALF = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
"""Moves OpenCV's pixel centres (integers) to ours (integers + 0.5)."""

_TAPS = np.ones((4, 4), np.uint8)


def warp_plate(
    plate: Array, homography: npt.NDArray[np.float64], size: tuple[int, int], field: Field | None = None
) -> Plate:
    """Resample a plate with a Lanczos-4 kernel, held between the extremes of the nearest 4 x 4 pixels.

    The kernel keeps grain and texture as sharp as the frame's; the hold keeps its ringing beside a highlight of 500
    within what the plate has there. OpenCV rounds sampling positions to 1/32 px and its kernel bends a ramp a little:
    together a position is off by about 0.03 px at most (measured on ramps, 20 px from the rim).

    Args:
        plate: ``(h, w, 3)`` linear, any range.
        homography: ``(3, 3)`` plate pixel -> frame pixel, centres at integers + 0.5.
        size: ``(H, W)`` of the frame.
        field: displacements on the frame's grid that go before the homography; both are one resampling.

    Returns:
        ``(H, W)`` plate, valid where those 4 x 4 pixels (the kernel's body) lie in the plate, and where the field lets
        the plate have seen them; 0 elsewhere.
    """
    sample = _straight(homography, size) if field is None else _bent(homography, field)
    smooth = sample(plate, cv2.INTER_LANCZOS4)
    low, high = (sample(extreme(plate, _TAPS, anchor=(1, 1)), cv2.INTER_NEAREST) for extreme in (cv2.erode, cv2.dilate))
    inside = np.zeros(plate.shape[:2], np.float32)
    inside[1:-1, 1:-1] = 1.0
    # At least one pixel centre away from the plate's rim: bilinear weights see no zero there.
    valid = sample(inside, cv2.INTER_LINEAR) > 1.0 - 1e-4
    if field is not None:
        valid &= field.seen
    return Plate(np.where(valid[..., None], np.clip(smooth, low, high), np.float32(0)), valid)


def _straight(homography: npt.NDArray[np.float64], size: tuple[int, int]) -> Sampler:
    """Samples by a homography alone. The nearest of 4 x 4 pixels is half a pixel up and left of the nearest one."""
    matrix = np.linalg.inv(_HALF) @ homography @ _HALF

    def sample(image: Array, kernel: int) -> Array:
        there = matrix @ _HALF if kernel == cv2.INTER_NEAREST else matrix
        border = cv2.BORDER_REPLICATE if kernel == cv2.INTER_LANCZOS4 else cv2.BORDER_CONSTANT
        return np.asarray(cv2.warpPerspective(image, there, size[::-1], flags=kernel, borderMode=border))

    return sample


def _bent(homography: npt.NDArray[np.float64], field: Field) -> Sampler:
    """Samples by a field, then a homography."""
    matrix = np.linalg.inv(_HALF) @ np.linalg.inv(homography) @ _HALF
    at = grid(field.way.shape[:2])
    at += field.way
    at = np.asarray(cv2.perspectiveTransform(at, matrix))

    def sample(image: Array, kernel: int) -> Array:
        there = at - np.float32(0.5) if kernel == cv2.INTER_NEAREST else at
        border = cv2.BORDER_REPLICATE if kernel == cv2.INTER_LANCZOS4 else cv2.BORDER_CONSTANT
        return np.asarray(cv2.remap(image, there, None, kernel, borderMode=border))

    return sample
