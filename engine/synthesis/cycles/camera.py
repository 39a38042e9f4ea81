"""How a subject is lit and photographed, at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.synthesis.cycles.part import Colour, Points, Rng
from engine.synthesis.cycles.subject import Shot

Group = Literal["train", "held-out"]

WORLDS: dict[Group, tuple[str, ...]] = {
    "train": ("city", "courtyard", "interior", "night", "studio", "sunrise"),
    "held-out": ("forest", "sunset"),
}
"""Poly Haven's pictures of real light that come with Blender, CC0; the groups share none."""


@dataclass(frozen=True)
class Lamp:
    """An area light: where it stands, its side in metres, its power in watts."""

    place: Points
    side: float
    power: float
    colour: Colour


@dataclass(frozen=True)
class View:
    """Camera and light of a shot."""

    place: Points
    target: Points
    roll: float
    focal: float
    """mm, for a sensor of 36 mm."""
    f_stop: float
    """0 for a pinhole."""
    shutter: float
    """Of the time between frames; 0 for none."""
    world: str
    world_turn: float
    world_strength: float
    lamps: tuple[Lamp, ...]


def photograph(rng: Rng, shot: Shot, group: Group) -> View:
    """Choose camera and light for a shot."""
    focal = float(rng.choice((28, 35, 50, 85)))
    distance = shot.height * focal / 36
    rise = rng.normal(0.0, 0.12)
    aside = np.array((np.sin(shot.facing) * np.cos(rise), -np.cos(shot.facing) * np.cos(rise), np.sin(rise)))
    lamps = tuple(_lamp(rng, shot) for _ in range(rng.choice((0, 1, 2), p=(0.4, 0.35, 0.25))))
    return View(
        place=shot.centre + aside * distance,
        target=shot.centre,
        roll=float(rng.normal(0, 0.04)),
        focal=focal,
        f_stop=float(rng.choice((1.4, 2.8))) if rng.random() < 0.35 else 0.0,
        shutter=float(rng.uniform(0.2, 0.9)) if rng.random() < 0.5 else 0.0,
        world=str(rng.choice(WORLDS[group])),
        world_turn=float(rng.uniform(0, 2 * np.pi)),
        world_strength=float(np.exp(rng.normal(0, 0.4))),
        lamps=lamps,
    )


def _lamp(rng: Rng, shot: Shot) -> Lamp:
    """Somewhere round the subject, one to three picture heights away; brighter the farther it stands."""
    angle, rise = rng.uniform(0, 2 * np.pi), rng.uniform(-0.1, 1.3)
    distance = shot.height * rng.uniform(1.2, 3)
    way = np.array((np.cos(angle) * np.cos(rise), np.sin(angle) * np.cos(rise), np.sin(rise)))
    warmth = rng.uniform(-0.35, 0.35)
    colour = (float(1 + warmth), 1.0, float(1 - warmth))
    # An irradiance of about 0.5 to 6 on the subject, as white areas lights give it: power / (pi distance^2).
    power = np.exp(rng.uniform(np.log(0.5), np.log(6))) * np.pi * distance**2
    return Lamp(shot.centre + way * distance, float(shot.height * rng.uniform(0.15, 1.2)), float(power), colour)
