"""Robustness curves: the error of a matte as one fault grows and everything else stays clean."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np

from engine.evaluation import degradations as faults
from engine.evaluation.keyers import Keyer, Registration
from engine.evaluation.metrics import mad, mse
from engine.evaluation.shot import Shot

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Axis:
    """One fault.

    Attributes:
        key: in JSON.
        title: with the unit.
        levels: from the first to the last; one of them is no fault.
        none: that one.
        spoil: makes a shot's fault of a level and a seed.
        modes: with the pipeline's registration on, and where it matters also off.
    """

    key: str
    title: str
    levels: tuple[float, ...]
    none: float
    spoil: Callable[[Shot, float, int], Shot]
    modes: tuple[Registration, ...] = ("auto",)


AXES = (
    Axis("shift", "plate shift, px", (0, 0.5, 1, 2, 4, 8), 0, faults.shifted_plate, ("auto", "off")),
    Axis("exposure", "plate exposure, stops", (-1, -0.5, 0, 0.5, 1), 0, faults.exposed_plate),
    Axis("shadow", "depth of a cast shadow, %", (0, 10, 20, 35, 50, 65, 80), 0, faults.with_shadow),
    Axis("grain", "added grain, ISO", (0, 400, 1600, 6400, 25600), 0, faults.with_more_grain),
    Axis("compression", "JPEG 4:2:0 quality", (100, 97, 90, 80, 70, 60, 50), 100, faults.compressed),
)


@dataclass(frozen=True)
class Point:
    """One measurement: mean over the shots of the errors of alpha x 1000, whole frame.

    Attributes:
        axis: key of an `Axis`.
        level: of its fault.
        method: name of a keyer.
        mode: registration on or off.
        mad: mean absolute difference.
        mse: mean squared error.
        refused: share of the frames that the pipeline would not key.
    """

    axis: str
    level: float
    method: str
    mode: Registration
    mad: float
    mse: float
    refused: float


def curves(shots: Sequence[Shot], keyers: Sequence[Keyer]) -> Iterator[Point]:
    """Measure every keyer at every level of every axis, on the middle frame of each shot.

    Args:
        shots: clean ones.
        keyers: to be measured.
    """
    stills = [_middle(shot) for shot in shots]
    clean: list[Point] = []
    for axis in AXES:
        for level in axis.levels:
            spoilt = [axis.spoil(still, level, crc32(still.name.encode())) for still in stills]
            untouched = all(one is still for one, still in zip(spoilt, stills, strict=True))
            if untouched:
                clean = clean or list(_points(axis, level, "auto", stills, keyers))
                yield from (replace(point, axis=axis.key, level=level) for point in clean)
                continue
            for mode in axis.modes:
                yield from _points(axis, level, mode, spoilt, keyers)


def _middle(shot: Shot) -> Shot:
    one = slice(len(shot.frames) // 2, len(shot.frames) // 2 + 1)
    return replace(
        shot,
        numbers=shot.numbers[one],
        frames=shot.frames[one],
        alphas=shot.alphas[one],
        foregrounds=shot.foregrounds[one],
        shadows=shot.shadows[one] if shot.shadows is not None else None,
    )


def _points(
    axis: Axis, level: float, mode: Registration, shots: Sequence[Shot], keyers: Sequence[Keyer]
) -> Iterator[Point]:
    # Shot by shot, so that those who share a shot's placed plates find them remembered.
    keyed = [[keyer.key(shot, mode)[0] for keyer in keyers] for shot in shots]
    for keyer, mattes in zip(keyers, zip(*keyed, strict=True), strict=True):
        pairs = [(one.alpha, shot.alphas[0]) for one, shot in zip(mattes, shots, strict=True)]
        point = Point(
            axis=axis.key,
            level=level,
            method=keyer.name,
            mode=mode,
            mad=1e3 * float(np.mean([mad(*pair) for pair in pairs])),
            mse=1e3 * float(np.mean([mse(*pair) for pair in pairs])),
            refused=float(np.mean([bool(one.refused) for one in mattes])),
        )
        log.info("%s %g, registration %s, %s: MAD %.2f e-3", axis.title, level, mode, keyer.name, point.mad)
        yield point
