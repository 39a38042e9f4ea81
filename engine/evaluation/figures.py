"""The figures of a keyed shot: what is measured, in which scale, and how figures are averaged.

Alphas are measured as float, not rounded to 8 bits as the papers' scripts do; the scales are theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.evaluation.keyers import Keyed
from engine.evaluation.layer_errors import premultiplied_mse, shadow_mae, static_noise
from engine.evaluation.metrics import sad, score, unknown_band
from engine.evaluation.shot import Shot
from engine.values import Array, Mask

Figures = dict[str, float | None]
"""Column's key -> figure; None where a keyer, or a shot, has nothing to measure."""


@dataclass(frozen=True)
class Column:
    """One figure of the table.

    Attributes:
        key: in JSON; those of the unknown band begin with ``band_``.
        title: over the column, with the scale.
        meaning: one sentence.
        digits: behind the point.
        larger_is_better: else smaller is.
    """

    key: str
    title: str
    meaning: str
    digits: int = 2
    larger_is_better: bool = False


ALPHA = (
    Column("mad", "MAD e3", "mean absolute difference of alpha, x 1000"),
    Column("mse", "MSE e3", "mean squared error of alpha, x 1000"),
    Column("sad", "SAD e-3", "sum of absolute differences, a frame, / 1000"),
    Column("grad", "Grad e-3", "gradient error, a frame's sum, / 1000"),
    Column("conn", "Conn e-3", "connectivity error, a frame's sum, / 1000"),
    Column("dtssd", "dtSSD e2", "error of alpha's change between two frames, root mean square, x 100"),
    Column("calibration", "Spearman", "rank correlation of the uncertainty with the error of alpha", 2, True),
)
"""Measured over the whole frame and over the unknown band."""

LAYERS = (
    Column("premultiplied", "P MSE e3", "mean squared error of the premultiplied foreground, linear light, x 1000", 3),
    Column("static", "static e3", "standard deviation of alpha over time where the truth stands still, x 1000", 3),
    Column("shadow", "shadow e3", "mean absolute error of the shadow ratio where the true alpha is below 0.5, x 1000"),
)
"""Measured over the whole frame."""

BAND = "band_"


def measure(shot: Shot, keyed: Sequence[Keyed]) -> Figures:
    """All figures of a keyed shot.

    Args:
        shot: with its truth.
        keyed: one a frame.

    Returns:
        Means over the frames; temporal figures are None for a single frame.
    """
    bands = [unknown_band(alpha) for alpha in shot.alphas]
    figures = _alpha(shot, keyed, None) | {BAND + key: value for key, value in _alpha(shot, keyed, bands).items()}
    light = zip(keyed, shot.foregrounds, strict=True)
    figures["premultiplied"] = 1e3 * _mean([premultiplied_mse(one.premultiplied, truth) for one, truth in light])
    still = len(keyed) > 1
    figures["static"] = 1e3 * static_noise([one.alpha for one in keyed], shot.alphas) if still else None
    figures["shadow"] = _shadow(shot, keyed)
    return figures


def average(figures: Sequence[Mapping[str, float | None]]) -> Figures:
    """Mean of each figure over the shots that have it; every shot weighs the same."""
    keys = dict.fromkeys(key for one in figures for key in one)
    measured = {key: [value for one in figures if (value := one.get(key)) is not None] for key in keys}
    return {key: _mean(values) if values else None for key, values in measured.items()}


def calibration(uncertainty: Array, error: Array) -> float | None:
    """Spearman's rank correlation of the expected with the true error; None where either is the same everywhere."""
    expected, true = _ranks(uncertainty), _ranks(error)
    spread = float(expected.std() * true.std())
    return float(np.mean((expected - expected.mean()) * (true - true.mean()))) / spread if spread > 0 else None


def _ranks(values: Array) -> np.ndarray:
    """Ranks of the values, equal ones sharing their mean rank."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]


def _alpha(shot: Shot, keyed: Sequence[Keyed], regions: Sequence[Mask] | None) -> Figures:
    alphas = [one.alpha for one in keyed]
    masks = list(regions) if regions is not None else [np.ones(truth.shape, bool) for truth in shot.alphas]
    if not all(mask.any() for mask in masks):
        return {column.key: None for column in ALPHA}
    figures: Figures = dict(vars(score(alphas, shot.alphas, masks)))
    if len(alphas) < 2:
        figures["dtssd"] = None
    figures["sad"] = 1e-3 * _mean([sad(*one) for one in zip(alphas, shot.alphas, masks, strict=True)])
    trust = [_calibration(*one) for one in zip(keyed, shot.alphas, masks, strict=True)]
    known = [one for one in trust if one is not None]
    figures["calibration"] = _mean(known) if known else None
    return figures


def _calibration(keyed: Keyed, truth: Array, region: Mask) -> float | None:
    if keyed.uncertainty is None:
        return None
    return calibration(keyed.uncertainty[region], np.abs(keyed.alpha - truth)[region])


def _shadow(shot: Shot, keyed: Sequence[Keyed]) -> float | None:
    if shot.shadows is None:
        return None
    errors = [
        shadow_mae(one.shadow, truth, alpha < 0.5)
        for one, truth, alpha in zip(keyed, shot.shadows, shot.alphas, strict=True)
        if one.shadow is not None and (alpha < 0.5).any()
    ]
    return 1e3 * _mean(errors) if errors else None


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
