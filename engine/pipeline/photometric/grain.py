"""How much a frame's grain makes it differ from its fitted plate, as a function of brightness."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.values import Array

_BINS = 24
_FEWEST = 64
"""Classes of equal count along the signal, and the smallest count that a deviation is measured on."""

_FLOOR = 1e-8
"""Smallest variance: what 8-bit sRGB rounds in its darkest, steepest-coded tones, ``(1 / 255 / 12.92) ** 2 / 12``."""

_TO_SIGMA = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""

GUESS = (1e-5, 1e-3)
"""Where nothing can be measured: the grain of a camera at base sensitivity, of two takes together."""


def measure_noise(difference: Array, signal: Array) -> tuple[float, float]:
    """Fit ``a + b * max(signal, 0)`` to the variance of a difference: electronics and photons (Foi et al., TIP 2008).

    Robust in each class of signal: what misses a class's median by far, an edge or a leaf, does not count.

    Args:
        difference: ``(N,)`` frame minus fitted plate, linear, background only.
        signal: ``(N,)`` fitted plate without its own grain, or the classes would share it with the difference.

    Returns:
        ``(a, b)``, ``a`` at least 1e-8 and ``b`` at least 0; `GUESS` for too few samples.
    """
    if len(signal) < _FEWEST:
        return GUESS
    classes = np.array_split(np.argsort(signal, kind="stable"), min(_BINS, len(signal) // _FEWEST))
    levels = np.array([max(float(np.median(signal[chosen])), 0.0) for chosen in classes])
    variances = np.array([_variance(difference[chosen]) for chosen in classes])
    return _line(levels, variances)


def _variance(values: Array) -> float:
    deviation = np.abs(values - np.median(values))
    return max(float(_TO_SIGMA * np.median(deviation)) ** 2, _FLOOR)


def _line(levels: npt.NDArray[np.float64], variances: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Least squares of the relative error, as a variance is known to a share of itself; both terms kept in bounds."""
    columns = np.stack([np.ones_like(levels), levels], 1) / variances[:, None]
    a, b = np.linalg.lstsq(columns, np.ones_like(levels), rcond=None)[0]
    if b < 0:
        return max(float(np.median(variances)), _FLOOR), 0.0
    if a < _FLOOR:
        slope = columns[:, 1]
        return _FLOOR, max(float(slope @ (1 - _FLOOR / variances)) / max(float(slope @ slope), 1e-30), 0.0)
    return float(a), float(b)
