"""Which frames to look at first: those that stand out of their own shot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

_STANDS_OUT = 4.0
"""Robust deviations from the shot's median, from which a frame stands out: by chance fewer than one in 10 000 does."""

_TO_SIGMA = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""

_SLACK = 0.05
"""Of the median, added to the deviation: in a shot that is very steady a hundredth more is nothing to look at."""

_MOST = 8
"""Frames that are named."""

_FLAGGED = 20
"""One frame in as many is named in any case, the worst as far as can be told."""


@dataclass(frozen=True)
class Suspect:
    """A frame to look at, and why.

    Attributes:
        number: of the frame.
        score: deviations by which it stands out most; infinite for a warning that other frames do not have.
        reasons: short, the strongest first.
    """

    number: int
    score: float
    reasons: tuple[str, ...]


def rank(
    numbers: Sequence[int],
    series: Mapping[str, Sequence[float | None]],
    warnings: Sequence[str],
    expected: Sequence[float] = (),
) -> list[Suspect]:
    """Rank a shot's frames.

    Args:
        numbers: of the frames.
        series: by its name, a figure for each frame; larger is worse, None is not known.
        warnings: what the render said of each frame; what most frames have counts for none.
        expected: error of each frame, of which the largest are named in any case; empty where it is not known.

    Returns:
        Frames with a warning of their own; those of the largest expected error; others that stand out, most first.
        Expected error tells the worst frame better than any figure's leap does (``tests/bench/flagged.py``).
    """
    found: dict[int, list[tuple[float, str]]] = {number: [] for number in numbers}
    for name, values in series.items():
        for number, reason in zip(numbers, _outstanding(name, values), strict=True):
            if reason is not None:
                found[number].append(reason)
    for number, warning in zip(numbers, warnings, strict=True):
        if warning and sum(other == warning for other in warnings) <= len(warnings) / 2:
            found[number].append((float("inf"), warning))
    outstanding = [_suspect(number, reasons) for number, reasons in found.items() if reasons]
    outstanding = sorted(outstanding, key=lambda suspect: (-suspect.score, suspect.number))[:_MOST]
    warned = [suspect for suspect in outstanding if suspect.score == float("inf")]
    worst = [_suspect(number, [*found[number], (0.0, why)]) for number, why in _worst(numbers, expected)]
    named: dict[int, Suspect] = {}
    for suspect in (*warned, *worst, *outstanding):
        named.setdefault(suspect.number, suspect)
    return list(named.values())


def _worst(numbers: Sequence[int], expected: Sequence[float]) -> list[tuple[int, str]]:
    if len(expected) < 3:
        return []
    order = sorted(zip(numbers, expected, strict=True), key=lambda frame: (-frame[1], frame[0]))
    count, middle = min(max(len(order) // _FLAGGED, 1), _MOST), float(np.median(expected))
    reason = "most is expected to be wrong here: {:.3g}, elsewhere {:.3g}"
    return [(number, reason.format(value, middle)) for number, value in order[:count]]


def _outstanding(name: str, values: Sequence[float | None]) -> list[tuple[float, str] | None]:
    known = np.array([value for value in values if value is not None])
    if len(known) < 3:
        return [None] * len(values)
    middle = float(np.median(known))
    spread = _TO_SIGMA * float(np.median(np.abs(known - middle))) + _SLACK * abs(middle) + 1e-9
    scores = [None if value is None else (value - middle) / spread for value in values]
    return [
        None if score is None or score < _STANDS_OUT else (score, f"{name} {value:.3g}, elsewhere {middle:.3g}")
        for score, value in zip(scores, values, strict=True)
    ]


def _suspect(number: int, reasons: list[tuple[float, str]]) -> Suspect:
    ordered = sorted(reasons, key=lambda reason: -reason[0])
    return Suspect(number, ordered[0][0], tuple(text for _, text in ordered))
