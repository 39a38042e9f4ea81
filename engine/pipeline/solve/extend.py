"""Continuing what is known over what is not."""

from __future__ import annotations

import cv2
import numpy as np

from engine.values import Array


def extend(values: Array, weight: Array) -> Array:
    """Fill where the weight is low from where it is high: pull-push over a pyramid.

    Gortler et al., "The Lumigraph", SIGGRAPH 1996, section 3.4. Smooth, and exact where the weight is 1 everywhere.

    Args:
        values: ``(H, W, C)``.
        weight: ``(H, W)``, 0..1.
    """
    height, width = weight.shape
    weight = np.minimum(weight, 1)
    if min(height, width) <= 2:
        total = float(weight.sum())
        mean = (values * weight[..., None]).sum((0, 1)) / total if total > 0 else values.mean((0, 1))
        return np.broadcast_to(mean, values.shape).astype(np.float32)
    size = ((width + 1) // 2, (height + 1) // 2)
    small_weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    weighted = cv2.resize(values * weight[..., None], size, interpolation=cv2.INTER_AREA)
    small = extend(weighted / np.maximum(small_weight, 1e-12)[..., None], np.minimum(small_weight * 4, 1))
    coarse = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(coarse + (values - coarse) * weight[..., None], np.float32)
