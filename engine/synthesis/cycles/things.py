"""Things with holes and thin parts: wheels, bicycles, chairs, ladders, lattices, cables, and plain solid ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from engine.synthesis.cycles import shapes, surfaces
from engine.synthesis.cycles.bodies import BodyAtlas
from engine.synthesis.cycles.part import Part, Points, Rng
from engine.synthesis.cycles.skeleton import turning
from engine.synthesis.cycles.subject import Shot

_AXLE = np.array((0, 1, 0), np.float32)


class Thing:
    """One or two things, one of which may turn or drift."""

    kind = "thing"

    def __init__(self, rng: Rng, atlas: BodyAtlas) -> None:
        makers, shares = zip(*MAKERS.values(), strict=True)
        self._parts = [part for _ in range(rng.integers(1, 3)) for part in self._made(rng, makers, shares)]
        self._axis = rng.normal(0, 1, 3) * np.array((0.1, 0.1, 1)) * float(rng.choice((0.0, 0.04, 0.15)))
        self._drift = rng.normal(0, 0.01, 3)
        self._facing = float(rng.normal(0, 0.7))
        self._height = float(rng.uniform(0.9, 1.7))

    @staticmethod
    def _made(rng: Rng, makers: Sequence[Callable[[Rng], list[Part]]], shares: Sequence[float]) -> list[Part]:
        turn = turning(np.array((0, 0, rng.uniform(0, 2 * np.pi))) if rng.random() < 0.5 else rng.normal(0, 0.5, 3))
        place = rng.normal(0, 0.2, 3)
        return [shapes.placed(part, turn, place) for part in makers[rng.choice(len(makers), p=shares)](rng)]

    def shot(self) -> Shot:
        """The thing, or a piece of it."""
        return Shot(np.zeros(3, np.float32), self._height, self._facing)

    def parts(self, time: float) -> Sequence[Part]:
        """All pieces."""
        return [shapes.placed(part, turning(self._axis * time), self._drift * time) for part in self._parts]


def wheel(rng: Rng, centre: Points | None = None) -> list[Part]:
    """A spoked wheel with its tyre."""
    centre = np.zeros(3, np.float32) if centre is None else centre
    radius, spokes = 0.33, int(rng.integers(8, 37))
    tyre = shapes.joined([shapes.ring(centre, _AXLE, radius, float(rng.uniform(0.01, 0.03)))], surfaces.solid(rng))
    angles = np.linspace(0, 2 * np.pi, spokes, endpoint=False)
    wires = []
    for index, angle in enumerate(angles):
        hub = centre + 0.025 * np.array((np.cos(angle + 1.2), 0, np.sin(angle + 1.2))) + _AXLE * 0.03 * (-1) ** index
        rim = centre + radius * np.array((np.cos(angle), 0, np.sin(angle)))
        wires.append(shapes.tube(np.stack((hub, rim)), float(rng.uniform(0.0009, 0.002)), sides=4))
    metal = surfaces.solid(rng)
    axle = shapes.tube(np.stack((centre - 0.04 * _AXLE, centre + 0.04 * _AXLE)), 0.02)
    return [tyre, shapes.joined([*wires, axle, shapes.ring(centre, _AXLE, radius - 0.02, 0.007)], metal)]


def bicycle(rng: Rng) -> list[Part]:
    """Two wheels, a frame, a saddle, a handlebar."""
    back, front = np.array((-0.5, 0, -0.3)), np.array((0.5, 0, -0.3))
    crank, seat, head = np.array((-0.08, 0, -0.28)), np.array((-0.2, 0, 0.25)), np.array((0.35, 0, 0.22))
    pairs = (
        (back, crank),
        (back, seat),
        (crank, seat),
        (seat, head),
        (crank, head),
        (head, front),
        (seat, seat + np.array((0, 0, 0.12))),
    )
    bars = [shapes.tube(np.linspace(start, end, 3), float(rng.uniform(0.01, 0.02))) for start, end in pairs]
    grip = head + np.array((0.02, 0, 0.12))
    bars += [
        shapes.tube(np.stack((head, grip)), 0.012),
        shapes.tube(np.linspace(grip - 0.28 * _AXLE, grip + 0.28 * _AXLE, 6), 0.012),
    ]
    saddle = shapes.ellipsoid(seat + np.array((0, 0, 0.14)), np.array((0.13, 0.06, 0.03)))
    return [
        *wheel(rng, back),
        *wheel(rng, front),
        shapes.joined(bars, surfaces.solid(rng)),
        shapes.joined([saddle], surfaces.solid(rng)),
    ]


def chair(rng: Rng, seat_height: float = 0.0) -> list[Part]:
    """Legs, a seat, a back of slats; the seat's middle is at the origin's height plus ``seat_height``."""
    wood, half, thick = surfaces.solid(rng), float(rng.uniform(0.19, 0.25)), float(rng.uniform(0.01, 0.022))
    top, floor = float(rng.uniform(0.3, 0.55)), -0.45
    corners = [np.array((x * half, y * half, 0)) for x in (-1, 1) for y in (-1, 1)]
    ups = [
        shapes.tube(
            np.stack((corner + np.array((0, 0, floor)), corner + np.array((0, 0, top * (corner[1] > 0))))), thick
        )
        for corner in corners
    ]
    slats = int(rng.integers(2, 8))
    for share in np.linspace(0.2, 1, slats):
        ends = np.array(((-half, half, top * share), (half, half, top * share)))
        ups.append(shapes.tube(ends, thick * 0.7))
    seat = shapes.box(np.zeros(3), np.array((half, half, 0.015)))
    lift = np.array((0, 0, seat_height))
    parts = [shapes.joined(ups, wood), shapes.joined([seat], surfaces.solid(rng), smooth=False)]
    return [shapes.placed(part, shapes.UPRIGHT, lift) for part in parts]


def lattice(rng: Rng) -> list[Part]:
    """A fence, a ladder, a grille: bars one way, or both."""
    bars, width, height = int(rng.integers(4, 18)), rng.uniform(0.3, 0.7), rng.uniform(0.3, 0.8)
    thick, meshes = float(np.exp(rng.uniform(np.log(0.001), np.log(0.015)))), []
    for share in np.linspace(-1, 1, bars):
        meshes.append(shapes.tube(np.array(((share * width, 0, -height), (share * width, 0, height))), thick, 6))
        if bars % 2:
            meshes.append(shapes.tube(np.array(((-width, 0, share * height), (width, 0, share * height))), thick, 6))
    rails = [shapes.tube(np.array(((-width, 0, z), (width, 0, z))), thick * 2) for z in (-height, height)]
    return [shapes.joined([*meshes, *rails], surfaces.solid(rng))]


def cables(rng: Rng) -> list[Part]:
    """Wires that hang between random points."""
    meshes = []
    for _ in range(rng.integers(3, 12)):
        ends = rng.uniform(-0.9, 0.9, (2, 3)) * (1, 0.4, 1)
        share = np.linspace(0, 1, 20)[:, None]
        sag = np.array((0, 0, -rng.uniform(0, 0.8))) * share * (1 - share)
        meshes.append(shapes.tube(ends[0] * (1 - share) + ends[1] * share + sag, float(rng.uniform(0.0008, 0.008)), 5))
    return [shapes.joined(meshes, surfaces.solid(rng))]


def vessel(rng: Rng) -> list[Part]:
    """Something turned: a vase, a lamp, a bottle, a bowl."""
    heights = np.linspace(-0.4, 0.4, 12)
    radii = (
        0.16 + 0.1 * np.sin(heights * rng.uniform(3, 12) + rng.uniform(0, 6)) * rng.random() + rng.normal(0, 0.01, 12)
    )
    profile = np.concatenate(([(0.001, -0.4)], np.column_stack((np.abs(radii) + 0.02, heights)), [(0.001, 0.4)]))
    return [shapes.joined([shapes.turned(profile)], surfaces.cloth(rng))]


def boxes(rng: Rng) -> list[Part]:
    """A few boxes and balls, heaped."""
    parts = []
    for _ in range(rng.integers(2, 6)):
        centre, size = rng.normal(0, 0.2, 3), rng.uniform(0.06, 0.3, 3)
        mesh = (
            shapes.box(centre, size, turning(rng.normal(0, 0.6, 3)))
            if rng.random() < 0.6
            else shapes.ellipsoid(centre, size)
        )
        parts.append(shapes.joined([mesh], surfaces.cloth(rng), smooth=len(mesh[0]) > 8))
    return parts


def hanging(rng: Rng) -> list[Part]:
    """A sheet of cloth, net, lace or rags, in folds."""
    rows, columns = 60, 60
    down, across = np.mgrid[-0.6 : 0.6 : rows * 1j, -0.5 : 0.5 : columns * 1j]
    folds = (
        0.08 * np.sin(across * rng.uniform(8, 30) + 3 * rng.random() * down + rng.uniform(0, 6)) * rng.uniform(0.2, 1)
    )
    points = np.stack((across * (1 + 0.3 * rng.normal() * down), folds + 0.15 * rng.normal() * down, -down), -1)
    cloth = surfaces.pierced(rng, surfaces.cloth(rng), ("net", "lace", "knit", "tatters"))
    return [shapes.joined([(points.reshape(-1, 3).astype(np.float32), [shapes.grid(rows, columns)])], cloth)]


MAKERS: dict[str, tuple[Callable[[Rng], list[Part]], float]] = {
    "wheel": (wheel, 0.1),
    "bicycle": (bicycle, 0.2),
    "chair": (chair, 0.15),
    "lattice": (lattice, 0.1),
    "cables": (cables, 0.1),
    "vessel": (vessel, 0.1),
    "boxes": (boxes, 0.15),
    "hanging": (hanging, 0.1),
}
"""Thing and its share."""
