"""Solve the layers: from the network's matte to pixels that recombine.

    I = P + (1 - a) * s * B + R

P, a, s and B are rounded to the numbers that will be stored before R is computed from them, so the equation holds for
the file as a compositor reads it. Nothing is clamped but a and s.
"""

from __future__ import annotations

import numpy as np

from engine.errors import EngineError
from engine.pipeline.solve.alpha import graded_alpha
from engine.pipeline.solve.foreground import HALF_MAX, foreground, straight_colour
from engine.pipeline.solve.shade import explained
from engine.pipeline.solve.shadow import shadow_ratio, stored_ratio
from engine.pipeline.solve.uncertainty import expected_error
from engine.settings import Knobs
from engine.values import Array, Matte, Photometric, Plate, Solution


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
    lit, shade = explained(frame, plate, matte, noise)
    ratio = stored_ratio(shadow_ratio(lit, knobs, garbage, shade), half)
    keyed = rounded(graded_alpha(frame, plate, ratio, lit, noise, knobs, core), half)
    behind = np.where(plate.valid[..., None], ratio * plate.rgb, 0)
    doubt = expected_error(frame, behind, matte, keyed, noise) * (knobs.mix * (1 - garbage) * (1 - core))
    colour = straight_colour(frame, keyed, matte.foreground, behind, plate, doubt)
    light = foreground(frame, behind, keyed, colour, noise, plate, knobs, doubt)
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
        uncertainty=doubt.astype(np.float32),
        difference=difference(frame, plate, ratio, noise),
        foreground=colour,
        garbage=garbage,
        half=half,
    )


def deviation(frame: Array, fit: Photometric) -> Array:
    """Standard deviation of ``frame - plate`` by grain, ``(H, W, 3)``, above 0, from the fitted noise model."""
    model = np.asarray(fit.noise, np.float32)
    return np.sqrt(np.maximum(model[:, 0] + model[:, 1] * np.maximum(frame, 0), 1e-12)).astype(np.float32)


def delivered(
    frame: Array, alpha: Array, light: Array, garbage: Array, knobs: Knobs, half: bool
) -> tuple[Array, Array]:
    """Stored a and P: garbage thins both alike, then mix dissolves towards the untouched frame; P is 0 where a is."""
    kept = 1 - garbage
    alpha = rounded(knobs.mix * alpha * kept + np.float32(1 - knobs.mix), half)
    mixed = knobs.mix * kept[..., None] * light + np.float32(1 - knobs.mix) * frame
    return alpha, rounded(np.where(alpha[..., None] == 0, 0, mixed), half)


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
