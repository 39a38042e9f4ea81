"""What bodies do: stances, gestures and gaits, as directions of limbs, and how they swing from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.synthesis.cycles.part import Points, Rng, unit
from engine.synthesis.cycles.skeleton import Pose, Skeleton

_ARMS = {
    "hang": ((0.2, 0.0, -1.0), (0.12, -0.18, -1.0)),
    "hip": ((0.75, 0.25, -0.75), (-0.75, -0.4, -0.35)),
    "fold": ((0.25, -0.3, -0.9), (-0.85, -0.5, 0.15)),
    "wave": ((0.75, -0.15, 0.15), (0.25, -0.2, 1.0)),
    "head": ((0.85, -0.25, 0.45), (-0.75, 0.05, 0.7)),
    "face": ((0.3, -0.5, -0.7), (-0.35, -0.25, 1.0)),
    "point": ((0.45, -0.9, 0.0), (0.3, -1.0, 0.1)),
    "raise": ((0.45, 0.0, 1.0), (0.15, -0.1, 1.0)),
    "spread": ((1.0, 0.0, -0.1), (1.0, -0.25, 0.1)),
    "carry": ((0.2, -0.1, -1.0), (-0.1, -1.0, -0.05)),
}
"""Upper and lower arm of the left side: +x is out, -y to the front, +z up."""

_ARM_SHARES = (0.34, 0.1, 0.1, 0.09, 0.08, 0.07, 0.06, 0.05, 0.05, 0.06)

_LEGS = {
    "stand": (((0.08, 0.0, -1.0), (0.02, 0.05, -1.0)), ((0.08, 0.0, -1.0), (0.02, 0.05, -1.0))),
    "walk": (((0.03, -0.45, -1.0), (0.0, 0.0, -1.0)), ((0.03, 0.3, -1.0), (0.0, 0.7, -1.0))),
    "run": (((0.03, -0.9, -0.7), (0.0, 0.5, -1.0)), ((0.03, 0.35, -1.0), (0.0, 1.0, -0.3))),
    "sit": (((0.2, -1.0, -0.1), (0.05, 0.05, -1.0)), ((0.2, -1.0, -0.1), (0.05, 0.05, -1.0))),
    "wide": (((0.4, 0.0, -1.0), (0.3, 0.0, -1.0)), ((0.4, 0.0, -1.0), (0.3, 0.0, -1.0))),
}
"""Upper and lower leg, left and right, written for the left side."""


@dataclass(frozen=True)
class _Swing:
    """A quantity that sways about a mean: radians of phase a frame, so that a shot shows part of a period."""

    mean: Points
    reach: Points
    phase: float
    rate: float

    def at(self, time: float) -> Points:
        return np.asarray(self.mean + self.reach * np.sin(self.phase + self.rate * time), np.float32)


@dataclass(frozen=True)
class Acting:
    """A pose that changes over time."""

    legs: str
    aims: dict[str, _Swing]
    turns: dict[str, _Swing]

    def at(self, time: float) -> Pose:
        """The pose at a time in frames."""
        aims = {bone: unit(swing.at(time)) for bone, swing in self.aims.items()}
        return Pose(aims, {bone: swing.at(time) for bone, swing in self.turns.items()})


def acting(rng: Rng, skeleton: Skeleton, legs: str | None = None) -> Acting:
    """Invent a stance and a movement; ``legs`` names one of stand, walk, run, sit, wide."""
    # Radians a frame: from a slow shift of weight to a fast wave at 24 frames a second.
    liveliness = float(rng.choice((0.15, 0.5, 1.0), p=(0.4, 0.4, 0.2)))
    legs = legs or str(rng.choice(tuple(_LEGS), p=(0.5, 0.2, 0.1, 0.1, 0.1)))
    aims: dict[str, _Swing] = {}
    for side, sign in (("L", 1.0), ("R", -1.0)):
        mirror = np.array((sign, 1, 1))
        for bones, means in ((("upperarm01", "lowerarm01"), _ARMS[str(rng.choice(tuple(_ARMS), p=_ARM_SHARES))]),
                             (("upperleg01", "lowerleg01"), _LEGS[legs][0 if side == "L" else 1])):  # fmt: skip
            for bone, mean in zip(bones, means, strict=True):
                loose = 0.16 if "arm" in bone else 0.05
                direction = mirror * mean + rng.normal(0, loose, 3)
                aims[f"{bone}.{side}"] = _swing(rng, direction, (0.3 if "arm" in bone else 0.1) * liveliness)
    turns = {
        bone: _swing(rng, rng.normal(0, spread), 0.35 * spread.max() * liveliness) for bone, spread in _BEND.items()
    }
    turns |= _hands(rng, skeleton, liveliness)
    return Acting(legs, aims, turns)


_BEND = {
    "spine04": np.array((0.07, 0.05, 0.1)),
    "spine02": np.array((0.07, 0.05, 0.1)),
    "spine01": np.array((0.06, 0.04, 0.08)),
    "neck02": np.array((0.12, 0.08, 0.2)),
    "head": np.array((0.15, 0.1, 0.25)),
    "wrist.L": np.array((0.25, 0.25, 0.25)),
    "wrist.R": np.array((0.25, 0.25, 0.25)),
}
"""Standard deviation of the rotation vector, radians: nodding, tilting, turning."""


def _swing(rng: Rng, mean: Points, reach: float) -> _Swing:
    return _Swing(mean, reach * rng.normal(0, 1, 3), float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0.25, 0.7)))


def _hands(rng: Rng, skeleton: Skeleton, liveliness: float) -> dict[str, _Swing]:
    """Fingers curl about the hand's own cross axis, all of a hand alike but for a little."""
    turns = {}
    for side in ("L", "R"):
        knuckles = skeleton.heads[f"finger5-1.{side}"] - skeleton.heads[f"finger2-1.{side}"]
        along = skeleton.tails[f"finger3-1.{side}"] - skeleton.heads[f"finger3-1.{side}"]
        across = unit(knuckles - along * (knuckles @ along) / (along @ along))
        palm = np.cross(along, across)
        # The palm faces down and inwards at rest, so a curl turns the finger towards it.
        axis = across if np.cross(across, along) @ _inward(side) > 0 else -across
        curl = float(rng.choice((0.1, 0.35, 1.1), p=(0.35, 0.4, 0.25)))
        for finger in range(1, 6):
            spread = unit(palm) * rng.normal(0, 0.08)
            for joint in range(1, 4):
                bend = 0.4 if finger == 1 else 1.0
                angle = curl * bend * rng.uniform(0.7, 1.3)
                mean = axis * angle + (spread if joint == 1 else 0)
                turns[f"finger{finger}-{joint}.{side}"] = _Swing(mean, axis * 0.1 * liveliness, 0.0, 0.5)
    return turns


def _inward(side: str) -> Points:
    return np.array((-0.6 if side == "L" else 0.6, 0.2, -0.8), np.float32)
