"""Heads of hair and beards of many kinds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from engine.synthesis.cycles.part import Indices, Part, Points, Rng, Surface, at, kept, scatter, unit, vertex_normals
from engine.synthesis.cycles.skeleton import Posed, Skeleton
from engine.synthesis.cycles.strands import Ball, Style, Tie, curves, gathered, grown


@dataclass(frozen=True)
class Head:
    """The head of one body: what does not change with the pose.

    Attributes:
        scalp: ``(V,)``, where hair grows.
        chin: ``(V,)``, where a beard grows.
        faces: of the body, quads.
        centre: of the skull, at rest.
        axes: half axes of the skull.
    """

    scalp: npt.NDArray[np.bool_]
    chin: npt.NDArray[np.bool_]
    faces: Indices
    centre: Points
    axes: Points

    def skull(self) -> Ball:
        """The skull at rest."""
        return Ball(self.centre, self.axes * 1.02, np.eye(3, dtype=np.float32))


@dataclass(frozen=True)
class Carried:
    """The frame in which hair grows: the head's own, so that roots never move and only gravity and shoulders do.

    Growing where the head is at rest keeps every strand's randomness, its lock and its curl the same in all poses.

    Attributes:
        rotation: of the head.
        place: where the point ``rest`` of the head has gone.
        rest: that point.
    """

    rotation: Points
    place: Points
    rest: Points

    def out(self, points: Points) -> Points:
        """Points of the head's frame, in the world."""
        return np.asarray((points - self.rest) @ self.rotation.T + self.place, np.float32)

    def turned_in(self, direction: Sequence[float]) -> tuple[float, float, float]:
        """A direction of the world, in the head's frame."""
        x, y, z = (float(value) for value in np.asarray(direction) @ self.rotation)
        return x, y, z

    def ball_in(self, ball: Ball) -> Ball:
        """A ball of the world, in the head's frame."""
        centre = (ball.centre - self.place) @ self.rotation + self.rest
        return Ball(np.asarray(centre, np.float32), ball.axes, self.rotation.T @ ball.rotation)


def carried(posed: Posed, skeleton: Skeleton) -> Carried:
    """The head's frame in a pose."""
    return Carried(posed.rotations["head"], posed.heads["head"], skeleton.heads["head"])


_FACE_BONES = ("oris", "levator", "special", "tongue", "eye", "orbicularis", "risorius", "jaw", "oculi", "temporalis")


def find_head(skeleton: Skeleton, faces: Indices) -> Head:
    """Find scalp, chin and skull by where they lie about the eyes."""
    owners = np.array(skeleton.owners())
    own = np.isin(np.arange(len(owners)), np.unique(faces))
    own &= (owners == "head") | np.array([owner.startswith(_FACE_BONES) for owner in owners]) | (owners == "neck03")
    points = skeleton.shape
    eye = (skeleton.heads["eye.L"] + skeleton.heads["eye.R"]) / 2
    top = points[own, 2].max()
    unit_height = top - eye[2]
    skull = own & (points[:, 2] > eye[2])
    low, high = points[skull].min(0), points[skull].max(0)
    centre = (low + high) / 2
    up, back = (points[:, 2] - eye[2]) / unit_height, (points[:, 1] - eye[1]) / (high[1] - eye[1])
    # The hairline falls from 0.62 of the forehead's height to the nape, over and behind the ears.
    scalp = own & (up > 0.62 - 1.35 * np.clip(back, 0, None) ** 1.1) & (up > -0.75)
    # Above the ears the skull is as wide as it gets; what stands out farther below is ear.
    width = np.abs(points[own & (up > 0.45), 0]).max()
    ear = (np.abs(points[:, 0]) > 0.96 * width) & (up < 0.35)
    lips = np.array([owner.startswith(("oris", "tongue")) for owner in owners])
    mouth = skeleton.heads["jaw"][2]
    chin = (
        own & (up < -0.42) & (points[:, 2] > mouth - 1.15 * unit_height) & (back < 0.45) & ~lips & (owners != "neck03")
    )
    centre[2] = eye[2] + 0.25 * unit_height
    return Head(scalp & ~ear, chin, faces, centre, np.array((width, (high[1] - low[1]) / 2, 0.77 * unit_height)))


Pick = Callable[[Rng, float], Style]


def _short(rng: Rng, size: float) -> Style:
    comb = tuple(rng.normal(0, 0.7, 3))
    return Style(
        size * rng.uniform(0.06, 0.35),
        points=6,
        lift=0.6,
        comb=(comb[0], comb[1], comb[2]),
        gravity=0.1,
        frizz=0.15,
        locks=250,
        gather=0.5,
    )


def _long(rng: Rng, size: float) -> Style:
    comb = (rng.normal(0, 0.35), rng.uniform(0, 0.5), -0.5)
    return Style(
        size * rng.uniform(1.2, 3.4), points=18, lift=0.55, comb=comb, gravity=rng.uniform(0.25, 0.6), frizz=0.06,
        locks=int(rng.integers(40, 220)), gather=rng.uniform(0.3, 0.85), uneven=rng.uniform(0.05, 0.25),
    )  # fmt: skip


def _wavy(rng: Rng, size: float) -> Style:
    return replace(_long(rng, size), curl=size * rng.uniform(0.03, 0.09), turns=rng.uniform(8, 20), points=26)


def _bob(rng: Rng, size: float) -> Style:
    return replace(_long(rng, size), length=size * rng.uniform(0.8, 1.3), uneven=0.06, points=14)


def _curly(rng: Rng, size: float) -> Style:
    return Style(
        size * rng.uniform(0.5, 1.6), points=28, lift=1.0, gravity=rng.uniform(0.05, 0.3), frizz=0.12,
        curl=size * rng.uniform(0.03, 0.08), turns=rng.uniform(25, 55), locks=int(rng.integers(80, 400)), gather=0.6,
    )  # fmt: skip


def _afro(rng: Rng, size: float) -> Style:
    return Style(
        size * rng.uniform(0.35, 1.0), points=20, gravity=0.02, frizz=0.3,
        curl=size * rng.uniform(0.015, 0.03), turns=rng.uniform(50, 90), uneven=0.12,
    )  # fmt: skip


def _blown(rng: Rng, size: float) -> Style:
    away = unit(np.array((rng.normal(), rng.normal(), rng.uniform(-0.2, 0.4)))) * rng.uniform(0.5, 1.2)
    return replace(
        _long(rng, size), wind=tuple(away), gravity=0.15, frizz=0.14, uneven=0.35, gather=rng.uniform(0.1, 0.6)
    )


def _tied(rng: Rng, size: float) -> Style:
    ties: tuple[Tie, ...] = ("tail", "pigtails", "bun")
    tie = ties[rng.choice(3, p=(0.5, 0.2, 0.3))]
    comb = (0.0, 0.0, float(rng.uniform(-0.5, 0.6)))
    return replace(_long(rng, size), length=size * rng.uniform(0.7, 2.0), comb=comb, tied=tie, frizz=0.1)


STYLES: dict[str, tuple[Pick, float]] = {
    "short": (_short, 0.2),
    "long": (_long, 0.16),
    "wavy": (_wavy, 0.14),
    "bob": (_bob, 0.1),
    "curly": (_curly, 0.12),
    "afro": (_afro, 0.08),
    "blown": (_blown, 0.12),
    "tied": (_tied, 0.12),
}
"""Style and its share of the heads that are not bald."""


def pick(table: dict[str, tuple[Pick, float]], rng: Rng, size: float) -> Style:
    """One style of a table, by its share; ``size`` is the skull's height in metres."""
    makers, shares = zip(*table.values(), strict=True)
    return makers[rng.choice(len(makers), p=np.array(shares) / sum(shares))](rng, size)


@dataclass(frozen=True)
class Growth:
    """One head's hair: the same seed grows the same hair in every pose."""

    seed: int
    style: Style
    surface: Surface
    count: int
    flyaways: float
    where: npt.NDArray[np.bool_]
    cap: bool = True

    def parts(self, rest: Points, head: Head, frame: Carried, others: Sequence[Ball]) -> list[Part]:
        """The strands on a body whose vertices at rest are given; a cap underneath hides the skin between them."""
        rng = np.random.default_rng(self.seed)
        used, faces = kept(rest, (head.faces,), self.where)
        if not len(used):
            return []
        skin, normals = rest[used], vertex_normals(rest, (head.faces,))[used]
        places = scatter(np.random.default_rng(self.seed + 1), skin, faces, self.count)
        loose = np.arange(self.count) < self.flyaways * self.count
        cap = Part(frame.out(skin + 0.003 * normals), self.surface, faces=faces, rest=skin)
        parts = [cap] if self.cap else []
        style = replace(self.style, down=frame.turned_in((0, 0, -1)), wind=frame.turned_in(self.style.wind))
        wild = replace(
            style, locks=0, tied="no", frizz=2.5 * style.frizz + 0.06, uneven=0.45, radius=0.6 * style.radius,
            length=style.length * (0.35 if style.tied != "no" else 0.8), gravity=style.gravity + 0.1,
        )  # fmt: skip
        balls = [frame.ball_in(ball) for ball in others]
        for chosen, way in ((~loose, style), (loose, wild)):
            if chosen.any():
                roots, up = (at(values, (places[0][chosen], places[1][chosen])) for values in (skin, normals))
                if way.tied == "no":
                    strands = grown(rng, roots, unit(up), way, (head.skull(), *balls))
                else:
                    strands = gathered(rng, roots, way, head.skull(), balls)
                parts.append(curves(frame.out(strands), self.surface, way.radius))
        return parts
