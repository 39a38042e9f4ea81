"""Animals with fur, and fringed or fuzzy things: solid bodies under many short strands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.synthesis.cycles import shapes, surfaces
from engine.synthesis.cycles.bodies import BodyAtlas
from engine.synthesis.cycles.part import Part, Points, Rng, Surface, at, scatter, unit, vertex_normals
from engine.synthesis.cycles.strands import Style, curves, grown
from engine.synthesis.cycles.subject import Shot


class Animal:
    """Four legs, a trunk, a head with ears, a tail; no particular kind."""

    kind = "animal"

    def __init__(self, rng: Rng, atlas: BodyAtlas) -> None:
        self._balls = _limbs(rng)
        self._seed = int(rng.integers(1 << 31))
        self._sway, self._phase, self._rate = rng.normal(0, 0.05), rng.uniform(0, 6), rng.uniform(0.3, 0.8)
        self._coat: Surface = surfaces.hair(rng)
        wool = rng.random() < 0.3
        self._style = Style(
            length=float(rng.uniform(0.03, 0.16)), points=14 if wool else 7, lift=float(rng.uniform(0.3, 1.0)),
            comb=(0.0, float(rng.uniform(0.2, 0.9)), float(rng.uniform(-0.6, 0.1))), gravity=float(rng.uniform(0, 0.3)),
            frizz=float(rng.uniform(0.03, 0.2)), curl=0.006 if wool else 0.0, turns=30, uneven=0.3,
            locks=int(rng.integers(99, 600)), gather=float(rng.uniform(0, 0.7)),
            radius=float(rng.uniform(0.0004, 0.0009)),
        )  # fmt: skip
        self._count = int(rng.integers(9000, 16000))
        close = rng.random() < 0.5
        facing = float(rng.uniform(0, 2 * np.pi))
        centre = np.array((0, -0.6, 0.35) if close else (0, 0, 0), np.float32) + rng.normal(0, 0.06, 3)
        self._shot = Shot(
            centre.astype(np.float32), float(rng.uniform(0.9, 1.3) if close else rng.uniform(1.7, 2.6)), facing
        )

    def shot(self) -> Shot:
        """The whole animal, or its head."""
        return self._shot

    def parts(self, time: float) -> Sequence[Part]:
        """Body and coat."""
        rng = np.random.default_rng(self._seed)
        body = shapes.joined([shapes.ellipsoid(*ball) for ball in self._balls], self._coat)
        places = scatter(np.random.default_rng(self._seed + 1), body.points, body.faces, self._count)
        normals = unit(at(vertex_normals(body.points, body.faces), places))
        strands = grown(rng, at(body.points, places), normals, self._style, ())
        # Grown at rest and bent with the body: every hair stays itself.
        bent = self._bent(strands.reshape(-1, 3), time).reshape(strands.shape)
        skin = Part(self._bent(body.points, time), self._coat, faces=body.faces, rest=body.points)
        return [skin, curves(bent, self._coat, self._style.radius)]

    def _bent(self, points: Points, time: float) -> Points:
        """The body sways, its ends most."""
        swing = self._sway * np.sin(self._phase + self._rate * time) * points[:, 1:2] ** 2
        return (points + swing * np.array((1.0, 0.0, 0.4))).astype(np.float32)


def _limbs(rng: Rng) -> list[tuple[Points, Points, Points]]:
    """Ellipsoids that overlap: centre, half axes, rotation. The animal looks along -y and is about 1.2 m long."""
    slim, leg, level = rng.uniform(0.7, 1.2), rng.uniform(0.25, 0.5), shapes.UPRIGHT
    trunk = [(np.array((0, y, 0)), np.array((0.22, 0.4, 0.24)) * (slim, 1, slim), level) for y in (-0.2, 0.25)]
    neck = [(np.array((0, -0.55 - 0.05 * k, 0.1 + 0.09 * k)), np.array((0.13, 0.16, 0.15)), level) for k in range(3)]
    skull = np.array((0, -0.75, 0.38))
    long = rng.uniform(0.1, 0.28)
    face = [
        (skull, np.full(3, 0.16), level),
        (skull + np.array((0, -0.12 - long / 2, -0.04)), np.array((0.08, long, 0.08)), level),
    ]
    ears = [
        (skull + np.array((s * 0.11, 0.02, 0.15)), np.array((0.05, 0.03, rng.uniform(0.07, 0.2))), level)
        for s in (-1, 1)
    ]
    legs = []
    for side in (-1, 1):
        for end in (-0.4, 0.45):
            foot = np.array((side * 0.13, end + rng.normal(0, 0.12), -leg - 0.2))
            top = np.array((side * 0.13, end, -0.1))
            legs += [
                (top + (foot - top) * share, np.array((0.09, 0.09, 0.16)), level) for share in (0.0, 0.33, 0.66, 1.0)
            ]
    curl = rng.uniform(-0.2, 0.3)
    tail = [(np.array((0, 0.62 + 0.1 * k, 0.1 + curl * k * 0.4)), np.full(3, 0.07), level) for k in range(5)]
    return [*trunk, *neck, *face, *ears, *legs, *tail]
