"""The demo's actor: a walking woman in a chequered coat, from a few tables of measures.

Local axes: x to her left, y up, z ahead; metres. Times in frames at 24 a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.synthesis.demo.camera import Points, floats
from engine.synthesis.demo.head import HEAD_CENTRE, SKIN, head
from engine.synthesis.demo.surface import Surface, rotation_y, smooth_curve, tube
from engine.synthesis.demo.textures import Colour, Random, fractal
from engine.values import Array

STEP_PERIOD = 25.0
"""Frames of a full walk cycle, two steps; about 1 s, a brisk walk (Winter, Biomechanics of Human Movement)."""

HEADING = np.radians(120.0)
"""Walking direction, from z towards x: to the right and nearer."""
SPEED = 0.85 / 24
"""metres a frame."""
START = (-0.58, 0.0, 2.95)
"""On the floor, at frame 0."""

DENIM: Colour = (0.035, 0.05, 0.085)
SCARF: Colour = (0.46, 0.27, 0.055)
BRICK_RED: Colour = (0.25, 0.075, 0.048)
NAVY: Colour = (0.018, 0.026, 0.05)
CREAM: Colour = (0.46, 0.40, 0.30)

SLEEVE = ((0, 0.03, 0.15, 0.5, 0.97, 0.99, 1), (0, 0.048, 0.066, 0.055, 0.049, 0.052, 0))
"""Radius of a sleeve, metres, by the share of its length; closed at both ends."""

COAT = (  # height, half width, half depth, shift ahead
    (0.60, 0.265, 0.235, 0.00),
    (0.75, 0.225, 0.195, 0.00),
    (0.92, 0.185, 0.145, 0.00),
    (1.06, 0.150, 0.118, 0.00),
    (1.20, 0.172, 0.128, 0.008),
    (1.31, 0.192, 0.122, 0.004),
    (1.385, 0.180, 0.098, -0.004),
    (1.43, 0.110, 0.078, -0.004),
    (1.47, 0.062, 0.062, 0.00),
)


@dataclass(frozen=True)
class Gait:
    """Where the limbs are at one time.

    Attributes:
        swing: -1..1, left leg (and right arm) ahead where positive.
        bob: metres, the body's rise.
        head_turn: radians, the head against the body, positive to her left.
    """

    swing: float
    bob: float
    head_turn: float


def gait(time: float) -> Gait:
    """The walk at a time in frames."""
    phase = 2 * np.pi * time / STEP_PERIOD + 0.6
    return Gait(float(np.sin(phase)), float(0.018 * np.cos(2 * phase)), float(np.radians(12 + 1.6 * time)))


def to_world(time: float) -> tuple[npt.NDArray[np.float32], Points]:
    """Rotation and offset from the actor's axes to the world's."""
    way = floats([np.sin(HEADING), 0, np.cos(HEADING)]) * np.float32(SPEED * time)
    return rotation_y(HEADING), floats(START) + way + floats([0, gait(time).bob, 0])


def head_to_body(time: float) -> tuple[npt.NDArray[np.float32], Points]:
    """Rotation and offset from the head's axes (origin in its middle) to the actor's."""
    return rotation_y(gait(time).head_turn), floats(HEAD_CENTRE)


class Actor:
    """The figure's cloth, skin and limbs, posed at any time."""

    def __init__(self, rng: Random) -> None:
        self._creases = _seamless(fractal(rng, (120, 121), 26, 3))
        self._sleeve_creases = _seamless(fractal(rng, (60, 41), 12, 3))

    def surfaces(self, time: float) -> list[Surface]:
        """Everything but hair, in world space."""
        pose = gait(time)
        parts = [self._coat(pose, time), _neck(), *_scarf(time)]
        for side in (1, -1):
            parts += [_leg(side, side * pose.swing), *self._arm(side, -side * pose.swing)]
        turn, centre = head_to_body(time)
        parts.append(head().moved(turn, centre))
        rotation, offset = to_world(time)
        return [part.moved(rotation, offset) for part in parts]

    def _coat(self, pose: Gait, time: float) -> Surface:
        table = smooth_curve(COAT, 120, 0.07)
        height = table[:, 0]
        low = np.clip((1.02 - height) / 0.42, 0, 1)[:, None]
        around = np.linspace(0, 2 * np.pi, 121, dtype=np.float32)[None]
        folds = 0.085 * np.sin(7 * around + 1.5 * low + 0.5) + 0.04 * np.sin(13 * around - 3 * low)
        swell = 1 + low * folds + (0.018 + 0.02 * low) * self._creases
        stride = 0.16 * pose.swing * low**1.5 * np.cos(around)
        points = np.stack(
            [
                table[:, 1:2] * np.cos(around) * swell,
                np.broadcast_to(height[:, None], swell.shape),
                table[:, 3:] - table[:, 2:3] * np.sin(around) * swell + stride - 0.03 * low * np.cos(time / 4),
            ],
            axis=-1,
        )
        colours = _plaid(height[:-1, None] / 0.118, 14 * around[:, :-1] / (2 * np.pi))
        belt = (np.abs(height[:-1] - 1.055) < 0.022)[:, None, None]
        return Surface(points.astype(np.float32), np.where(belt, floats(NAVY) * 0.8, colours))

    def _arm(self, side: int, swing: float) -> list[Surface]:
        shoulder = floats([0.178 * side, 1.375, -0.004])
        lift, bend = 0.10 + 0.50 * swing, 0.45 + 0.35 * max(swing, -0.4)
        elbow = shoulder + 0.275 * _swung(lift, 0.20 * side)
        wrist = elbow + 0.235 * _swung(lift + bend, 0.02 * side)
        centres = smooth_curve([shoulder, (shoulder + elbow) / 2, elbow, (elbow + wrist) / 2, wrist], 60, 0.17)
        profile = np.interp(np.linspace(0, 1, 60), SLEEVE[0], SLEEVE[1])
        radius = profile[:, None] * (1 + 0.05 * self._sleeve_creases)
        cylinder = tube(centres, np.ones((60, 2), np.float32), (1, 0, 0), 40)
        sleeve = centres[:, None] + (cylinder - centres[:, None]) * radius[..., None]
        rows, columns = np.linspace(0, 4.4, 59)[:, None], np.linspace(0, 4, 41)[None, :-1]
        hand = _hand(wrist, _swung(lift + bend + 0.15, -0.06 * side), side)
        return [Surface(sleeve.astype(np.float32), _plaid(rows, columns)), *hand]


def _seamless(creases: Array) -> Array:
    """Relief that fades out towards a tube's seam, where its first and last columns meet."""
    from_seam = np.minimum(np.arange(creases.shape[1]), np.arange(creases.shape[1])[::-1])
    return creases * np.clip(from_seam / 6, 0, 1).astype(np.float32)


def _swung(angle: float, outward: float) -> Points:
    """Unit direction of a limb that hangs, swung ahead by ``angle`` radians and outward a little."""
    hanging = floats([outward, -np.cos(angle), np.sin(angle)])
    return hanging / np.linalg.norm(hanging)


def _plaid(v: npt.ArrayLike, u: npt.ArrayLike) -> Array:
    """A woven check: warp and weft each in broad red and navy with a cream line; thread over thread mixes by halves."""
    return (0.5 * _stripe(np.asarray(v)) + 0.5 * _stripe(np.asarray(u))).astype(np.float32)


def _stripe(t: npt.NDArray[np.generic]) -> Array:
    place = np.asarray(t % 1)[..., None]
    colour = np.where(place < 0.42, floats(NAVY), floats(BRICK_RED))
    return np.where(np.abs(place - 0.71) < 0.055, floats(CREAM), colour).astype(np.float32)


def _plain(points: Points, colour: Colour) -> Surface:
    return Surface(points, np.broadcast_to(floats(colour), (points.shape[0] - 1, points.shape[1] - 1, 3)))


def _leg(side: int, swing: float) -> Surface:
    hip = floats([0.09 * side, 0.93, 0.0])
    knee = hip + 0.44 * _swung(0.42 * swing + 0.08, 0.0)
    ankle = knee + 0.45 * _swung(0.42 * swing - 0.30 * max(-swing, 0.1), 0.0)
    centres = smooth_curve([hip, (hip + knee) / 2, knee, (knee + ankle) / 2, ankle], 40, 0.06)
    radius = np.interp(np.linspace(0, 1, 40), (0, 0.5, 1), (0.082, 0.062, 0.058)).astype(np.float32)
    return _plain(tube(centres, np.stack([radius, radius], axis=1), (1, 0, 0), 24), DENIM)


def _hand(wrist: Points, along: Points, side: int) -> list[Surface]:
    """Palm, four fingers and a thumb, slightly curled."""
    across = floats([0.25 * side, 0.12, 1.0])
    across = across - along * (across @ along)
    across /= np.linalg.norm(across)
    inward = np.cross(along, across) * np.float32(side)
    parts = [_digit(wrist - 0.04 * along, wrist + 0.088 * along, 0.036, 0.017, across)]
    for number, length in enumerate((0.068, 0.076, 0.071, 0.055)):
        root = wrist + 0.078 * along + (0.0265 - 0.0175 * number) * across
        parts.append(_digit(root, root + length * along + 0.028 * inward, 0.0085, 0.0085, across))
    root = wrist + 0.025 * along + 0.03 * across
    return [*parts, _digit(root, root + 0.055 * along + 0.024 * across + 0.012 * inward, 0.010, 0.010, across)]


def _digit(start: Points, end: Points, wide: float, thick: float, across: Points) -> Surface:
    t = np.linspace(0, 1, 12, dtype=np.float32)[:, None]
    rounded = np.sqrt(np.clip(1 - (2 * t - 1) ** 6, 0.02, 1))
    radii = np.concatenate([wide * rounded, thick * rounded], axis=1)
    return _plain(tube(start + t * (end - start), radii, tuple(across), 12), SKIN)


def _neck() -> Surface:
    centres = smooth_curve([(0, 1.42, -0.012), (0, 1.50, 0.0), (0, 1.585, 0.012)], 16)
    return _plain(tube(centres, np.full((16, 2), 0.052, np.float32), (1, 0, 0), 28), tuple(0.72 * floats(SKIN)))


def _scarf(time: float) -> list[Surface]:
    """A thick turn round the neck and a hanging end that swings."""
    turn = np.linspace(0, 2 * np.pi, 61, dtype=np.float32)
    ring = np.stack([0.085 * np.cos(turn), 1.462 + 0.016 * np.sin(turn + 2.4), 0.010 + 0.080 * np.sin(turn)], axis=1)
    thick = floats((0.041 + 0.007 * np.sin(5 * turn))[:, None] * np.ones((1, 2)))
    sway = 0.03 * np.sin(time / 5)
    end = smooth_curve([(0.05, 1.45, 0.095), (0.06, 1.30, 0.15 + sway), (0.05 + sway, 1.12, 0.15 + 2 * sway)], 40)
    width = np.linspace(0.04, 0.062, 40, dtype=np.float32)
    radii = np.stack([width * (1 + 0.08 * np.sin(np.arange(40) / 2)), np.full(40, 0.014)], axis=1)
    ribs = 1 + 0.22 * np.sin(np.arange(20) * np.pi / 2)[None, :, None] * np.ones((60, 1, 1))
    loop = Surface(tube(ring, thick, (0, 1, 0.02), 20), (ribs * floats(SCARF)).astype(np.float32))
    return [loop, _plain(tube(end, radii.astype(np.float32), (1, 0, 0), 20), SCARF)]
