"""What an adaptation is asked for, and what comes of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.errors import EngineError
from engine.settings import MatteJob
from engine.training.adaptation.clip import LEAST, ClipFrames
from engine.training.adaptation.held_out import Measured

Method = Literal["exact", "adversarial"]

SECONDS = 600.0
"""Seconds of work on the device unless another budget is asked for."""

MOST_FRAMES = 16
"""Frames that are looked at; of a longer clip so many, evenly spread. Each takes 40 bytes a pixel on the disk, all of
them 1.2 GiB at 1080p."""

_FEWEST_SECONDS = 10.0


@dataclass(frozen=True)
class Wish:
    """One adaptation.

    Attributes:
        frames: of the clip; at most `MOST_FRAMES` of them, evenly spread.
        job: how they are keyed: model to adapt, registration, colour, device. Knobs of taste count for nothing.
        folder: where the state is kept until it is done; an adaptation there is taken up again.
        method: ``exact``, the clip's own subject over its own set with exact truth; or ``adversarial``, the 2020
            system's.
        seconds: of work, all in all; `clock` measures them.
        seed: of the samples.
        clock: seconds that count; those between two steps, when others use the device, do not.
    """

    frames: ClipFrames
    job: MatteJob
    folder: Path
    method: Method = "exact"
    seconds: float = SECONDS
    seed: int = 1
    clock: Callable[[], float] = time.monotonic

    def check(self) -> None:
        """Refuse what cannot be.

        Raises:
            EngineError: BAD_REQUEST for a clip that is too short, a frame listed twice, or a budget too small.
        """
        numbers = {number for number, _ in self.frames}
        if len(numbers) < len(self.frames):
            raise EngineError("BAD_REQUEST", "A frame is listed twice.", "List each frame once.")
        if len(numbers) < LEAST:
            few = "one frame" if len(numbers) == 1 else f"{len(numbers)} frames"
            message = f"The clip has {few}: what is learned from some must be measured on others."
            raise EngineError("BAD_REQUEST", message, f"Name at least {LEAST} frames.")
        # Said the other way round a NaN would pass.
        if not self.seconds >= _FEWEST_SECONDS:
            message = f"{self.seconds:g} seconds are too few to adapt in."
            raise EngineError("BAD_REQUEST", message, f"Give at least {_FEWEST_SECONDS:g}.")


@dataclass(frozen=True)
class Adapted:
    """What came of it.

    Attributes:
        data: the model, as a safetensors file; where adapting did not help, with the base model's own weights.
        helped: whether it did.
        before: errors of the base model on the held-out frames.
        after: those of the adapted one, whether or not it was kept.
        steps: that were learned.
        seconds: of work.
        learned: frames that it was learned from.
        held_out: frames that it was measured on.
        model: name of the base model.
        sentence: all of that for the artist.
    """

    data: bytes
    helped: bool
    before: Measured
    after: Measured
    steps: int
    seconds: float
    learned: tuple[int, ...]
    held_out: tuple[int, ...]
    model: str

    @property
    def sentence(self) -> str:
        """What came of it, for the artist."""
        figures = f"error on held-out frames {self.before.exact:.2f} before, {self.after.exact:.2f} after (x 1e-3)"
        if self.helped:
            return f"Adapted: {figures}."
        return f"Adapting did not help: {figures}. The model's own weights are kept."


def spread(numbers: list[int]) -> list[int]:
    """At most `MOST_FRAMES`, evenly spread; every further one halves a gap, so that any number of them is spread."""
    if len(numbers) > MOST_FRAMES:
        numbers = [numbers[round(i * (len(numbers) - 1) / (MOST_FRAMES - 1))] for i in range(MOST_FRAMES)]
    ordered: list[int] = []
    step = 1 << (len(numbers) - 1).bit_length()
    while step:
        ordered += [number for number in numbers[::step] if number not in ordered]
        step //= 2
    return ordered
