"""Plants: stems that branch, leaves of many shapes, sometimes a pot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.synthesis.cycles import shapes, surfaces
from engine.synthesis.cycles.bodies import BodyAtlas
from engine.synthesis.cycles.part import Part, Points, Rng, unit
from engine.synthesis.cycles.subject import Shot

_SEGMENTS = 7
"""Of a leaf along its length; it is three points wide, and folded along the middle."""


class Plant:
    """A plant in the wind."""

    kind = "plant"

    def __init__(self, rng: Rng, atlas: BodyAtlas) -> None:
        self._leaf, self._wood, self._pot_surface = surfaces.leaf(rng), surfaces.solid(rng), surfaces.solid(rng)
        stems = int(rng.integers(3, 16))
        self._stems = [_stem(rng) for _ in range(stems)]
        self._thick = float(rng.uniform(0.002, 0.01))
        self._leaves = _leaves(rng, self._stems)
        self._potted = rng.random() < 0.5
        self._wind = rng.normal(0, 0.03, 3) * (1, 1, 0)
        self._phase, self._rate = float(rng.uniform(0, 6)), float(rng.uniform(0.3, 1.0))
        centre = np.array((rng.normal(0, 0.1), 0, rng.uniform(0.35, 0.65)), np.float32)
        self._shot = Shot(centre, float(rng.uniform(0.7, 1.5)), float(rng.uniform(0, 2 * np.pi)))

    def shot(self) -> Shot:
        """The plant, whole or cut."""
        return self._shot

    def parts(self, time: float) -> Sequence[Part]:
        """Stems, leaves, pot."""
        wood = shapes.joined(
            [shapes.tube(stem, np.linspace(self._thick, 0.001, len(stem)), 5) for stem in self._stems], self._wood
        )
        leaves = shapes.joined([self._leaves], self._leaf)
        parts = [self._blown(wood, time), self._blown(leaves, time)]
        if self._potted:
            profile = np.array(((0.0, -0.28), (0.11, -0.28), (0.15, 0.0), (0.14, 0.02), (0.13, 0.0), (0.0, -0.02)))
            parts.append(shapes.joined([shapes.turned(profile)], self._pot_surface))
        return parts

    def _blown(self, part: Part, time: float) -> Part:
        """Everything leans with the wind, the more the higher it is, and trembles a little out of step."""
        height = np.clip(part.points[:, 2:], 0, None)
        flutter = np.sin(self._phase + self._rate * time + 4 * part.points[:, :1])
        return Part(
            (part.points + height * flutter * self._wind).astype(np.float32), part.surface, part.faces, rest=part.points
        )


def _stem(rng: Rng) -> Points:
    way, point, path = np.append(rng.normal(0, 0.35, 2), 1.0), np.append(rng.normal(0, 0.03, 2), 0.0), []
    step = rng.uniform(0.05, 0.11)
    for _ in range(10):
        path.append(point)
        way = way / np.linalg.norm(way) + rng.normal(0, 0.15, 3) + np.array((0, 0, -0.04))
        point = point + step * way / np.linalg.norm(way)
    return np.array(path, np.float32)


def _leaves(rng: Rng, stems: Sequence[Points]) -> shapes.Mesh:
    """All leaves as one mesh; grasses have long thin ones."""
    grass = rng.random() < 0.25
    each = int(rng.integers(2, 5) if grass else rng.integers(6, 24))
    roots = np.concatenate([stem[rng.integers(1, len(stem), each)] for stem in stems])
    count = len(roots)
    along = unit(rng.normal(0, 1, (count, 3)) + np.array((0, 0, 0.8 if grass else 0.3)))
    across = unit(np.cross(along, unit(rng.normal(0, 1, (count, 3)))))
    length = (rng.uniform(0.25, 0.6) if grass else rng.uniform(0.04, 0.2)) * rng.uniform(0.6, 1.3, (count, 1, 1))
    width = length * (0.03 if grass else rng.uniform(0.12, 0.45))
    t = np.linspace(0, 1, _SEGMENTS)[None, :, None]
    droop = np.array((0, 0, -1)) * length * rng.uniform(0.1, 0.7) * t**2
    spine = roots[:, None] + along[:, None] * length * t + droop
    outline = np.sin(np.pi * t ** rng.uniform(0.5, 1.2)) * width / 2
    fold = np.cross(along, across)[:, None] * outline * rng.uniform(0, 0.5)
    points = np.stack((spine - across[:, None] * outline + fold, spine, spine + across[:, None] * outline + fold), 2)
    size = _SEGMENTS * 3
    faces = (shapes.grid(_SEGMENTS, 3)[None] + size * np.arange(count)[:, None, None]).reshape(-1, 4)
    return points.reshape(-1, 3).astype(np.float32), [faces]
