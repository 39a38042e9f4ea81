"""Continuing what is known over what is not."""

from __future__ import annotations

import cv2
import numpy as np

from engine.pipeline.solve.pieces import planes
from engine.values import Array


def extend(values: Array, weight: Array) -> Array:
    """Fill where the weight is low from where it is high: pull-push over a pyramid.

    Gortler et al., "The Lumigraph", SIGGRAPH 1996, section 3.4. Smooth, and exact where the weight is 1 everywhere.

    Args:
        values: ``(H, W, C)``.
        weight: ``(H, W)``, 0..1.
    """
    height, width = weight.shape
    channels = range(values.shape[2])
    weight = np.minimum(weight, 1)
    if min(height, width) <= 2:
        total = float(weight.sum())
        mean = (values * weight[..., None]).sum((0, 1)) / total if total > 0 else values.mean((0, 1))
        return np.broadcast_to(mean, values.shape).astype(np.float32)
    size = ((width + 1) // 2, (height + 1) // 2)
    small_weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    small, total_weight = planes(size[1], size[0], len(channels)), np.maximum(small_weight, 1e-12)
    for channel in channels:
        weighted = cv2.resize(values[..., channel] * weight, size, interpolation=cv2.INTER_AREA)
        np.divide(weighted, total_weight, out=small[..., channel])
    small = extend(small, np.minimum(small_weight * 4, 1))
    filled = planes(height, width, len(channels))
    for channel in channels:
        coarse = cv2.resize(small[..., channel], (width, height), interpolation=cv2.INTER_LINEAR)
        known = values[..., channel] - coarse
        known *= weight
        np.add(coarse, known, out=filled[..., channel])
    return filled
