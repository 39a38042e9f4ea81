"""People: a body with clothes and hair, who act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from engine.synthesis.cycles import clothing, hair, shapes, surfaces, things, worn
from engine.synthesis.cycles.bodies import BodyAtlas, random_build
from engine.synthesis.cycles.part import Part, Rng, Surface, kept
from engine.synthesis.cycles.poses import acting
from engine.synthesis.cycles.skeleton import Posed, Skeleton
from engine.synthesis.cycles.strands import Ball
from engine.synthesis.cycles.subject import Shot

_EYE = Surface((0.12, 0.1, 0.09), roughness=0.1)


class Person:
    """One dressed person."""

    kind = "person"

    def __init__(self, rng: Rng, atlas: BodyAtlas, legs: str | None = None) -> None:
        self._atlas = atlas
        self.skeleton = Skeleton(atlas, atlas.shaped(random_build(rng)))
        self._acting = acting(rng, self.skeleton, legs)
        self._shot = self._framing(rng)
        self._skin = surfaces.skin(rng)
        self._garments = self._dress(rng)
        self.head = hair.find_head(self.skeleton, atlas.groups["body"])
        self._hair = self._grow(rng)
        self._bare = self._uncovered()
        self._worn = self._equip(rng)
        self._chair = things.chair(rng) if self._acting.legs == "sit" else []

    def parts(self, time: float) -> Sequence[Part]:
        """Skin, eyes, clothes, hair."""
        posed = self.posed(time)
        points, rest = posed.points, self.skeleton.shape
        parts = [self._piece(points, ("body",), self._bare, self._skin)]
        parts.append(self._piece(points, ("helper-l-eye", "helper-r-eye"), np.ones(len(points), bool), _EYE))
        parts += [garment.part(points, rest) for garment in self._garments]
        frame = hair.carried(posed, self.skeleton)
        for growth in self._hair:
            parts += growth.parts(rest, self.head, frame, self._balls(posed))
        parts += [worn.at(posed) for worn in self._worn]
        return parts + [self._under(part) for part in self._chair]

    def posed(self, time: float) -> Posed:
        """The body at a time."""
        return self.skeleton.posed(self._acting.at(time))

    def shot(self) -> Shot:
        """Mostly head and shoulders or half the figure."""
        return self._shot

    def _framing(self, rng: Rng) -> Shot:
        posed = self.skeleton.posed(self._acting.at(1.5))
        head = posed.heads["head"]
        size = self.skeleton.shape[:, 2].max() - self.skeleton.heads["neck01"][2]
        self._size = float(size)
        width = rng.choice((2.2, 3.6, 6.6), p=(0.42, 0.4, 0.18)) * rng.uniform(0.85, 1.25)
        height = float(size * width)
        used = posed.points[np.unique(self._atlas.groups["body"])]
        middle = (used[:, 2].max() + used[:, 2].min()) / 2
        centre = head.copy()
        centre[2] = middle if width > 5.5 else head[2] + size * 0.75 + height * rng.uniform(0.0, 0.18) - height / 2
        centre[0] += height * rng.normal(0, 0.1)
        facing = rng.choice((0.0, 0.7, -0.7, 1.57, -1.57, 3.14), p=(0.4, 0.15, 0.15, 0.1, 0.1, 0.1)) + rng.normal(
            0, 0.25
        )
        return Shot(centre, height, float(facing))

    def _dress(self, rng: Rng) -> list[clothing.Garment]:
        groups = self._atlas.groups
        upper = clothing.top(rng, self.skeleton, groups, surfaces.cloth(rng))
        pieces = [clothing.trousers(rng, self.skeleton, groups, surfaces.cloth(rng)), upper]
        if rng.random() < 0.3:
            pieces.append(clothing.skirt(rng, self.skeleton, groups, surfaces.cloth(rng)))
        if rng.random() < 0.1:
            net = surfaces.pierced(rng, surfaces.cloth(rng))
            pieces.append(replace(upper, surface=net, hides=False, loose=upper.loose + 0.012))
        return pieces

    def _grow(self, rng: Rng) -> list[hair.Growth]:
        growths, colour = [], surfaces.hair(rng)
        close = 1.0 if self._shot.height < self._size * 5 else 0.45
        if rng.random() < 0.95:
            style = hair.pick(hair.STYLES, rng, self._size)
            count = int(rng.integers(7000, 13000) * close)
            style = replace(style, radius=float(self._size / 0.26 * rng.uniform(0.0001, 0.00028) / close**0.5))
            growths.append(
                hair.Growth(int(rng.integers(1 << 31)), style, colour, count, rng.uniform(0.005, 0.05), self.head.scalp)
            )
        if rng.random() < 0.2:
            style = hair.Style(
                self._size * rng.uniform(0.03, 0.25), points=7, lift=0.8, comb=(0, 0, -0.5), gravity=0.3, frizz=0.15
            )
            growths.append(
                hair.Growth(
                    int(rng.integers(1 << 31)), style, colour, int(3500 * close), 0.03, self.head.chin, cap=False
                )
            )
        return growths

    def _equip(self, rng: Rng) -> list[worn.Worn]:
        chosen = [wear for wear, chance in worn.CHANCES if rng.random() < chance]
        if all(growth.style.tied == "no" for growth in self._hair) and rng.random() < 0.2:
            chosen.append(worn.hat)
        return [thing for wear in chosen for thing in wear(rng, self.skeleton, self.head)]

    def _under(self, part: Part) -> Part:
        """A chair where the hips are, below the thighs."""
        return shapes.placed(part, shapes.UPRIGHT, self.skeleton.heads["root"] + np.array((0, -0.12, -0.12)))

    def _balls(self, posed: Posed) -> list[Ball]:
        """Neck, chest and shoulders, for hair to lie on."""
        heads, size, upright = posed.heads, self._size, np.eye(3, dtype=np.float32)
        chest = posed.rotations["spine01"]
        middle = heads["spine01"] * 0.4 + heads["neck01"] * 0.6
        reach = float(np.linalg.norm(heads["upperarm01.L"] - heads["upperarm01.R"])) / 2
        balls = [Ball((heads["neck01"] + heads["neck03"]) / 2, np.full(3, 0.24 * size, np.float32), upright)]
        balls.append(Ball(middle, np.array((reach * 0.95, 0.45 * size, 0.55 * size), np.float32), chest))
        balls += [Ball(heads[f"upperarm01.{side}"], np.full(3, 0.3 * size, np.float32), upright) for side in "LR"]
        return balls

    def _piece(
        self, points: npt.NDArray[np.float32], groups: Sequence[str], keep: npt.NDArray[np.bool_], surface: Surface
    ) -> Part:
        used, faces = kept(points, [self._atlas.groups[group] for group in groups], keep)
        return Part(points[used], surface, faces=faces, rest=self.skeleton.shape[used])

    def _uncovered(self) -> npt.NDArray[np.bool_]:
        """The vertices of the body that show; clothes overlap the skin by two rings of faces."""
        hidden = np.zeros(len(self.skeleton.shape), bool)
        for garment in self._garments:
            if garment.hides:
                hidden |= garment.inside > 0
        quads = self._atlas.groups["body"]
        for _ in range(2):
            rim = quads[~hidden[quads].all(1)]
            hidden[rim.ravel()] = False
        return ~hidden
