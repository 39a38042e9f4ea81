"""Solve the layers: from the network's matte to pixels that recombine.

    I = P + (1 - a) * s * B + R

P, a, s and B are rounded to the numbers that will be stored before R is computed from them, so the equation holds for
the file as a compositor reads it. Nothing is clamped but a and s.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine.errors import EngineError
from engine.settings import Knobs
from engine.values import Array, Matte, Photometric, Plate, Solution

HALF_MAX = 65504.0
"""Largest half, IEEE 754-2008 binary16."""

# Steps of the shadow ratio, per unit. Halves between 0.5 and 1 lie 1/2048 apart, floats 1/2**24: on this grid s and
# 1 - s are both exact, so the shadow layer (1 - s) and the ratio (s) say the same.
_RATIO_STEPS = {True: 2.0**11, False: 2.0**24}

# Standard deviations of grain that a difference must exceed before it counts as physics and not noise: one false pixel
# in about 740 for a normal distribution.
GRAIN_SLACK = 3.0

# Share of alpha over which a mismatch of the background moves from the residual into the foreground. At a tenth of
# coverage, hair of 18 % reflectance is as strong as a 2 % error of an equally bright plate.
_HANDOVER = 0.1

# Below this alpha a pixel's colour says nothing of the subject's: a highlight of the set must not run into its edges.
_VOUCHED = 0.02

# A background this many standard deviations above black supports the lower bound.
_BOUND_SUPPORT = 12.0

# The lower bound acts within this many px of what the network holds for subject: it completes hair, no more.
_BOUND_REACH = 24


def solve(
    frame: Array,
    plate: Plate,
    matte: Matte,
    fit: Photometric,
    knobs: Knobs,
    garbage: Array,
    core: Array,
) -> Solution:
    """Compute every layer of a frame.

    Args:
        frame: I, ``(H, W, 3)``, linear, finite.
        plate: B, registered and fitted.
        matte: the network's alpha, shadow, uncertainty and foreground colour.
        fit: the noise of ``frame - plate``.
        knobs: the artist's settings.
        garbage: ``(H, W)`` 0..1, 1 = no subject; wins over everything.
        core: ``(H, W)`` 0..1, 1 = subject.

    Returns:
        Layers rounded to half or float, as ``knobs.depth`` and the values' range decide.

    Raises:
        EngineError: VALUE_OUT_OF_RANGE where half was asked for and cannot hold the values.
    """
    noise = deviation(frame, fit)
    half = choose_half(knobs, frame, plate.rgb)
    plate = Plate(rounded(plate.rgb, half), plate.valid)
    ratio = stored_ratio(shadow_ratio(matte, knobs, garbage), half)
    keyed = rounded(graded_alpha(frame, plate, ratio, matte, noise, knobs, core), half)
    colour = straight_colour(frame, keyed, matte.foreground)
    behind = np.where(plate.valid[..., None], ratio * plate.rgb, 0)
    light = foreground(frame, behind, keyed, colour, noise, plate, knobs)
    alpha, premultiplied = delivered(frame, keyed, light, garbage, knobs, half)
    exact = frame - premultiplied.astype(np.float64) - (1 - alpha.astype(np.float64))[..., None] * behind
    faded = (1 - garbage[..., None]) * knobs.mix * (frame - light - (1 - keyed)[..., None] * behind)
    missing = np.where(garbage[..., None] > 0, faded, exact)
    return Solution(
        alpha=alpha,
        premultiplied=premultiplied,
        shadow_ratio=ratio,
        residual=rounded(np.where(plate.valid[..., None], missing, 0), half),
        plate=plate.rgb,
        valid=plate.valid,
        uncertainty=matte.uncertainty,
        difference=difference(frame, plate, ratio, noise),
        foreground=colour,
        garbage=garbage,
        half=half,
    )


def deviation(frame: Array, fit: Photometric) -> Array:
    """Standard deviation of ``frame - plate`` by grain, ``(H, W, 3)``, above 0, from the fitted noise model."""
    model = np.asarray(fit.noise, np.float32)
    return np.sqrt(np.maximum(model[:, 0] + model[:, 1] * np.maximum(frame, 0), 1e-12)).astype(np.float32)


def shadow_ratio(matte: Matte, knobs: Knobs, garbage: Array) -> Array:
    """S ``(H, W, 3)`` in 0..1, continued smoothly under the subject, scaled by the gain, none inside garbage."""
    clear = (1 - matte.alpha) ** 2 + 1e-4
    ratio = matte.shadow if knobs.shadow_color == "rgb" else np.repeat(matte.shadow.mean(2, keepdims=True), 3, 2)
    extended = extend(ratio, clear)
    mixed = extended + (ratio - extended) * np.clip(clear, 0, 1)[..., None]
    depth = (1 - mixed) * knobs.shadow_gain * (1 - garbage[..., None])
    return np.clip(1 - depth, 0, 1).astype(np.float32)


def stored_ratio(ratio: Array, half: bool) -> Array:
    """S on the grid on which it and its complement are both exact."""
    steps = _RATIO_STEPS[half]
    return np.asarray(np.round(ratio * steps) / steps, np.float32)


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


def graded_alpha(
    frame: Array, plate: Plate, ratio: Array, matte: Matte, noise: Array, knobs: Knobs, core: Array
) -> Array:
    """Alpha ``(H, W)`` 0..1 before garbage and mix: the network's, raised to the lower bound, graded, then core."""
    alpha = np.maximum(matte.alpha, lower_bound(frame, plate, ratio, matte.alpha, noise))
    span = max(knobs.white_point - knobs.black_point, 1e-6)
    alpha = np.clip((alpha - knobs.black_point) / span, 0, 1)
    return np.asarray(np.maximum(shift_edge(alpha, knobs.edge_shift), core), np.float32)


def delivered(
    frame: Array, alpha: Array, light: Array, garbage: Array, knobs: Knobs, half: bool
) -> tuple[Array, Array]:
    """Stored a and P: garbage thins both alike, then mix dissolves towards the untouched frame; P is 0 where a is."""
    kept = 1 - garbage
    alpha = rounded(knobs.mix * alpha * kept + np.float32(1 - knobs.mix), half)
    mixed = knobs.mix * kept[..., None] * light + np.float32(1 - knobs.mix) * frame
    return alpha, rounded(np.where(alpha[..., None] == 0, 0, mixed), half)


def lower_bound(frame: Array, plate: Plate, ratio: Array, alpha: Array, noise: Array) -> Array:
    """Smallest alpha that leaves no negative light: ``a >= max_c(1 - I_c / (s B_c))`` (F >= 0).

    The bound is physics only where the background is known. So the background is taken at its darkest within a pixel
    (registration), grain gets `GRAIN_SLACK`, channels near black do not count, and it acts only near what the network
    already holds for subject, where s is continued from the surroundings and not read off the pixel.

    Returns:
        ``(H, W)`` 0..1, 0 where it says nothing.
    """
    behind = ratio * cv2.erode(plate.rgb, np.ones((3, 3), np.uint8))
    darkest = (behind > _BOUND_SUPPORT * noise) & plate.valid[..., None]
    bound = np.where(darkest, 1 - (frame + GRAIN_SLACK * noise) / np.maximum(behind, 1e-6), 0)
    near = cv2.GaussianBlur((alpha > 0.5).astype(np.float32), (0, 0), _BOUND_REACH / 2)
    return np.asarray(np.clip(bound.max(2), 0, 1) * np.clip(near * 8, 0, 1), np.float32)


def shift_edge(alpha: Array, pixels: float) -> Array:
    """Grow (above 0) or shrink the matte by a number of px, fractions by interpolation of grey dilations."""
    if pixels == 0:
        return alpha
    operate = cv2.dilate if pixels > 0 else cv2.erode
    whole, part = divmod(abs(pixels), 1)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * int(whole) + 1,) * 2)
    inner = operate(alpha, disk) if whole else alpha
    outer = operate(inner, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)))
    return np.asarray(inner + (outer - inner) * np.float32(part), np.float32)


def straight_colour(frame: Array, alpha: Array, predicted: Array) -> Array:
    """F ``(H, W, 3)``: the frame where it is all subject, the network's colour at soft edges, continued beyond.

    Ends at half's range, so that it can always be stored.
    """
    solid = (np.clip(alpha - 0.9, 0, 0.1) * 10)[..., None]
    colour = predicted + (frame - predicted) * solid
    vouched = np.where(alpha > _VOUCHED, alpha**2, 0)
    return np.clip(extend(colour, vouched), -HALF_MAX, HALF_MAX)


def foreground(
    frame: Array, behind: Array, alpha: Array, colour: Array, noise: Array, plate: Plate, knobs: Knobs
) -> Array:
    """P ``(H, W, 3)``: what the frame holds beyond the background, as far as alpha vouches for it.

    ``P = a F + w (I - (1 - a) s B - a F)`` with ``w`` from 0 at ``a = 0`` to 1 at `_HANDOVER`: at full weight exactly
    ``I - (1 - a) s B``; where alpha vanishes so does P, and the mismatch is left to the residual. Despill lowers ``w``
    at soft edges. Negative light stays within grain. Where the plate is invalid nothing is subtracted and ``P = a F``.
    """
    cover = alpha[..., None]
    weight = smoothstep(cover / _HANDOVER) * (1 - knobs.despill * (1 - cover))
    expected = cover * colour
    exact = expected + weight * (frame - (1 - cover) * behind - expected)
    exact = np.maximum(exact, np.minimum(-GRAIN_SLACK * noise, frame) * smoothstep(cover / _HANDOVER))
    premultiplied = np.where(plate.valid[..., None] | (cover == 1), exact, expected)
    keyed = np.where(cover == 1, frame, premultiplied)
    return np.asarray(np.where(cover == 0, 0, keyed), np.float32)


def smoothstep(x: Array) -> Array:
    """3 x^2 - 2 x^3 on 0..1, flat outside."""
    t = np.clip(x, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def difference(frame: Array, plate: Plate, ratio: Array, noise: Array) -> Array:
    """|I - s B| in standard deviations of the grain, largest channel, ``(H, W)``; 0 where the plate is invalid.

    Ends at `HALF_MAX`, so that it can always be stored.
    """
    significance = (np.abs(frame - ratio * plate.rgb) / noise).max(2)
    return np.asarray(np.where(plate.valid, np.minimum(significance, HALF_MAX), 0), np.float32)


def choose_half(knobs: Knobs, *colours: Array) -> bool:
    """Whether to store half: as the knob says, or where all values, with room for sums of a few, lie in its range.

    Raises:
        EngineError: VALUE_OUT_OF_RANGE where half was asked for and cannot hold the frame or the plate.
    """
    largest = max(float(np.abs(colour).max(initial=0)) for colour in colours)
    if knobs.depth == "half" and largest > HALF_MAX:
        message = f"The frame or its clean plate holds {largest:g}, and half ends at {HALF_MAX:g}."
        raise EngineError("VALUE_OUT_OF_RANGE", message, "Set File depth to Float.", largest=largest)
    return knobs.depth == "half" or (knobs.depth == "auto" and largest < HALF_MAX / 4)


def rounded(values: Array, half: bool) -> Array:
    """Values as they will be stored, back in float32."""
    return np.asarray(values, np.float16 if half else np.float32).astype(np.float32)
