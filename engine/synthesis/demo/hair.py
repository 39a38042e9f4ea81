"""The actor's hair: a cap that covers the skull and strands that the wind moves, shaded as fibres."""

from __future__ import annotations

import numpy as np

from engine.synthesis.demo.actor import head_to_body, to_world
from engine.synthesis.demo.camera import Points, floats
from engine.synthesis.demo.head import HEAD_RADII
from engine.synthesis.demo.light import BULB, KEY, WINDOW, Lamp, acescg, fill_light
from engine.synthesis.demo.surface import Surface, unit
from engine.synthesis.demo.textures import Random
from engine.values import Array, Mask

STRANDS = 1500
FLYAWAYS = 330
"""Single hairs that stand off from the mass."""
PIECES = 12
"""Straight pieces of a strand."""
BROWN = (0.070, 0.036, 0.019)
FACE_AXIS = (0.0, -0.22, 1.0)
"""Middle of the face; hair grows further than `HAIRLINE` radians from it."""
HAIRLINE = 1.16
WIND = (-0.95, 0.10, 0.30)
"""World direction that the hair is blown in."""


class Hair:
    """All strands with their random lives, posed at any time."""

    def __init__(self, rng: Random) -> None:
        count = STRANDS + FLYAWAYS
        self._roots = _scalp(rng, count)
        self._loose = (np.arange(count) >= STRANDS).astype(np.float32)[:, None]
        self._length = (rng.uniform(0.24, 0.40, (count, 1)) * (1 - 0.25 * self._loose * rng.random((count, 1)))).astype(
            np.float32
        )
        self._phase = rng.uniform(0, 2 * np.pi, (count, 3)).astype(np.float32)
        self._stray = unit(rng.normal(0, 1, (count, 3)).astype(np.float32))
        self._tone = np.clip(rng.normal(1, 0.25, (count, 1, 1)), 0.5, 1.8).astype(np.float32)
        self.widths = np.repeat(np.where(self._loose[:, 0] > 0, 1, rng.integers(1, 3, count)), PIECES)

    def strands(self, time: float) -> Points:
        """``(N, PIECES + 1, 3)`` world positions from root to tip."""
        turn, centre = head_to_body(time)
        body, place = to_world(time)
        carry = body @ turn
        middle = centre @ body.T + place
        at = (self._roots * floats(HEAD_RADII) * 1.07) @ carry.T + middle
        outward = unit(self._roots @ carry.T)
        behind = carry @ floats([0, 0.15, -1.0])
        heading = unit(outward * (0.55 + 0.6 * self._loose) + 0.75 * behind + 0.35 * self._loose * self._stray)
        points = [at]
        for piece in range(1, PIECES + 1):
            along = piece / PIECES
            pull = self._pull(time, along)
            heading = unit(heading + 0.45 * pull)
            at = _outside_head(at + self._length / PIECES * heading, middle, carry)
            points.append(at)
        return np.stack(points, axis=1).astype(np.float32)

    def _pull(self, time: float, along: float) -> Points:
        """Gravity, wind with gusts that travel down the strand, and each strand's own curl."""
        gust = 0.72 + 0.28 * np.sin(0.45 * time - 3.0 * along + 0.4 * self._phase[:, :1])
        curl = np.sin(5.5 * along + self._phase + 0.22 * time)
        wind = floats(WIND) * (0.62 + 0.85 * self._loose) * gust * along**0.5
        weight = floats([0, -1.0, 0]) * (1.0 - 0.55 * self._loose)
        return (weight + wind + (0.22 + 0.33 * self._loose) * curl + 0.25 * self._loose * self._stray).astype(
            np.float32
        )

    def radiance(self, strands: Points) -> Array:
        """``(N, PIECES, 3)`` colour after Kajiya and Kay, "Rendering fur with three dimensional textures" (1989)."""
        middle = floats((strands[:, 1:] + strands[:, :-1]) / 2)
        along = unit(strands[:, 1:] - strands[:, :-1])
        albedo = acescg(BROWN) * self._tone
        depth = np.linspace(0.55, 1.25, PIECES, dtype=np.float32)[None, :, None]
        upright = np.broadcast_to(floats([0, 1, 0]), middle.shape)
        total = albedo * depth * fill_light(middle, upright)
        for lamp, gloss in ((KEY, 0.03), (WINDOW, 0.06), (BULB, 0.05)):
            total = total + _fibre(lamp, middle, along, albedo * depth, gloss)
        return floats(total)


def _fibre(lamp: Lamp, points: Points, along: Points, albedo: Array, gloss: float) -> Array:
    towards = unit(floats(lamp.position) - points)
    light = lamp.irradiance(points, towards)
    cosine = np.sum(along * towards, axis=-1, keepdims=True)
    sine = np.sqrt(np.clip(1 - cosine**2, 0, 1))
    view = unit(floats([0, 1.5, 0]) - points)
    eye_cosine = np.sum(along * view, axis=-1, keepdims=True)
    eye_sine = np.sqrt(np.clip(1 - eye_cosine**2, 0, 1))
    shine = np.clip(sine * eye_sine - cosine * eye_cosine, 0, 1) ** 18
    return light * (0.55 * albedo * sine + gloss * shine)


def _scalp(rng: Random, count: int) -> Points:
    """Directions on the hairy part of the head, ``(count, 3)``."""
    directions = unit(rng.normal(0, 1, (12 * count, 3)).astype(np.float32))
    return directions[_hairy(directions) & (directions[:, 1] > -0.5)][:count]


def _hairy(directions: Points) -> Mask:
    return directions @ unit(floats(FACE_AXIS)) < np.cos(HAIRLINE)


def _outside_head(points: Points, middle: Points, carry: Points) -> Points:
    local = (points - middle) @ carry
    reach = np.linalg.norm(local / floats(HEAD_RADII), axis=1, keepdims=True)
    return np.where(reach < 1.10, local * (1.10 / np.maximum(reach, 1e-3)), local) @ carry.T + middle


def cap(time: float) -> Surface:
    """The mass of hair on the skull, in world space."""
    rise = np.linspace(-0.32, 0.5, 70, dtype=np.float32)[:, None] * np.pi
    turn = np.linspace(-np.pi, np.pi, 101, dtype=np.float32)[None]
    sphere = np.stack(
        [np.cos(rise) * np.sin(turn), np.sin(rise) * np.ones_like(turn), np.cos(rise) * np.cos(turn)], axis=-1
    )
    off = np.arccos(np.clip(sphere @ unit(floats(FACE_AXIS)), -1, 1)) - HAIRLINE
    # Outside the hairline the cap lies over the skull, inside it dives below the skin.
    thick = 1 + 0.085 * np.clip(off / 0.12, -2.5, 1.0)
    streaks = 1 + 0.3 * np.sin(40 * turn) * np.ones_like(rise)
    points = sphere * floats(HEAD_RADII) * thick[..., None]
    shell = Surface(points.astype(np.float32), (streaks[:-1, :-1, None] * floats(BROWN)).astype(np.float32))
    turned, centre = head_to_body(time)
    body, place = to_world(time)
    return shell.moved(turned, centre).moved(body, place)
