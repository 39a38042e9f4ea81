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
        known = float(weight.sum())
        mean = (values * weight[..., None]).sum((0, 1)) / known if known > 0 else values.mean((0, 1))
        return np.broadcast_to(mean, values.shape).astype(np.float32)
    size = ((width + 1) // 2, (height + 1) // 2)
    small_weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    total, scratch = np.maximum(small_weight, 1e-12), np.empty_like(weight)
    small, filled = planes(size[1], size[0], len(channels)), planes(height, width, len(channels))
    for channel in channels:
        np.multiply(values[..., channel], weight, out=scratch)
        np.divide(cv2.resize(scratch, size, interpolation=cv2.INTER_AREA), total, out=small[..., channel])
    small = extend(small, np.minimum(small_weight * 4, 1))
    for channel in channels:
        plane = filled[..., channel]
        cv2.resize(small[..., channel], (width, height), dst=plane, interpolation=cv2.INTER_LINEAR)
        np.subtract(values[..., channel], plane, out=scratch)
        np.multiply(scratch, weight, out=scratch)
        np.add(plane, scratch, out=plane)
    return filled
