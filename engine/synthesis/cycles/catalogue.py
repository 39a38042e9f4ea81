"""Which subject a seed stands for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.synthesis.cycles.animal import Animal
from engine.synthesis.cycles.bodies import BodyAtlas
from engine.synthesis.cycles.camera import Group
from engine.synthesis.cycles.haze import Haze
from engine.synthesis.cycles.part import Rng
from engine.synthesis.cycles.person import Person
from engine.synthesis.cycles.plant import Plant
from engine.synthesis.cycles.subject import Subject
from engine.synthesis.cycles.things import Thing

FIRST_SEED: dict[Group, int] = {"train": 0, "held-out": 9_000_000}
"""The groups share no seed: each takes those from its own first one up."""

SHOT_FRAMES = 4
"""Consecutive frames of a sequence."""

Maker = Callable[[Rng, BodyAtlas], Subject]

KINDS: dict[str, tuple[Maker, float]] = {
    "person": (Person, 0.72),
    "animal": (Animal, 0.09),
    "thing": (Thing, 0.09),
    "plant": (Plant, 0.06),
    "haze": (Haze, 0.04),
}
"""Kind -> what makes it, and its share of the seeds. Mostly solid: a network raised on veils leaves holes in people."""


def group_of(seed: int) -> Group:
    """The group that a seed belongs to."""
    return "held-out" if seed >= FIRST_SEED["held-out"] else "train"


def frames_of(seed: int) -> int:
    """Every third seed is a sequence, the others are stills."""
    return SHOT_FRAMES if seed % 3 == 0 else 1


def kind_of(seed: int) -> str:
    """The kind of subject that a seed stands for."""
    return _drawn(np.random.default_rng(seed))


def invent(seed: int, atlas: BodyAtlas) -> tuple[Rng, Subject]:
    """The subject of a seed, and the source of randomness for what is decided after it: camera and light."""
    rng = np.random.default_rng(seed)
    maker, _ = KINDS[_drawn(rng)]
    return rng, maker(rng, atlas)


def _drawn(rng: Rng) -> str:
    shares = np.array([share for _, share in KINDS.values()])
    return tuple(KINDS)[rng.choice(len(KINDS), p=shares / shares.sum())]
