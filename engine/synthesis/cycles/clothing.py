"""Clothes: pieces of MakeHuman's tights and skirt meshes, let out, wrinkled and cut to length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.synthesis.cycles.part import Indices, Part, Points, Rng, Surface, kept, vertex_normals
from engine.synthesis.cycles.skeleton import Skeleton

_TORSO = ("spine", "breast", "clavicle", "shoulder")
_SLEEVES = ("upperarm01", "upperarm02", "lowerarm01", "lowerarm02")
_HIPS = ("pelvis", "root", "upperleg01")
_LEGS = ("upperleg02", "lowerleg01", "lowerleg02")


@dataclass(frozen=True)
class Garment:
    """One garment on one body.

    Attributes:
        faces: quads of the base mesh.
        inside: ``(V,)``, above 0 where the garment is; its hem runs where this crosses 0.
        surface: its cloth.
        loose: metres off the body.
        wrinkle: amplitude, metres.
        seed: of the wrinkles.
        hides: whether the body beneath cannot show.
    """

    faces: Indices
    inside: Points
    surface: Surface
    loose: float
    wrinkle: float
    seed: int
    hides: bool = True

    def part(self, points: Points, rest: Points) -> Part:
        """The garment on a posed body."""
        points, rest = self._hemmed(points), self._hemmed(rest)
        used, faces = kept(points, (self.faces[(self.inside[self.faces] > 0).any(1)],), np.ones(len(points), bool))
        normals = vertex_normals(points[used], faces)
        folds = wrinkles(np.random.default_rng(self.seed), rest[used])
        cloth = points[used] + normals * (self.loose + self.wrinkle * folds)[:, None]
        return Part(cloth.astype(np.float32), self.surface, faces=faces, rest=rest[used])

    def _hemmed(self, points: Points) -> Points:
        """Vertices just outside the hem, drawn onto it along the edges that cross it."""
        edges = np.concatenate([self.faces[:, (k, (k + 1) % 4)] for k in range(4)])
        edges = np.concatenate((edges, edges[:, ::-1]))
        crossing = edges[(self.inside[edges[:, 0]] > 0) & (self.inside[edges[:, 1]] <= 0)]
        within, without = self.inside[crossing.T]
        share = (within / (within - without))[:, None]
        places = points[crossing[:, 0]] * (1 - share) + points[crossing[:, 1]] * share
        total, count = np.zeros_like(points), np.zeros((len(points), 1), np.float32)
        np.add.at(total, crossing[:, 1], places)
        np.add.at(count, crossing[:, 1], 1)
        return np.where(count > 0, total / np.maximum(count, 1), points).astype(np.float32)


def wrinkles(rng: Rng, points: Points) -> Points:
    """A smooth field over points ``(V, 3)``, about -1..1: a sum of warped waves of 4 to 25 cm."""
    field = np.zeros(len(points), np.float32)
    warp = points + 0.02 * np.sin(points[:, (1, 2, 0)] * 25 + rng.uniform(0, 6, 3))
    for _ in range(7):
        wave = rng.standard_normal(3)
        wave *= 2 * np.pi / (rng.uniform(0.04, 0.25) * np.linalg.norm(wave))
        field += (np.sin(warp @ wave + rng.uniform(0, 2 * np.pi)) / 4).astype(np.float32)
    return field


def top(rng: Rng, skeleton: Skeleton, groups: dict[str, Indices], surface: Surface) -> Garment:
    """Anything from a vest to a coat."""
    sleeves = int(rng.choice((0, 1, 2, 4), p=(0.1, 0.15, 0.25, 0.5)))
    stems = (*_TORSO, *_SLEEVES[:sleeves])
    coat = sleeves == 4 and rng.random() < 0.3
    hem = skeleton.heads["upperleg01.L"][2] - (0.25 if coat else rng.uniform(-0.1, 0.05))
    # Ten a metre: steep against the weights' own fall, so that the hem is level.
    above = (skeleton.shape[:, 2] - hem) * 10
    inside = np.maximum(_owned(skeleton, stems), np.minimum(_owned(skeleton, (*stems, *_HIPS)), above))
    loose = rng.uniform(0.015, 0.035) if coat else rng.choice((0.003, 0.01, 0.02))
    return _tights(rng, inside.astype(np.float32), groups, surface, float(loose))


def trousers(rng: Rng, skeleton: Skeleton, groups: dict[str, Indices], surface: Surface) -> Garment:
    """Anything from shorts to long trousers."""
    legs = int(rng.choice((1, 2, 3), p=(0.15, 0.1, 0.75)))
    inside = _owned(skeleton, (*_HIPS, "spine05", "spine04", *_LEGS[:legs]))
    return _tights(rng, inside, groups, surface, float(rng.choice((0.002, 0.008, 0.016))))


def skirt(rng: Rng, skeleton: Skeleton, groups: dict[str, Indices], surface: Surface) -> Garment:
    """A skirt of any length."""
    height = skeleton.shape[:, 2]
    floor, waist = height[groups["helper-skirt"]].min(), height[groups["helper-skirt"]].max()
    inside = height - floor - (waist - floor) * rng.uniform(-0.05, 0.7)
    wrinkle, seed = float(rng.uniform(0.0, 0.02)), int(rng.integers(1 << 31))
    return Garment(groups["helper-skirt"], inside.astype(np.float32), surface, 0.004, wrinkle, seed, hides=False)


def _owned(skeleton: Skeleton, stems: Sequence[str]) -> Points:
    """How much more of each vertex moves with these bones than with others; -1..1."""
    columns = [column for column, name in enumerate(skeleton.order) if name.startswith(tuple(stems))]
    return np.asarray(2 * skeleton.weights[:, columns].sum(1) - 1, np.float32)


def _tights(rng: Rng, inside: Points, groups: dict[str, Indices], surface: Surface, loose: float) -> Garment:
    wrinkle = float(rng.uniform(0.1, 0.5)) * loose
    return Garment(groups["helper-tights"], inside, surface, loose, wrinkle, int(rng.integers(1 << 31)))
