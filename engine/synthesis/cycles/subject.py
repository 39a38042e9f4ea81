"""A subject: parts that a renderer draws at any time, and what a camera should look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.synthesis.cycles.part import Part, Points


@dataclass(frozen=True)
class Shot:
    """What to frame: metres."""

    centre: Points
    height: float
    """Of what the picture shows, from its lower to its upper edge, at the centre's distance."""
    facing: float = 0.0
    """Radians from the front at which the camera stands: 0 sees -y sides."""


class Subject(Protocol):
    """Something to draw; the same seed gives the same parts, in the same order with the same points, at any time."""

    kind: str

    def shot(self) -> Shot:
        """What the camera looks at."""
        ...

    def parts(self, time: float) -> Sequence[Part]:
        """Everything to draw at a time in frames."""
        ...
