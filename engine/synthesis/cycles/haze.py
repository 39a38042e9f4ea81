"""Smoke and mist: many faint cards that face the camera, alone or about a person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.synthesis.cycles import surfaces
from engine.synthesis.cycles.bodies import BodyAtlas
from engine.synthesis.cycles.part import Part, Rng, Surface
from engine.synthesis.cycles.person import Person
from engine.synthesis.cycles.skeleton import turning
from engine.synthesis.cycles.subject import Shot

_SQUARE = np.array(((-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)), np.float32)


class Haze:
    """Puffs that rise and spread, three times in four before or behind a person."""

    kind = "haze"

    def __init__(self, rng: Rng, atlas: BodyAtlas) -> None:
        self._person = Person(rng, atlas) if rng.random() < 0.75 else None
        lone = Shot(np.zeros(3, np.float32), 1.6)
        self._shot = self._person.shot() if self._person else lone
        tone = (0.9, 0.9, 0.9) if rng.random() < 0.6 else surfaces.dye(rng)
        self._surface = Surface(tone, tone, roughness=1.0, soft=True, opacity=float(rng.uniform(0.15, 0.6)))
        count = int(rng.integers(4, 11))
        reach = self._shot.height * np.array((0.3, 0.25, 0.25))
        self._places = self._shot.centre + rng.normal(0, 1, (count, 3)) * reach
        self._sizes = self._shot.height * rng.uniform(0.15, 0.45, count)
        self._turns = rng.uniform(0, 2 * np.pi, count)
        self._drift = rng.normal(0, 0.01, (count, 3)) * self._shot.height + (0, 0, 0.006)

    def shot(self) -> Shot:
        """That of the person, or the puffs alone."""
        return self._shot

    def parts(self, time: float) -> Sequence[Part]:
        """The puffs, and the person."""
        upright = turning(np.array((0, 0, self._shot.facing))) @ turning(np.array((np.pi / 2, 0, 0)))
        puffs = []
        for index, (place, size, turn) in enumerate(zip(self._places, self._sizes, self._turns, strict=True)):
            # Each card looks up its own piece of the noise, beyond the others' by a shift in depth.
            rest = _SQUARE + np.array((0, 0, 7 * index), np.float32)
            facing = upright @ turning(np.array((0, 0, turn)))
            points = (_SQUARE * (size * (1 + 0.02 * time))) @ facing.T + place + self._drift[index] * time
            puffs.append(Part(points.astype(np.float32), self._surface, (np.array(((0, 1, 2, 3),)),), rest=rest))
        return [*(self._person.parts(time) if self._person else ()), *puffs]
