"""A clean plate out of the shot itself: every frame onto one, and what most of them say of each pixel.

Nothing is invented: a pixel on which too few frames agree is a hole, with alpha 0.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np

from engine.errors import EngineError
from engine.pipeline import colour
from engine.pipeline.plates.consensus import Average, Candidates, average, candidates, decide
from engine.pipeline.plates.gather import Frames, Gathered, Reading, gather, gather_strangers
from engine.pipeline.plates.stack import Stack
from engine.pipeline.scratch import scratch_folder
from engine.settings import RegistrationMode
from engine.values import Array, Image, Mask

Progress = Generator[tuple[float, str], None, "BuiltPlate"]

_WARPING = 0.8
"""Share of the whole time that bringing frames onto the reference takes (measured at 1080p)."""

_AVERAGING = (1 + _WARPING) / 2
"""Share of the whole time when averaging begins."""

_FEW = 8
"""Frames that a pixel should be seen in: their mean has a third of one frame's grain."""

_STATIC = 0.002
"""Share of the picture that must change over time, or nothing that could be a subject moved."""


@dataclass(frozen=True)
class BuiltPlate:
    """A clean plate on the reference frame's grid.

    Attributes:
        rgb: ``(H, W, 3)`` linear, 0 in holes.
        deviation: ``(H, W, 3)`` standard deviation over time of the frames that agree.
        coverage: ``(H, W)`` number of frames that agree; 0 in holes.
        reference: the frame whose view it has.
        used: numbers of the frames in it.
        left_out: numbers of the frames that could not be brought onto the reference.
        rivals: share of pixels that were two things for long; their surroundings decided.
        static: nothing moved.
    """

    rgb: Array
    deviation: Array
    coverage: Array
    reference: Image
    used: tuple[int, ...]
    left_out: tuple[int, ...]
    rivals: float
    static: bool

    @property
    def holes(self) -> float:
        """Share of the picture that no frames agree on."""
        return float((self.coverage == 0).mean())

    @property
    def seen_few(self) -> float:
        """Share of the picture that fewer than `_FEW` frames saw, holes not counted."""
        return float(((self.coverage > 0) & (self.coverage < _FEW)).mean())

    def warnings(self) -> Iterator[str]:
        """Sentences for the artist."""
        if self.static:
            yield "Nothing moves in these frames: if the subject stands in them, it is part of the plate."
        if self.left_out:
            numbers = ", ".join(map(str, self.left_out))
            yield f"Frames {numbers} could not be brought onto the reference and were left out."
        if len(self.used) < _FEW:
            yield f"Only {len(self.used)} frames were used: what differs between them is a hole or a guess."
        if self.holes:
            yield f"{self.holes:.1%} of the plate are holes, where the subject never moved away long enough."
        if self.rivals:
            yield f"{self.rivals:.1%} of the plate were two things for long; their surroundings decided. Look at them."


def build_plate(
    frames: Frames,
    reference: int,
    config: colour.ColourConfig,
    space: str,
    mode: RegistrationMode,
) -> Progress:
    """Make a clean plate, yielding ``(share done, what is being done)``; stop asking to cancel.

    Frames are decoded one at a time and kept on disk; memory is that of a few frames and of one strip.

    Args:
        frames: number and file of each, loaded when it is its turn.
        reference: number of the frame whose view the plate has.
        config: colour configuration.
        space: scene-linear space of the plate.
        mode: of the registration.

    Returns:
        The plate.

    Raises:
        EngineError: BAD_REQUEST for one frame, or a reference that is not among them; REGISTRATION_FAILED where no
            frame can be brought onto the reference; whatever decoding and colour find wrong.
    """
    colour.check_linear(config, space)
    _check(frames, reference)
    reading = Reading(config, space, mode)
    with scratch_folder() as folder:
        picture = reading.image(dict(frames)[reference]())
        stack = Stack(folder, len(frames), picture.rgb.shape[:2])
        gathered = yield from _scaled(gather(frames, reference, picture, stack, reading))
        yield _WARPING, "median over time"
        found = _candidates(gathered)
        again = gather_strangers(frames, gathered, decide(found, gathered.noise), picture, reading)
        changed = yield from _at(_AVERAGING, again)
        if changed:
            found = _candidates(gathered)
        yield _AVERAGING, "mean over time"
        made, moved = _average(gathered, decide(found, gathered.noise))
    rivals = float((found.rivals & (made.coverage > 0)).mean())
    return BuiltPlate(
        rgb=made.rgb,
        deviation=made.deviation,
        coverage=made.coverage,
        reference=picture,
        used=tuple(gathered.used),
        left_out=tuple(gathered.left_out),
        rivals=rivals,
        static=moved < _STATIC,
    )


def _scaled(steps: Generator[tuple[float, str], None, Gathered]) -> Generator[tuple[float, str], None, Gathered]:
    """The first part of the whole: shares of it to shares of the whole."""
    while True:
        try:
            done, message = next(steps)
        except StopIteration as end:
            gathered: Gathered = end.value
            return gathered
        yield _WARPING * done, message


def _at(done: float, steps: Generator[str, None, int]) -> Generator[tuple[float, str], None, int]:
    """Steps of which nobody knows the number, at one share of the whole."""
    while True:
        try:
            message = next(steps)
        except StopIteration as end:
            return int(end.value)
        yield done, message


def _check(frames: Frames, reference: int) -> None:
    numbers = [number for number, _ in frames]
    if len(set(numbers)) < 2:
        raise EngineError(
            "BAD_REQUEST",
            "A plate cannot be built from one frame: nothing tells the subject from the set.",
            "Name a sequence in which the subject moves away, or use that frame itself as clean plate.",
        )
    if reference not in numbers:
        raise EngineError(
            "BAD_REQUEST", f"The reference frame {reference} is not among the frames.", "Name one of them."
        )


def _candidates(gathered: Gathered) -> Candidates:
    size = gathered.stack.size
    first, second = (np.empty((*size, 3), np.float32) for _ in range(2))
    rivals = np.empty(size, np.bool_)
    for strip in gathered.stack.strips():
        found = candidates(strip.values, strip.valid, gathered.noise, gathered.slack)
        for whole, part in ((first, found.first), (second, found.second), (rivals, found.rivals)):
            whole[strip.rows] = part[strip.inner]
    return Candidates(first, second, rivals)


def _average(gathered: Gathered, centre: Array) -> tuple[Average, float]:
    """The plate, and the share of pixels on which a frame disagrees."""
    size = gathered.stack.size
    rgb, deviation = (np.empty((*size, 3), np.float32) for _ in range(2))
    coverage, passed = np.empty(size, np.float32), np.empty(size, np.bool_)
    for strip in gathered.stack.strips():
        seen = slice(strip.rows.start - strip.inner.start, strip.rows.start - strip.inner.start + strip.valid.shape[1])
        made = average(strip.values, strip.valid, centre[seen], gathered.noise, gathered.slack)
        passing: Mask = made.coverage < strip.valid.sum(0)
        parts = ((rgb, made.rgb), (deviation, made.deviation), (coverage, made.coverage), (passed, passing))
        for whole, part in parts:
            whole[strip.rows] = part[strip.inner]
    return Average(rgb, deviation, coverage), float(passed.mean())
