"""Errors of an alpha against its truth: MAD, MSE, SAD, Grad, Conn and dtSSD.

Two families of published numbers exist and must not be mixed. Robust Video Matting (RVM: Lin et al., WACV 2022;
``evaluation/evaluate_lr.py``) measures the whole frame; Deep Image Matting (DIM: Xu et al., CVPR 2017) and Background
Matting V2 (Lin et al., CVPR 2021; ``eval/*.m``) count the trimap's unknown band only. A region given here restricts the
*sum*: gradients and connected components are always computed on the whole image, as those scripts do.

Alphas are ``(H, W)`` in 0..1. The functions return plain units; `Score` holds the scale that papers print.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from engine.values import Array, Mask

GRADIENT_SIGMA = 1.4
"""px; Rhemann et al., "A Perceptually Motivated Online Benchmark for Image Matting" (CVPR 2009)."""

CONNECTIVITY_STEP = 0.1
"""Spacing of the thresholds of the connectivity error; the same benchmark."""

CONNECTIVITY_SLACK = 0.15
"""Distances below it count as connected; the same benchmark."""

BAND_ALPHA = (0.06, 0.96)
"""Alphas between are unknown in the trimap of Background Matting V2 (its supplement) ..."""

BAND_ITERATIONS = 10
"""... closed by this many dilations and erosions with a 3x3 circle."""


@dataclass(frozen=True)
class Score:
    """Mean errors of a shot in the scale of the video matting papers.

    Attributes:
        mad: mean absolute difference x 1e3.
        mse: mean squared error x 1e3.
        grad: gradient error / 1e3, a frame's sum.
        conn: connectivity error / 1e3, a frame's sum.
        dtssd: temporal coherence x 1e2, mean over pairs of frames; 0 for a single frame.
    """

    mad: float
    mse: float
    grad: float
    conn: float
    dtssd: float


def score(estimates: Sequence[Array], truths: Sequence[Array], regions: Sequence[Mask] | None = None) -> Score:
    """Measure a shot frame by frame and average.

    Args:
        estimates: one alpha a frame, in order.
        truths: the true alphas.
        regions: the pixels that count, a mask a frame; all where None.

    Returns:
        Means over the frames; dtSSD over the pairs, so that a first frame without a predecessor does not dilute it as
        it does in RVM's spreadsheet.
    """
    masks = list(regions) if regions is not None else [np.ones(truth.shape, bool) for truth in truths]
    frames = list(zip(estimates, truths, masks, strict=True))
    pairs = [dtssd(estimates[i - 1], estimates[i], truths[i - 1], truths[i], masks[i]) for i in range(1, len(frames))]
    return Score(
        mad=1e3 * float(np.mean([mad(*frame) for frame in frames])),
        mse=1e3 * float(np.mean([mse(*frame) for frame in frames])),
        grad=1e-3 * float(np.mean([grad(*frame) for frame in frames])),
        conn=1e-3 * float(np.mean([conn(*frame) for frame in frames])),
        dtssd=1e2 * float(np.mean(pairs)) if pairs else 0.0,
    )


def mad(estimate: Array, truth: Array, region: Mask | None = None) -> float:
    """Mean absolute difference over the region."""
    return float(np.mean(_inside(np.abs(_difference(estimate, truth)), region)))


def sad(estimate: Array, truth: Array, region: Mask | None = None) -> float:
    """Sum of absolute differences over the region."""
    return float(np.sum(_inside(np.abs(_difference(estimate, truth)), region)))


def mse(estimate: Array, truth: Array, region: Mask | None = None) -> float:
    """Mean squared error over the region."""
    return float(np.mean(_inside(_difference(estimate, truth) ** 2, region)))


def dtssd(before: Array, now: Array, truth_before: Array, truth_now: Array, region: Mask | None = None) -> float:
    """Root mean square of the error of alpha's change between two frames.

    Erofeev et al., "Perceptually Motivated Benchmark for Video Matting" (BMVC 2015), by the pixel count as in RVM.
    """
    change = _difference(now, before) - _difference(truth_now, truth_before)
    return float(np.sqrt(np.mean(_inside(change**2, region))))


def grad(estimate: Array, truth: Array, region: Mask | None = None) -> float:
    """Sum of squared differences of the gradient magnitudes.

    Both alphas are first stretched to 0..1 (MATLAB's ``mat2gray``, OpenCV's min-max), as DIM and RVM at low resolution
    do; a prediction that is merely scaled is therefore not punished here but by MAD.
    """
    difference = _gradient_magnitude(estimate) - _gradient_magnitude(truth)
    return float(np.sum(_inside(difference**2, region)))


def conn(estimate: Array, truth: Array, region: Mask | None = None) -> float:
    """Connectivity error: how far pixels hang off the largest body that both alphas agree on.

    Rhemann et al. (CVPR 2009) in the form of RVM's ``evaluate_lr.py``: a pixel's level is the last threshold at which
    it belongs to the largest 4-connected component of ``estimate >= t`` and ``truth >= t``.
    """
    level = _connected_level(estimate, truth)
    return float(np.sum(_inside(np.abs(_connectedness(estimate, level) - _connectedness(truth, level)), region)))


def unknown_band(truth: Array) -> Mask:
    """The unknown region of Background Matting V2's trimap: partly covered pixels, closed over small gaps.

    Args:
        truth: ``(H, W)`` true alpha, 0..1.

    Returns:
        ``(H, W)``, true in the band.
    """
    low, high = BAND_ALPHA
    partial = ((truth >= low) & (truth <= high)).astype(np.uint8)
    circle = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    closed = cv2.morphologyEx(partial, cv2.MORPH_CLOSE, circle, iterations=BAND_ITERATIONS)
    return closed.astype(bool)


def _difference(a: Array, b: Array) -> npt.NDArray[np.float64]:
    return np.asarray(a, np.float64) - np.asarray(b, np.float64)


def _inside(values: npt.NDArray[np.float64], region: Mask | None) -> npt.NDArray[np.float64]:
    return values if region is None else values[region]


def _gradient_magnitude(alpha: Array) -> npt.NDArray[np.float64]:
    values = np.asarray(alpha, np.float64)
    span = np.ptp(values)
    stretched = (values - values.min()) / span if span > 0 else np.zeros_like(values)
    kernel = _gradient_kernel()
    along_x = cv2.filter2D(stretched, cv2.CV_64F, kernel, borderType=cv2.BORDER_REPLICATE)
    along_y = cv2.filter2D(stretched, cv2.CV_64F, kernel.T, borderType=cv2.BORDER_REPLICATE)
    return np.hypot(along_x, along_y)


def _gradient_kernel() -> npt.NDArray[np.float64]:
    """First-order Gaussian derivative along x, cut where it falls below 0.01, of unit L2 norm; 9x9 at sigma 1.4."""
    sigma, cut = GRADIENT_SIGMA, 0.01
    half = int(np.ceil(sigma * np.sqrt(-2 * np.log(np.sqrt(2 * np.pi) * sigma * cut))))
    x = np.arange(-half, half + 1, dtype=np.float64)
    gaussian = np.exp(-(x**2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))
    kernel = np.outer(gaussian, -x * gaussian / sigma**2)
    return kernel / np.linalg.norm(kernel)


def _connected_level(estimate: Array, truth: Array) -> npt.NDArray[np.float64]:
    # arange, with its rounding, is what the reference scripts use: 0.1 added up, not i / 10.
    thresholds = np.arange(0, 1 + CONNECTIVITY_STEP, CONNECTIVITY_STEP)
    level = np.full(truth.shape, -1.0)
    for lower, upper in pairwise(thresholds):
        agreed = ((estimate >= upper) & (truth >= upper)).astype(np.uint8)
        fallen = (level == -1) & ~_largest_component(agreed)
        level[fallen] = lower
    level[level == -1] = 1
    return level


def _largest_component(mask: npt.NDArray[np.uint8]) -> Mask:
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    if count < 2:
        return np.zeros(mask.shape, bool)
    return np.asarray(labels == 1 + np.argmax(statistics[1:, cv2.CC_STAT_AREA]))


def _connectedness(alpha: Array, level: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    distance = np.asarray(alpha, np.float64) - level
    return 1 - distance * (distance >= CONNECTIVITY_SLACK)
