"""Solve the layers: from the network's matte to pixels that recombine.

    I = P + (1 - a) * s * B + R

P, a, s and B are rounded to the numbers that will be stored before R is computed from them, so the equation holds for
the file as a compositor reads it. Nothing is clamped but a and s.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from engine.errors import EngineError
from engine.pipeline.solve.alpha import graded_alpha, lower_bound
from engine.pipeline.solve.extend import extend
from engine.pipeline.solve.foreground import foreground, straight_colour, vouched, vouched_colour
from engine.pipeline.solve.grain import deviation
from engine.pipeline.solve.pieces import Strip, in_strips, planar, planes
from engine.pipeline.solve.rounding import HALF_MAX, rounded
from engine.pipeline.solve.shade import explained
from engine.pipeline.solve.shadow import shadow_ratio, stored_ratio
from engine.pipeline.solve.uncertainty import expected_error
from engine.settings import Knobs
from engine.values import Array, Mask, Matte, Photometric, Plate, Solution


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
    half = choose_half(knobs, frame, plate.rgb)
    plate = _stored(plate, half)
    lit, shade = explained(frame, plate, matte, fit)
    ratio = stored_ratio(shadow_ratio(lit, knobs, garbage, shade), half)
    bound = lower_bound(frame, plate, ratio, lit.alpha, fit)
    keyed = rounded(graded_alpha(lit.alpha, bound, knobs, core), half)
    scene = _Scene(frame, plate, matte, ratio, keyed, garbage, core, fit)
    colour, sure, weight, doubt = _colours(scene, knobs)
    smooth = extend(colour, weight)
    return _layers(scene, colour, sure, doubt, smooth, knobs, half)


@dataclass(frozen=True)
class _Scene:
    """What the layers are made of: a frame's, or a strip's, plane by plane."""

    frame: Array
    plate: Plate
    matte: Matte
    ratio: Array
    alpha: Array
    garbage: Array
    core: Array
    fit: Photometric

    def at(self, rows: slice) -> _Scene:
        """Some rows."""
        plate, told = self.plate, self.matte
        return _Scene(
            planar(self.frame[rows]),
            Plate(plate.rgb[rows], plate.valid[rows]),
            Matte(told.alpha[rows], told.shadow[rows], told.uncertainty[rows], planar(told.foreground[rows])),
            self.ratio[rows],
            self.alpha[rows],
            self.garbage[rows],
            self.core[rows],
            self.fit,
        )

    @cached_property
    def behind(self) -> Array:
        """``s B``, ``(H, W, 3)``; 0 where the plate is invalid."""
        return np.asarray(self.ratio * self.plate.rgb, np.float32)

    @cached_property
    def noise(self) -> Array:
        """Standard deviation of ``frame - plate``, ``(H, W, 3)``."""
        return deviation(self.frame, self.fit)


def _stored(plate: Plate, half: bool) -> Plate:
    """A plate as it will be stored, plane by plane, surely 0 where it is invalid."""
    stored = planes(*plate.valid.shape)

    def solve_strip(strip: Strip) -> None:
        rows = strip.keep
        stored[rows] = rounded(planar(plate.rgb[rows]), half)
        np.copyto(stored[rows], 0, where=~plate.valid[rows][..., None])

    in_strips(plate.valid.shape, solve_strip)
    return Plate(stored, plate.valid)


def _colours(scene: _Scene, knobs: Knobs) -> tuple[Array, Array, Array, Array]:
    """Each pixel's own colour ``(H, W, 3)``, how far it is trusted ``(H, W, 1)`` and vouched for, alpha's error."""
    height, width = scene.alpha.shape
    colour, sure = planes(height, width), planes(height, width, 1)
    weight, doubt = np.empty_like(scene.alpha), np.empty_like(scene.alpha)

    def solve_strip(strip: Strip) -> None:
        part = scene.at(strip.see)
        error = expected_error(part.frame, part.behind, part.matte, part.alpha, part.noise)
        # What the artist decides is not doubted.
        error *= knobs.mix * (1 - part.garbage) * (1 - part.core)
        predicted, seen = part.matte.foreground, part.plate.valid
        own, trusted = vouched_colour(part.frame, part.alpha, predicted, part.behind, seen, error)
        solved = own, trusted, vouched(part.alpha, trusted), error
        for whole, values in zip((colour, sure, weight, doubt), solved, strict=True):
            whole[strip.keep] = values[strip.inner]

    in_strips(scene.alpha.shape, solve_strip, margin=1)
    return colour, sure, weight, doubt


def _layers(
    scene: _Scene, colour: Array, sure: Array, doubt: Array, smooth: Array, knobs: Knobs, half: bool
) -> Solution:
    """What is stored. Colour and ``smooth`` are overwritten."""
    height, width = scene.alpha.shape
    alpha, residual, different = np.empty_like(doubt), planes(height, width), np.empty_like(doubt)

    def solve_strip(strip: Strip) -> None:
        rows = strip.keep
        part, error = scene.at(rows), doubt[rows]
        frame, behind, noise, seen = part.frame, part.behind, part.noise, part.plate.valid
        straight = straight_colour(frame, part.alpha, colour[rows], smooth[rows], sure[rows])
        light = foreground(frame, behind, part.alpha, straight, noise, seen, knobs, error)
        smooth[rows] = straight
        alpha[rows], colour[rows] = delivered(frame, part.alpha, light, part.garbage, knobs, half)
        residual[rows] = rounded(_missing(part, alpha[rows], colour[rows], light, knobs), half)
        different[rows] = difference(frame, seen, behind, noise)

    in_strips(scene.alpha.shape, solve_strip)
    return Solution(
        alpha=alpha,
        premultiplied=colour,
        shadow_ratio=np.broadcast_to(scene.ratio, residual.shape),
        residual=residual,
        plate=scene.plate.rgb,
        valid=scene.plate.valid,
        uncertainty=doubt,
        difference=different,
        foreground=smooth,
        garbage=scene.garbage,
        half=half,
    )


def _missing(part: _Scene, alpha: Array, premultiplied: Array, light: Array, knobs: Knobs) -> npt.NDArray[np.float64]:
    """R before it is rounded: exact; inside garbage what it would be without, faded; 0 where the plate is invalid."""
    missing = np.asarray(part.frame - premultiplied.astype(np.float64), np.float64)
    missing -= (1 - alpha.astype(np.float64))[..., None] * part.behind
    if part.garbage.any():
        left = part.frame - light - (1 - part.alpha)[..., None] * part.behind
        np.copyto(missing, (1 - part.garbage[..., None]) * knobs.mix * left, where=part.garbage[..., None] > 0)
    np.copyto(missing, 0, where=~part.plate.valid[..., None])
    return missing


def delivered(
    frame: Array, alpha: Array, light: Array, garbage: Array, knobs: Knobs, half: bool
) -> tuple[Array, Array]:
    """Stored a and P: garbage thins both alike, then mix dissolves towards the untouched frame; P is 0 where a is."""
    kept = 1 - garbage
    alpha = rounded(knobs.mix * alpha * kept + np.float32(1 - knobs.mix), half)
    mixed = knobs.mix * kept[..., None] * light + np.float32(1 - knobs.mix) * frame
    np.copyto(mixed, 0, where=alpha[..., None] == 0)
    return alpha, rounded(mixed, half)


def difference(frame: Array, valid: Mask, behind: Array, noise: Array) -> Array:
    """|I - s B| in standard deviations of the grain, largest channel, ``(H, W)``; 0 where the plate is invalid.

    Ends at `HALF_MAX`, so that it can always be stored.
    """
    significance = (np.abs(frame - behind) / noise).max(2)
    return np.asarray(np.where(valid, np.minimum(significance, HALF_MAX), 0), np.float32)


def choose_half(knobs: Knobs, *colours: Array) -> bool:
    """Whether to store half: as the knob says, or where all values, with room for sums of a few, lie in its range.

    Raises:
        EngineError: VALUE_OUT_OF_RANGE where half was asked for and cannot hold the frame or the plate.
    """
    largest = max(max(float(colour.max(initial=0)), -float(colour.min(initial=0))) for colour in colours)
    if knobs.depth == "half" and largest > HALF_MAX:
        message = f"The frame or its clean plate holds {largest:g}, and half ends at {HALF_MAX:g}."
        raise EngineError("VALUE_OUT_OF_RANGE", message, "Set File depth to Float.", largest=largest)
    return knobs.depth == "half" or (knobs.depth == "auto" and largest < HALF_MAX / 4)
