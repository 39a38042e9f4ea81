"""Exposure, white balance and black level of a plate against a frame, in linear light, from the background alone.

One gain and offset a channel for the whole picture, and a low-order field where light differs over it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from engine.pipeline.photometric.field import Weights, factors, measure_field
from engine.pipeline.photometric.grain import GUESS, measure_noise
from engine.values import Array, Mask, Photometric, Plate

Vector = npt.NDArray[np.float64]

Solved = tuple[Vector, Vector, Mask]
"""Gain ``(3,)``, offset ``(3,)`` and the ``(h, w)`` samples that agree with them in every channel."""

_SAMPLES = 100_000
"""Most pixels looked at; three times as many move a gain by less than 0.2 % (measured on the sample photographs)."""

_FEWEST = 256
"""Fewest usable pixels that a fit is tried on."""

_STOPS = 2.0
"""Largest gain, either way: 1/4 .. 4. Two takes further apart are not lit alike."""

_CLIPPED = 0.985
"""Where an image that never exceeds 1 counts as clipped: integer files saturate at 1, coded tones near it are rare."""

_DARK = 0.02
"""Of the plate's upper quartile. Below it a ratio is grain over grain."""

_BIN = 1.0 / 64.0
_SMOOTHING = 3.0
"""stops, width of a class of ratios; classes, sigma of the smoothing that makes their mode steady against grain."""

_PLAIN_WEIGHT = 0.02
"""Vote of a pixel without structure against one whose structure is alike in both images."""

_TEXTURE = 0.05
"""stops, deviation over a patch that counts as structure."""

_SPREAD = (0.004, 0.05)
"""Bounds of the relative deviation of agreeing pixels: finer is rounding, coarser would let half shadows in."""

_CUT = 3.0
"""Deviations at which a pixel's weight ends (Tukey's biweight); below the customary 4.7, as shadows are one-sided."""

_RIDGE = 0.02
"""Weight of an offset of zero: a wall of one tone, where gain and offset cannot be told apart, gets a gain."""

_ROUNDS = 12
_FIELD_ROUNDS = 2
_CELLS = 8
_ENOUGH_AREA = 0.15
_ENOUGH_CELLS = 0.25
"""Share of the picture that agrees, and of its 8 x 8 cells that hold some of it, that support a fit fully."""


@dataclass(frozen=True)
class _Samples:
    """A grid of pixels, ``(h, w, ...)``.

    Attributes:
        frame, plate: 3 x 3 means, which grain and a tenth of a pixel hardly move.
        raw_frame, raw_plate: the pixels at their centres.
        usable: seen, not clipped, not black.
        vote: 0..1, how alike the structure is around the pixel.
        dark: linear, per picture, below which signals are grain.
    """

    frame: Array
    plate: Array
    raw_frame: Array
    raw_plate: Array
    usable: Mask
    vote: Array
    dark: float


def fit(frame: Array, plate: Plate, mode: Literal["off", "auto"]) -> Photometric:
    """Measure gain and offset between a registered plate and a frame, and the grain that remains.

    The start is the commonest ratio, where pixels whose surroundings look alike in both images count most; then
    reweighted least squares on relative error. Subject and shadow are outliers of both unless they are the larger part.

    Args:
        frame: ``(H, W, 3)`` linear, with the subject.
        plate: registered, linear, the same space.
        mode: ``off`` leaves the plate as it is and measures the grain only.

    Returns:
        The fit; gain 1, offset 0 and confidence 0 where nothing agrees.
    """
    samples = _sample(frame, plate)
    if samples.usable.sum() < _FEWEST:
        return Photometric((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), float(mode == "off"), (GUESS, GUESS, GUESS))
    even = _solve(samples, _start(samples))
    field, (gain, offset, agreeing) = _measure_light(samples, even) if mode == "auto" else ((), even)
    lit = _relit(samples, field)
    noise = [_noise(lit, channel, gain, offset, agreeing) for channel in range(3)]
    confidence = _confidence(agreeing, gain)
    if mode == "off" or confidence == 0.0:
        gain, offset, confidence, field = np.ones(3), np.zeros(3), float(mode == "off"), ()
    return Photometric(_triple(gain), _triple(offset), confidence, (noise[0], noise[1], noise[2]), field)


def apply(plate: Plate, fit: Photometric) -> Plate:
    """Expose a plate as its frame: ``gain * field * plate + offset`` where valid, 0 elsewhere.

    A gain of 1 with an offset of 0 and no field returns the plate itself.
    """
    if fit.gain == (1.0, 1.0, 1.0) and fit.offset == (0.0, 0.0, 0.0) and not fit.field:
        return plate
    light = factors(fit.field, plate.valid.shape) * np.asarray(fit.gain, np.float32)
    fitted = plate.rgb * light + np.asarray(fit.offset, np.float32)
    return Plate(np.where(plate.valid[..., None], fitted, np.float32(0)), plate.valid)


def _measure_light(samples: _Samples, even: Solved) -> tuple[Weights, Solved]:
    """The field, and gain, offset and agreement under it; twice, as the first offset is that of an even light."""
    field: Weights = ()
    solved = even
    for _ in range(_FIELD_ROUNDS):
        gain, offset = (np.asarray(part, np.float32) for part in solved[:2])
        vote = np.float32(_PLAIN_WEIGHT) + samples.vote
        field = measure_field(samples.frame - offset, samples.plate * gain, samples.usable, vote)
        if not field:
            return (), even
        lit = _relit(samples, field)
        solved = _solve(lit, _start(lit))
    return field, solved


def _relit(samples: _Samples, field: Weights) -> _Samples:
    """The samples with the plate under a field."""
    light = factors(field, samples.usable.shape)
    return replace(samples, plate=samples.plate * light, raw_plate=samples.raw_plate * light) if field else samples


def _sample(frame: Array, plate: Plate) -> _Samples:
    """Thin both images out to at most `_SAMPLES` pixels."""
    step = max(1, int(np.ceil((plate.valid.size / _SAMPLES) ** 0.5)))
    grid = np.s_[step // 2 :: step, step // 2 :: step]
    means = [np.ascontiguousarray(cv2.blur(rgb, (3, 3))[grid]) for rgb in (frame, plate.rgb)]
    seen = cv2.erode(plate.valid.astype(np.uint8), np.ones((3, 3)), borderValue=1)[grid] > 0
    bright = means[1].mean(2)[seen]
    dark = max(1e-4, _DARK * float(np.percentile(bright, 75))) if bright.size else 1e-4
    usable = seen & _unclipped(means[0]) & _unclipped(means[1]) & (np.minimum(*means).min(2) > dark / 4)
    usable &= means[1].mean(2) > dark
    return _Samples(means[0], means[1], frame[grid], plate.rgb[grid], usable, _alike(means[0], means[1], dark), dark)


def _unclipped(rgb: Array) -> Mask:
    """``(h, w)`` below the ceiling of an integer file; images with values above 1 have none."""
    if rgb.max() > 1.0 + 1e-3:
        return np.ones(rgb.shape[:2], np.bool_)
    return rgb.max(2) < _CLIPPED


def _alike(frame: Array, plate: Array, dark: float) -> Array:
    """``(h, w)`` vote: correlation of log luminance in 9 x 9 patches, where there is structure to correlate."""
    first, second = (np.log2(np.maximum(rgb.mean(2), 0) + np.float32(dark)) for rgb in (frame, plate))
    first, second = (image - cv2.blur(image, (31, 31)) for image in (first, second))
    mean_first, mean_second, *squares = (
        cv2.blur(image, (9, 9)) for image in (first, second, first * first, second * second, first * second)
    )
    of_first = np.maximum(squares[0] - mean_first**2, 1e-9)
    of_second = np.maximum(squares[1] - mean_second**2, 1e-9)
    correlation = np.clip((squares[2] - mean_first * mean_second) / np.sqrt(of_first * of_second), 0, 1)
    return correlation**4 * of_second / (of_second + np.float32(_TEXTURE**2))


def _start(samples: _Samples) -> Vector:
    """``(3,)`` gains: the commonest ratio of the picture, then of each channel near it."""
    ratio = np.log2((samples.frame + samples.dark)[samples.usable] / (samples.plate + samples.dark)[samples.usable])
    weight = _PLAIN_WEIGHT + samples.vote[samples.usable]
    grey = ratio.mean(1)
    near = np.abs(grey - _mode(grey, weight)) < 0.15
    return np.exp2([_mode(ratio[near, channel], weight[near]) for channel in range(3)])


def _mode(stops: Array, weight: Array) -> float:
    """The commonest value within the largest plausible gain."""
    edges = np.arange(-_STOPS - 0.5, _STOPS + 0.5 + _BIN, _BIN)
    counts, _ = np.histogram(stops, edges, weights=weight)
    smooth = cv2.GaussianBlur(counts.reshape(1, -1), (0, 0), _SMOOTHING).ravel()
    return float(edges[int(smooth.argmax())] + _BIN / 2)


def _solve(samples: _Samples, gain: Vector) -> Solved:
    """Gain, offset, and the ``(h, w)`` pixels that agree with them in every channel."""
    # Channel by channel in memory: sums over pixels then run along it.
    frame, plate = (rgb[samples.usable].T.astype(np.float64, order="C") for rgb in (samples.frame, samples.plate))
    vote = _PLAIN_WEIGHT + samples.vote[samples.usable].astype(np.float64)
    offset, spread = np.zeros(3), np.full(3, _SPREAD[1])
    for _ in range(_ROUNDS):
        scale = np.maximum(gain[:, None] * plate, 0) + (gain * samples.dark)[:, None]
        missed = (frame - gain[:, None] * plate - offset[:, None]) / scale
        red, green, blue = np.maximum(1 - np.square(missed / (_CUT * spread)[:, None]), 0)
        weight = np.square(red * green * blue)
        agreeing = weight > 0
        if agreeing.sum() < _FEWEST:
            break
        gain, offset = _regress(frame, plate, scale, weight * vote)
        spread = np.clip(1.4826 * np.median(np.abs(missed[:, agreeing]), axis=1), *_SPREAD)
    where = np.zeros(samples.usable.shape, np.bool_)
    where[samples.usable] = agreeing
    return gain, offset, where


def _regress(frame: Vector, plate: Vector, scale: Vector, weight: Vector) -> tuple[Vector, Vector]:
    """Weighted least squares of relative error, offset drawn to 0: ``(3,)`` each, of pixels ``(3, N)``."""
    share = weight / np.square(scale)
    of_plate = share * plate
    pp, p, one = (of_plate * plate).sum(1), of_plate.sum(1), share.sum(1) * (1 + _RIDGE)
    fp, f = (of_plate * frame).sum(1), (share * frame).sum(1)
    determinant = np.maximum(pp * one - p * p, 1e-30)
    return (fp * one - f * p) / determinant, (f * pp - fp * p) / determinant


def _noise(samples: _Samples, channel: int, gain: Vector, offset: Vector, agreeing: Mask) -> tuple[float, float]:
    """Variance model of a channel on agreeing pixels."""
    plate, smooth = samples.raw_plate[agreeing, channel], samples.plate[agreeing, channel]
    fitted = gain[channel] * plate + offset[channel]
    return measure_noise(samples.raw_frame[agreeing, channel] - fitted, gain[channel] * smooth + offset[channel])


def _confidence(agreeing: Mask, gain: Vector) -> float:
    """Support by area and by spread over the picture; 0 for a gain beyond reason."""
    if not ((gain > 2**-_STOPS) & (gain < 2**_STOPS)).all():
        return 0.0
    cells = cv2.resize(agreeing.astype(np.float32), (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
    area, spread = float(agreeing.mean()) / _ENOUGH_AREA, float((cells > 0.1).mean()) / _ENOUGH_CELLS
    return min(1.0, area) * min(1.0, spread)


def _triple(values: Vector) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
