"""What most frames say of a pixel: the set where the subject moved away, and how many frames saw it.

A pixel's values over time are the set's, give or take the grain, and those of whatever passed before it. The median is
the set's wherever the subject stayed for less than half the time. Elsewhere the values' modes are counted: the mode of
a value is the number of frames that agree with it within the grain.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engine.pipeline.plates.stack import Strip
from engine.values import Array, Mask

Noise = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
"""Variance of the difference of two frames, a channel: ``a + b * max(signal, 0)``; as `Photometric.noise`."""

_AGREES = 3.0
"""Deviations of a difference of two frames within which values agree: over four of one frame's grain, so that one
sample in ten thousand is missed."""

_SETTLED = 0.85
"""Share of the frames that must agree with the median; else the modes are counted, which costs N times as much."""

_SECOND = 0.15
"""Share of the frames that makes a second mode one that may be the set: the subject may have stood longer."""

_FEW_FRAMES, _EVIDENCE = 8, 3
"""From this many frames on, this many must agree; of fewer, two. Any two frames may agree by chance."""

_GATHERED = 4096
"""Pixels whose modes are counted at a time: N = 64 of them are 3 MiB, which a cache holds."""

_KERNEL = np.ones((3, 3), np.uint8)


@dataclass(frozen=True)
class Candidates:
    """What a pixel may be.

    Attributes:
        first: ``(H, W, 3)`` the commonest value.
        second: ``(H, W, 3)`` the next one; meaningful where ``rivals``.
        rivals: ``(H, W)``, the second one is common enough to be the set.
    """

    first: Array
    second: Array
    rivals: Mask


@dataclass(frozen=True)
class Average:
    """What the frames that agree say.

    Attributes:
        rgb: ``(H, W, 3)`` their mean, 0 in holes.
        deviation: ``(H, W, 3)`` their standard deviation, 0 in holes.
        coverage: ``(H, W)`` their number, 0 in holes.
    """

    rgb: Array
    deviation: Array
    coverage: Array


def candidates(values: Array, valid: Mask, noise: Noise, slack: float) -> Candidates:
    """Find the commonest values of each pixel.

    Args:
        values: ``(N, h, W, 3)``.
        valid: ``(N, h, W)``.
        noise: of the difference of two frames.
        slack: px by which a frame may lie off: edges agree within so much of their slope.
    """
    first = _median(values, valid)
    number = valid.sum(0)
    bound = tolerance(first, noise, slack)
    agreeing = _agree(values, first, bound, valid).sum(0)
    second, rivals = np.zeros_like(first), np.zeros(number.shape, np.bool_)
    open_pixels = np.argwhere((agreeing < _SETTLED * number) & (number > 0))
    for start in range(0, len(open_pixels), _GATHERED):
        y, x = at = tuple(open_pixels[start : start + _GATHERED].T)
        first[at], second[at], common = _modes(values[:, y, x], valid[:, y, x], bound[at])
        rivals[at] = common >= np.maximum(_evidence(number[at]), _SECOND * number[at])
    return Candidates(first, second, rivals)


def average(values: Array, valid: Mask, centre: Array, noise: Noise, slack: float) -> Average:
    """Average the frames that agree with a value.

    A lone sample that disagrees is grain and counts; where several do, something stands there, and their soft rim is
    left out of the mean though not of the coverage.

    Args:
        values: ``(N, h, W, 3)``.
        valid: ``(N, h, W)``.
        centre: ``(h, W, 3)`` the value.
        noise: of the difference of two frames.
        slack: px by which a frame may lie off.
    """
    agree = _agree(values, centre, tolerance(centre, noise, slack), valid)
    seen, clear = np.empty_like(valid), np.empty_like(valid)
    for index, (mine, present) in enumerate(zip(agree, valid, strict=True)):
        apart = (~mine & present).astype(np.uint8)
        strangers = apart & (cv2.filter2D(apart, -1, _KERNEL, borderType=cv2.BORDER_CONSTANT) > 1)
        seen[index] = present & (strangers == 0)
        clear[index] = mine & (cv2.dilate(strangers, _KERNEL) == 0)
    scarce = clear.sum(0) < 2
    clear |= agree & scarce
    count = clear.sum(0, dtype=np.float32)
    weight = clear[..., None].astype(np.float32)
    share = 1 / np.maximum(count, 1)[..., None]
    # About the centre: the plain sum of squares would lose the grain of bright pixels to float32.
    off = (values - centre) * weight
    mean = off.sum(0) * share
    variance = np.maximum((off * off).sum(0) * share - mean * mean, 0)
    coverage = np.where(agree.any(0), seen.sum(0, dtype=np.float32), np.float32(0))
    hole = coverage < _evidence(valid.sum(0))
    rgb, deviation = (np.where(hole[..., None], np.float32(0), part) for part in (centre + mean, np.sqrt(variance)))
    return Average(rgb, deviation, np.where(hole, np.float32(0), coverage))


def decide(found: Candidates, noise: Noise) -> Array:
    """``(H, W, 3)``: choose between rivals as their surroundings do.

    Each connected region of rivals takes the mode that continues the settled pixels around it with less of a step; the
    commonest where both do.
    """
    count, region = cv2.connectedComponents(found.rivals.astype(np.uint8), connectivity=8)
    if count == 1:
        return found.first
    steps = np.zeros((2, count))
    for ours, theirs in _neighbours(found.rivals.shape):
        rim = found.rivals[ours] & ~found.rivals[theirs]
        beside = found.first[theirs][rim]
        sigma = np.sqrt(_variance(beside, noise))
        for mode, values in enumerate((found.first, found.second)):
            step = np.minimum(np.abs(values[ours][rim] - beside) / sigma, 20).sum(-1)
            steps[mode] += np.bincount(region[ours][rim], step, count)
    taken = (steps[1] < steps[0])[region] & found.rivals
    return np.where(taken[..., None], found.second, found.first)


def agreement(strips: Iterable[Strip], plate: Array, noise: Noise, slack: float) -> npt.NDArray[np.float64]:
    """``(N,)``: the share of its valid pixels on which each frame agrees with a plate ``(H, W, 3)``."""
    agreeing, valid = 0, 0
    for strip in strips:
        here = plate[strip.rows]
        seen = strip.valid[:, strip.inner]
        agree = _agree(strip.values[:, strip.inner], here, tolerance(here, noise, slack), seen)
        agreeing, valid = agreeing + agree.sum((1, 2)), valid + seen.sum((1, 2))
    return np.asarray(agreeing / np.maximum(valid, 1), np.float64)


def tolerance(rgb: Array, noise: Noise, slack: float) -> Array:
    """``(h, W, 3)``: how far a frame's value may lie from the set's."""
    bound = _AGREES * np.sqrt(_variance(rgb, noise))
    if slack:
        bound += np.float32(slack / 2) * cv2.morphologyEx(rgb, cv2.MORPH_GRADIENT, _KERNEL)
    return np.asarray(bound, np.float32)


def _variance(rgb: Array, noise: Noise) -> Array:
    a, b = np.asarray(noise, np.float32).T
    return np.asarray(a + b * np.maximum(rgb, 0) + np.float32(1e-12))


def _evidence(number: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.where(number >= _FEW_FRAMES, _EVIDENCE, 2)


def _agree(values: Array, centre: Array, bound: Array, valid: Mask) -> Mask:
    agree = np.empty_like(valid)
    for index, value in enumerate(values):
        agree[index] = (np.abs(value - centre) <= bound).all(-1)
    return np.logical_and(agree, valid, out=agree)


def _median(values: Array, valid: Mask) -> Array:
    """``(h, W, 3)`` lower median of the valid values, channel by channel; 0 without any."""
    if valid.all():
        middle = (len(values) - 1) // 2
        return np.partition(values, middle, axis=0)[middle]
    ordered = np.sort(np.where(valid[..., None], values, np.float32(np.inf)), axis=0)
    middle = np.maximum(valid.sum(0) - 1, 0) // 2
    median = np.take_along_axis(ordered, middle[None, ..., None], axis=0)[0]
    seen: Mask = np.any(valid, axis=0)
    return np.where(seen[..., None], median, np.float32(0))


def _modes(values: Array, valid: Mask, bound: Array) -> tuple[Array, Array, npt.NDArray[np.int64]]:
    """Of ``(N, M, 3)`` values: first and second mode ``(M, 3)``, and how many frames the second one has."""
    number, pixels = valid.shape
    votes = np.empty((number, pixels), np.int64)
    for index in range(number):
        votes[index] = np.where(valid[index], _agree(values, values[index], bound, valid).sum(0), 0)
    every = np.arange(pixels)
    first = values[votes.argmax(0), every]
    others = np.logical_and(valid, ~_agree(values, first, 2 * bound, valid))
    votes = np.where(others, votes, 0)
    chosen = votes.argmax(0)
    second = values[chosen, every]
    return _mean(values, _agree(values, first, bound, valid)), second, votes[chosen, every]


def _mean(values: Array, members: Mask) -> Array:
    count = np.maximum(members.sum(0), 1)[:, None]
    return np.asarray((values * members[..., None]).sum(0) / count, np.float32)


def _neighbours(shape: tuple[int, int]) -> list[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """Pairs of views of a picture that lay a pixel on its neighbour to each of four sides."""
    front, back, whole = slice(None, -1), slice(1, None), slice(None)
    pairs = [((front, whole), (back, whole)), ((whole, front), (whole, back))]
    return pairs + [(second, first) for first, second in pairs]
