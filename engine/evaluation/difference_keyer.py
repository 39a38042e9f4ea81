"""The classical opponent: a difference keyer as compositors set it up, tuned with knowledge that no compositor has.

    alpha = clip(gain * (distance(frame, plate) - offset), 0, 1)

The distance is taken in linear light, log light or chromaticity, after an optional blur or median against grain, as
with Nuke's ``Difference`` (offset and gain) behind a ``Blur`` or ``Median``. Its parameters come from a grid search
against the true alpha of the very shot that it is then measured on, and the demo gives it the registered,
exposure-matched plate: a generous opponent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal, TypeAlias, get_args

import cv2
import numpy as np
import numpy.typing as npt

from engine.values import Array

FLOOR = 0.01
"""Linear light added before logarithm or division, about four stops below mid grey: below it lies grain."""

STRIDE = 5
"""Pixels between those that count in tuning; it only saves time."""

Light = Literal["linear", "log", "chroma"]
Norm = Literal["largest", "length"]
Filter = Literal["none", "blur", "wide blur", "median"]
Levels: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class DifferenceKeyer:
    """One setting of the keyer.

    Attributes:
        light: linear values, their base-2 logarithm (stops), or each channel's share of the light, which shadows leave
            nearly alone.
        norm: over the channels: the largest difference, or the length of the difference vector.
        denoise: filter of frame and plate before the difference: Gaussian of 1 or 3 px, or median of 5x5 px.
        offset: difference at which alpha leaves 0, in the unit of ``light``.
        gain: alpha per unit of difference above the offset.
    """

    light: Light
    norm: Norm
    denoise: Filter
    offset: float = 0.0
    gain: float = 1.0

    def distance(self, frame: Array, plate: Array) -> Array:
        """How far two ``(H, W, 3)`` linear images lie apart, ``(H, W)``, 0 and up."""
        return self.size(self.apart(frame, plate))

    def apart(self, frame: Array, plate: Array) -> Array:
        """How far they lie apart in each channel, ``(H, W, 3)``, 0 and up; whatever the norm."""
        return np.abs(self._prepared(frame) - self._prepared(plate))

    def size(self, apart: Array) -> Array:
        """One distance of those of the channels: ``(..., 3)`` to ``(...)``."""
        return apart.max(axis=-1) if self.norm == "largest" else np.linalg.norm(apart, axis=-1).astype(np.float32)

    def soft_threshold(self, distance: Array) -> Array:
        """Alpha, ``(H, W)`` 0..1, of a distance."""
        return np.clip(self.gain * (distance - self.offset), 0, 1).astype(np.float32)

    def key(self, frame: Array, plate: Array) -> Array:
        """Alpha, ``(H, W)`` 0..1, of a frame before its plate, both ``(H, W, 3)`` linear."""
        return self.soft_threshold(self.distance(frame, plate))

    def _prepared(self, image: Array) -> Array:
        smooth = self._denoised(np.ascontiguousarray(image, np.float32))
        if self.light == "linear":
            return smooth
        light = np.maximum(smooth, 0) + np.float32(FLOOR)
        return np.log2(light) if self.light == "log" else light / light.sum(axis=2, keepdims=True)

    def _denoised(self, image: Array) -> Array:
        if self.denoise == "none":
            return image
        if self.denoise == "median":
            return np.asarray(cv2.medianBlur(image, 5))
        return np.asarray(cv2.GaussianBlur(image, (0, 0), 1.0 if self.denoise == "blur" else 3.0))


def tune(frames: Sequence[Array], plates: Sequence[Array], truths: Sequence[Array]) -> DifferenceKeyer:
    """Find the setting with the least mean absolute difference to the truth, by trying all of a grid, then a finer one.

    Offset and gain are searched as the two distances at which alpha reaches 0 and 1, spaced evenly in the logarithm
    between the 1st and the 99.9th percentile of the shot's distances. Every `STRIDE`-th pixel of each direction counts.

    Args:
        frames: ``(H, W, 3)`` linear, one or more of the shot.
        plates: the plate on each frame's grid.
        truths: true alphas, ``(H, W)``.

    Returns:
        The best setting.
    """
    return min(_tuned_variants(frames, plates, truths), key=lambda tuned: tuned[0])[1]


def _tuned_variants(
    frames: Sequence[Array], plates: Sequence[Array], truths: Sequence[Array]
) -> Iterator[tuple[float, DifferenceKeyer]]:
    truth = _sampled(truths)
    for light, denoise in product(get_args(Light), get_args(Filter)):
        filtered = DifferenceKeyer(light, "largest", denoise)
        apart = _sampled([filtered.apart(frame, plate) for frame, plate in zip(frames, plates, strict=True)])
        for norm in get_args(Norm):
            keyer = replace(filtered, norm=norm)
            yield _tuned(keyer, keyer.size(apart), truth)


def _tuned(keyer: DifferenceKeyer, distance: Array, truth: Array) -> tuple[float, DifferenceKeyer]:
    """The best offset and gain for one filter and norm, and their error."""
    low, high = np.maximum(np.percentile(distance, (1, 99.9)), 1e-6)
    coarse = np.geomspace(low, max(high, 1.01 * low), 20)
    _, rough = _best_thresholds(keyer, distance, truth, coarse, coarse)
    step = coarse[1] / coarse[0]
    start, end = rough.offset, rough.offset + 1 / rough.gain
    return _best_thresholds(keyer, distance, truth, _around(start, step), _around(end, step))


def _sampled(maps: Sequence[Array]) -> Array:
    """Every `STRIDE`-th pixel of all maps in one row, ``(N,)`` or ``(N, C)``."""
    return np.concatenate([values[::STRIDE, ::STRIDE].reshape(-1, *values.shape[2:]) for values in maps])


def _around(level: float, step: float) -> Levels:
    return level * np.geomspace(1 / step, step, 9)


def _best_thresholds(
    keyer: DifferenceKeyer, distance: Array, truth: Array, starts: Levels, ends: Levels
) -> tuple[float, DifferenceKeyer]:
    settings = (
        replace(keyer, offset=float(start), gain=float(1 / (end - start)))
        for start, end in product(starts, ends)
        if end > start
    )
    tried = ((float(np.mean(np.abs(setting.soft_threshold(distance) - truth))), setting) for setting in settings)
    return min(tried, key=lambda trial: trial[0])
