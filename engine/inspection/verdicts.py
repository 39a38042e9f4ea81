"""Figures to words: good, watch or bad, a line for each thing that a plate can fail by, and what would have helped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.inspection.measure import Measured
from engine.pipeline.report import LOW_CONFIDENCE

Verdict = Literal["good", "watch", "bad"]

ORDER: tuple[Verdict, ...] = ("good", "watch", "bad")
"""From best to worst."""


@dataclass(frozen=True)
class Line:
    """One verdict.

    Attributes:
        name: what was looked at.
        verdict: of it.
        value: the figure, in the unit that ``figure`` names; None where it cannot be told.
        figure: the same as text.
        tip: what would have helped; empty where it is good.
    """

    name: str
    verdict: Verdict
    value: float | None
    figure: str
    tip: str


@dataclass(frozen=True)
class _Scale:
    """How a figure is judged: from ``watch`` and from ``bad`` on; ``write`` makes it text."""

    name: str
    watch: float
    bad: float
    write: Callable[[float], str]
    tip: str


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


_REGISTRATION = _Scale(
    "registration",
    1.0,  # what a hand-held shot is to reach
    2.0,  # points 3 px off are no longer taken for the same ones, so half way to a guess
    lambda px: f"95 % of the points within {px:.2f} px",
    "Shoot the plate right after the take, from the same place and height, and further from the set: "
    "what is far shifts less.",
)
_COVERAGE = _Scale(
    "coverage",
    0.1,
    0.5,  # the share at which a render warns
    lambda share: f"the plate never saw {_percent(share)} of the frame",
    "Frame the plate wider, or take one for each end of the camera's move.",
)
_EXPOSURE = _Scale(
    "exposure",
    0.25,  # a quarter stop is more than lamps and clouds do from frame to frame; a locked camera does less
    2.0,  # the largest gain that is fitted
    lambda stops: f"{stops:.2f} stops between the frames' fits",
    "Lock exposure and white balance for shot and plate, and wait for the clouds.",
)
_FOCUS = _Scale(
    "focus",
    0.6,
    1.3,  # moving-background share on generated shots: 0.1 % without blur, 1 to 3 % at 1.2 px
    lambda px: f"a blur of {abs(px):.1f} px between plate and frame",
    "Lock focus and aperture for shot and plate; take the plate with the focus that the take had.",
)
_MOVING = _Scale(
    "moving background",
    0.01,  # generated sets that stand still: 0.4 % at most
    0.05,  # leaves and water before which the matte's error grew by 40 %: 13 %
    lambda share: f"{_percent(share)} of the background",
    "Choose the most constant background; or take a clip of the empty set and give it with --plate-use moving.",
)
_SHADOW = _Scale(
    "shadow",
    0.02,
    0.25,
    lambda share: f"{_percent(share)} of the background",
    "Move the subject away from walls and floor that show, and soften the light.",
)
_ALIKE = _Scale(
    "colours alike",
    0.03,
    0.15,
    lambda share: f"{_percent(share)} of the subject looks like the plate behind it",
    "Dress the subject unlike the set, or light the two apart; a core matte helps afterwards.",
)
_GRAIN = _Scale(
    "grain",
    0.042,  # ISO 1600 of a full-frame sensor, the noisiest of the validation shots
    0.08,  # the noisiest that the network was trained on
    lambda share: f"{_percent(share)} of mid grey",
    "Use more light or a lower sensitivity; a burst of plates (--plate-use burst) halves what the plate adds.",
)
_ERROR = _Scale(
    "expected error",
    0.025,
    0.05,  # twice and four times what the shipped network errs by on its validation shots
    lambda error: f"{error:.3f} of alpha, mean over the frame",
    "Key a frame and look at its uncertainty layer; the lines above say what to change.",
)


def judge(measured: Sequence[Measured]) -> list[Line]:
    """Weigh what was measured.

    Args:
        measured: the frames, refused ones among them.

    Returns:
        A line a figure; only that of the registration where no frame could be measured.
    """
    kept = [one for one in measured if not one.refused]
    if not kept:
        figure = "the plate was found in none of the frames"
        return [Line(_REGISTRATION.name, "bad", None, figure, "")] if measured else []
    middle = _Median(kept)
    return [
        _registration(kept, len(measured)),
        _judged(_COVERAGE, max(one.unseen for one in kept)),
        _exposure(kept),
        _focus(kept),
        _judged(_MOVING, middle.of("moving")),
        _judged(_SHADOW, middle.of("shadow")),
        _judged(_ALIKE, middle.of("hidden")),
        _judged(_GRAIN, middle.of("grain")),
        _judged(_ERROR, middle.of("uncertainty")),
    ]


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The worst of some; good where there are none."""
    return max(verdicts, key=ORDER.index, default="good")


@dataclass(frozen=True)
class _Median:
    measured: Sequence[Measured]

    def of(self, name: str) -> float:
        """Of a field over the frames."""
        return float(np.median([getattr(one, name) for one in self.measured]))


def _judged(scale: _Scale, value: float) -> Line:
    size = abs(value)
    verdict: Verdict = "bad" if size >= scale.bad else "watch" if size >= scale.watch else "good"
    return Line(scale.name, verdict, value, scale.write(value), "" if verdict == "good" else scale.tip)


def _registration(kept: Sequence[Measured], count: int) -> Line:
    line = _judged(_REGISTRATION, max(one.residual_p95 for one in kept))
    if len(kept) == count:
        return line
    figure = f"{line.figure}, and the plate not found in {count - len(kept)} of {count} frames"
    return Line(line.name, "bad", line.value, figure, _REGISTRATION.tip)


def _exposure(kept: Sequence[Measured]) -> Line:
    guesses = [one for one in kept if one.confidence < LOW_CONFIDENCE]
    if len(guesses) > len(kept) / 2:
        return Line(_EXPOSURE.name, "bad", None, "too little background to tell it by", _EXPOSURE.tip)
    stops = [float(np.log2(one.gain)) for one in kept if one not in guesses]
    drift = _judged(_EXPOSURE, max(stops) - min(stops))
    figure = f"{drift.figure}, the plate {_apart(float(np.median(stops)))}"
    return Line(drift.name, drift.verdict, drift.value, figure, drift.tip)


def _apart(stops: float) -> str:
    if abs(stops) < 0.05:
        return "exposed alike"
    return f"{abs(stops):.2f} stops {'darker' if stops > 0 else 'brighter'}"


def _focus(kept: Sequence[Measured]) -> Line:
    told = [one.focus for one in kept if one.focus is not None]
    if not told:
        return Line(_FOCUS.name, "good", None, "too little texture to tell", "")
    line = _judged(_FOCUS, float(np.median(told)))
    if line.value == 0:
        return Line(line.name, line.verdict, 0.0, "no difference", line.tip)
    softer = "the frame" if (line.value or 0) > 0 else "the plate"
    return Line(line.name, line.verdict, line.value, f"{line.figure}, {softer} is the softer one", line.tip)
