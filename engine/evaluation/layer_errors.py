"""Errors of the layers beside alpha: the equation itself, foreground, shadow, and the noise of what stands still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.values import Array, Mask

Exact = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Stack:
    """What a delivered file says of a frame ``I = P + (1 - a) s B + R``; linear, as stored.

    Attributes:
        premultiplied: ``(H, W, 3)`` P.
        alpha: ``(H, W)`` a, 0..1.
        shadow_ratio: ``(H, W, 3)`` s, 0..1.
        plate: ``(H, W, 3)`` B.
        residual: ``(H, W, 3)`` R.
    """

    premultiplied: Array
    alpha: Array
    shadow_ratio: Array
    plate: Array
    residual: Array


@dataclass(frozen=True)
class Recombination:
    """Largest deviation of the recombined layers from the frame, over pixels and channels.

    Attributes:
        relative: in units of M, the largest of the sizes of the equation's four terms in that pixel and channel.
        half_ulps: in spacings of half-precision numbers at M.
    """

    relative: float
    half_ulps: float


def recombination(frame: Array, stack: Stack, region: Mask) -> Recombination:
    """Put the layers together in double precision and compare with the frame.

    Args:
        frame: ``(H, W, 3)`` I.
        stack: the layers as read back.
        region: where the equation is promised: plate valid, no garbage.

    Returns:
        The worst sample of the region.
    """
    behind = (1 - _double(stack.alpha)[..., None]) * _double(stack.shadow_ratio) * _double(stack.plate)
    terms = (_double(frame), _double(stack.premultiplied), behind, _double(stack.residual))
    error = np.abs(terms[0] - terms[1] - terms[2] - terms[3])[region]
    size = np.max(np.abs(terms), axis=0)[region]
    return Recombination(relative=_largest_ratio(error, size), half_ulps=_largest_ratio(error, _half_spacing(size)))


def premultiplied_mse(estimate: Array, truth: Array, region: Mask | None = None) -> float:
    """Mean squared error of the premultiplied foreground, ``(H, W, 3)``, in linear light and its units squared.

    The papers' foreground error is of straight, gamma-encoded colour where alpha is above 0; a compositor merges
    premultiplied light, so that is what is measured, over the whole region.
    """
    squared = (_double(estimate) - _double(truth)) ** 2
    return float(np.mean(squared if region is None else squared[region]))


def shadow_mae(estimate: Array, truth: Array, region: Mask | None = None) -> float:
    """Mean absolute error of the shadow ratio, ``(H, W, 3)``; the region should leave out what the subject hides."""
    error = np.abs(_double(estimate) - _double(truth))
    return float(np.mean(error if region is None else error[region]))


def static_noise(alphas: Sequence[Array], truths: Sequence[Array], tolerance: float = 1 / 1024) -> float:
    """Mean standard deviation of alpha over time, where the truth stands still.

    Args:
        alphas: estimates of consecutive frames, ``(H, W)`` each.
        truths: true alphas of the same frames.
        tolerance: largest change of the truth that still counts as standing still.

    Returns:
        Standard deviation in alpha; 0 where no pixel stands still.
    """
    still = np.ptp(np.stack(truths), axis=0) <= tolerance
    return float(np.mean(np.std(_double(np.stack(alphas)), axis=0)[still])) if still.any() else 0.0


def _double(values: Array) -> Exact:
    return np.asarray(values, np.float64)


def _half_spacing(size: Exact) -> Exact:
    """Distance from a half-precision number to the next larger one; from the definition, so that 65504 has one too."""
    exponent = np.floor(np.log2(np.maximum(size, 2.0**-14)))
    return np.exp2(exponent - 10)


def _largest_ratio(error: Exact, unit: Exact) -> float:
    ratio = np.divide(error, unit, out=np.where(error > 0, np.inf, 0.0), where=unit > 0)
    return float(ratio.max(initial=0.0))
