"""How wrong alpha is expected to be: what the network doubts, and what the solve sees beside it.

The network gives two answers under one name: where it refined, a pixel's own error, elsewhere the largest within a
cell. Neither knows what the solve changed. A logistic model of five cues brings them to one scale.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine.values import Array, Matte

CUES = ("doubt", "softness", "slope", "change", "disagreement")

WEIGHTS = (-0.53, 0.98, 0.56, 0.44, 0.31, 0.67)
"""Of 1 and of each of `CUES`, fitted to the error of alpha on generated shots that are in no validation set:
``python tests/bench/uncertainty.py fit`` (docs/light.md)."""

FLOOR = 0.005
"""Expected errors below are none: a tint of half a percent is the least that is seen."""

_CERTAIN = 1e-4
"""Doubt is kept this far from 0 and 1, where its logarithm ends."""

_SEPARATE = 3.0
"""Deviations of the grain by which two colours lie apart where unmixing says half of what it can."""


def expected_error(frame: Array, behind: Array, matte: Matte, alpha: Array, noise: Array) -> Array:
    """Expected absolute error of alpha, ``(H, W)`` 0..1, exactly 0 below `FLOOR`.

    Args:
        frame: I, ``(H, W, 3)`` linear.
        behind: ``s B``, 0 where the plate is invalid.
        matte: the network's alpha, uncertainty and foreground.
        alpha: what the solve made of that alpha, ``(H, W)``.
        noise: ``(H, W, 3)``, standard deviation of ``frame - plate``.
    """
    score = np.full(alpha.shape, WEIGHTS[0], np.float32)
    for weight, cue in zip(WEIGHTS[1:], cues(frame, behind, matte, alpha, noise), strict=True):
        score += np.float32(weight) * cue
    error = 1 / (1 + np.exp(-score))
    return np.asarray(np.where(error < FLOOR, 0, error), np.float32)


def cues(frame: Array, behind: Array, matte: Matte, alpha: Array, noise: Array) -> tuple[Array, ...]:
    """`CUES`, ``(H, W)`` each: a logit, and four from 0 to 1. See `expected_error`."""
    doubt = np.clip(matte.uncertainty, _CERTAIN, 1 - _CERTAIN)
    around = np.ones((3, 3), np.uint8)
    return (
        np.log(doubt / (1 - doubt)),
        4 * alpha * (1 - alpha),
        cv2.dilate(alpha, around) - cv2.erode(alpha, around),
        np.abs(alpha - matte.alpha),
        _disagreement(frame, behind, matte.foreground, alpha, noise),
    )


def _disagreement(frame: Array, behind: Array, colour: Array, alpha: Array, noise: Array) -> Array:
    """How far alpha is from the one that explains the pixel, as far as grain lets the two colours be told apart.

    The alpha of unmixing is ``<I - sB, F - sB> / |F - sB|^2`` (docs/decisions/0008-unmixing-cue.md).
    """
    apart = colour - behind
    length = _dot(apart, apart)
    unmixed = np.clip(_dot(frame - behind, apart) / np.maximum(length, 1e-12), 0, 1)
    clear = length / (length + _SEPARATE**2 * _dot(noise, noise))
    return np.asarray(np.abs(unmixed - alpha) * clear, np.float32)


def _dot(a: Array, b: Array) -> Array:
    return np.asarray(np.einsum("hwc,hwc->hw", a, b), np.float32)
