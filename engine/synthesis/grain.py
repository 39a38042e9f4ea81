"""Sensor grain by sensitivity, as a photographer sets it."""

from __future__ import annotations

import numpy as np

from engine.synthesis.textures import Rng
from engine.values import Array

FULL_WELL = 50_000
"""Electrons of a pixel that is full at ISO 100: the order of a full-frame sensor with pixels of 6 micrometres."""

READ_NOISE = 3.0
"""Electrons, standard deviation; of the same sensor."""


def variance(light: Array, iso: float) -> Array:
    """Variance of the grain, by the linear camera model of EMVA 1288 (release 4, section 2.2): dark and photon noise.

    Args:
        light: linear, 1 = a full pixel; any shape.
        iso: sensitivity; at twice the ISO half as many electrons make the same light.
    """
    per_electron = iso / 100 / FULL_WELL
    return np.asarray(per_electron * np.maximum(light, 0) + (READ_NOISE * per_electron) ** 2, np.float32)


def with_grain(light: Array, iso: float, rng: Rng) -> Array:
    """Linear light as a sensor records it: independent Gaussian grain in every sample; nothing is clipped.

    Args:
        light: ``(H, W, 3)`` linear.
        iso: sensitivity; 100 leaves 1.1 % of mid grey, 1600 leaves 4.2 %.
        rng: source of the grain.
    """
    drawn = rng.standard_normal(light.shape, np.float32)
    return np.asarray(light + drawn * np.sqrt(variance(light, iso)), np.float32)
