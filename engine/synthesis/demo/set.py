"""What stands in the demo's room: brick wall, window, floor, rug, sideboard, bookcase, painting, bulb, plant."""

from __future__ import annotations

import numpy as np

from engine.synthesis.demo import textures
from engine.synthesis.demo.camera import floats
from engine.synthesis.demo.light import BULB
from engine.synthesis.demo.room import Mirrored, Patch
from engine.synthesis.demo.textures import Colour, Random
from engine.values import Array

WALL = 5.2
"""metres from the camera to the back wall."""

OAK: Colour = (0.20, 0.115, 0.06)
WHITE: Colour = (0.52, 0.50, 0.46)
WINDOW = ((-2.6, -1.6), (1.05, 2.4))
"""x and y of the window's opening, metres."""

MIRRORED = (
    Mirrored((-2.1, 1.72, WALL), (0.46, 0.64), (7.0, 7.4, 8.0)),
    Mirrored(BULB.position, (0.05, 0.07), (24.0, 14.0, 6.0)),
)


def furnish(rng: Random, detail: float = 1.0) -> list[Patch]:
    """The whole set from back to front; ``detail`` scales the resolution of its largest textures."""
    return [
        *_shell(rng, detail),
        *_window(rng),
        *_painting(rng),
        *_bookcase(rng),
        *_sideboard(rng),
        *_bulb(),
        *_plant(rng),
    ]


def _shell(rng: Random, detail: float) -> list[Patch]:
    wall = textures.brick_wall(rng, (round(1320 * detail), round(3200 * detail)), 400 * detail)
    floor = textures.floor_boards(rng, (round(1350 * detail), round(2100 * detail)), 300 * detail)
    skirting = textures.wood(rng, (60, 1600), WHITE)
    return [
        Patch((-4.0, 3.2, WALL), (8.0, 0, 0), (0, -3.3, 0), wall),
        Patch((-3.5, 0.0, WALL), (7.0, 0, 0), (0, 0, -4.5), floor, gloss=0.025),
        _shade((-3.5, 0.001, WALL), (7.0, 0, 0), (0, 0, -0.5), fade_down=True),
        Patch((-4.0, 0.14, WALL - 0.02), (8.0, 0, 0), (0, -0.14, 0), skirting),
        Patch((-1.25, 0.004, 4.35), (2.9, 0, 0), (0, 0, -2.3), _rug(rng)),
    ]


def _rug(rng: Random) -> Array:
    """A woven rug with a border and lozenges."""
    y, x = np.mgrid[0:480, 0:600].astype(np.float32)
    from_edge = np.minimum(np.minimum(x, 599 - x), np.minimum(y, 479 - y))
    lozenge = (np.abs((x / 60) % 1 - 0.5) + np.abs((y / 60) % 1 - 0.5)) < 0.27
    tone = np.where(lozenge[..., None], floats((0.24, 0.17, 0.10)), floats((0.055, 0.085, 0.12)))
    tone = np.where(((from_edge > 14) & (from_edge < 40))[..., None], floats((0.19, 0.045, 0.035)), tone)
    return (tone * (1 + 0.18 * textures.fractal(rng, (480, 600), 6, 2)[..., None])).clip(0.01).astype(np.float32)


def _window(rng: Random) -> list[Patch]:
    (left, right), (bottom, top) = WINDOW
    width, height = right - left, top - bottom
    frame = textures.wood(rng, (24, 400), WHITE)
    upright = textures.wood(rng, (400, 24), WHITE)
    pane = Patch((left, top, WALL - 0.005), (width, 0, 0), (0, -height, 0), textures.window_view(rng, (540, 400)), True)
    bars = [
        Patch((left - 0.06, y + 0.03, WALL - 0.04), (width + 0.12, 0, 0), (0, -size, 0), frame)
        for y, size in ((top, 0.07), (bottom, 0.07), (bottom + 0.62 * height, 0.035))
    ]
    posts = [
        Patch((x - size / 2, top, WALL - 0.035), (size, 0, 0), (0, -height, 0), upright)
        for x, size in ((left, 0.07), (right, 0.07), (left + width / 2, 0.035))
    ]
    sill = Patch((left - 0.1, bottom, WALL), (width + 0.2, 0, 0), (0, 0, -0.16), frame)
    nose = Patch((left - 0.1, bottom, WALL - 0.16), (width + 0.2, 0, 0), (0, -0.04, 0), frame)
    return [pane, *posts, *bars, sill, nose, *_curtain(rng)]


def _curtain(rng: Random) -> list[Patch]:
    """A linen curtain to the window's right, in folds."""
    x = np.linspace(0, 1, 200, dtype=np.float32)
    folds = 0.75 + 0.25 * np.sin(2 * np.pi * (5 * x + 0.4 * np.sin(7 * x)))
    weave = 1 + 0.05 * textures.fractal(rng, (500, 200), 4, 2)
    cloth = (folds * weave)[..., None] * floats((0.34, 0.31, 0.24))
    return [Patch((-1.62, 2.75, WALL - 0.08), (0.36, 0, 0), (0, -2.2, 0), cloth.astype(np.float32))]


def _painting(rng: Random) -> list[Patch]:
    dark = textures.wood(rng, (40, 300), (0.05, 0.035, 0.025))
    return [
        _shade((-0.98, 2.02, WALL - 0.001), (0.96, 0, 0), (0, -0.74, 0)),
        Patch((-0.97, 2.07, WALL - 0.03), (0.94, 0, 0), (0, -0.69, 0), dark),
        Patch((-0.92, 2.02, WALL - 0.032), (0.84, 0, 0), (0, -0.59, 0), textures.painting(rng, (420, 600))),
    ]


def _bookcase(rng: Random) -> list[Patch]:
    left, right, top, front, back = 1.62, 2.86, 2.12, 4.86, WALL - 0.03
    width = right - left
    inside = Patch((left, top, back), (width, 0, 0), (0, -top, 0), textures.wood(rng, (700, 420), (0.05, 0.03, 0.018)))
    side = textures.wood(rng, (700, 100), OAK)
    patches = [_shade((left - 0.2, top + 0.1, WALL - 0.001), (width + 0.4, 0, 0), (0, -top - 0.1, 0)), inside]
    patches.append(Patch((right, top, front), (0, 0, back - front), (0, -top, 0), 0.5 * side))
    for level in np.linspace(0.08, top - 0.42, 5):
        shelf = textures.wood(rng, (30, 420), OAK)
        patches.append(Patch((left, level, back), (width, 0, 0), (0, 0, front - back), shelf))
        row = textures.books(rng, (170, 560), 560 / width)
        patches.append(Patch((left + 0.03, level + 0.37, front + 0.05), (width - 0.06, 0, 0), (0, -0.37, 0), row))
        patches.append(Patch((left, level, front), (width, 0, 0), (0, -0.035, 0), shelf))
    posts = [Patch((x, top, front), (0.045, 0, 0), (0, -top, 0), side) for x in (left - 0.02, right - 0.02)]
    lid = Patch((left - 0.03, top + 0.04, front - 0.01), (width + 0.06, 0, 0), (0, -0.045, 0), side.swapaxes(0, 1))
    outer = Patch((left - 0.02, top, back), (0, 0, front - back), (0, -top, 0), side)
    return [*patches, outer, *posts, lid]


def _sideboard(rng: Random) -> list[Patch]:
    left, right, top, front, back = -2.9, -1.2, 0.74, 4.6, WALL - 0.03
    width = right - left
    face = textures.wood(rng, (220, 510), (0.13, 0.068, 0.036))
    for seam in (0, 170, 340, 508):
        face[:, seam : seam + 3] *= 0.2
    face[108:111] *= 0.25
    for x in (85, 255, 425):
        face[52:58, x - 9 : x + 9] = face[160:166, x - 9 : x + 9] = (0.45, 0.33, 0.15)
    lid = textures.wood(rng, (120, 510), (0.16, 0.085, 0.045))
    return [
        _shade((left - 0.1, 0.002, front + 0.2), (width + 0.3, 0, 0), (0, 0, -0.45), fade_down=True),
        Patch((left, top, back), (width, 0, 0), (0, 0, front - back), lid, gloss=0.04),
        Patch((right, top, front), (0, 0, back - front), (0, -top + 0.06, 0), 0.8 * face[:, :150]),
        Patch((left, top, front), (width, 0, 0), (0, -top + 0.06, 0), face),
        *_vase((-2.0, top, 4.85), (0.26, 0.34), (0.10, 0.19, 0.20)),
        *_vase((-1.55, top, 4.8), (0.2, 0.17), (0.42, 0.30, 0.17)),
    ]


def _vase(foot: tuple[float, float, float], size: tuple[float, float], colour: Colour) -> list[Patch]:
    """A turned vase, painted flat with the shading of its round body."""
    v, u = np.mgrid[0:160, 0:120].astype(np.float32)
    v, u = v / 160, 2 * u / 120 - 1
    radius = 0.42 + 0.5 * np.sin(np.pi * np.clip(v * 1.1 - 0.12, 0, 1)) ** 1.5 - 0.12 * (v < 0.08)
    cover = np.clip((radius - np.abs(u)) * 40, 0, 1)
    across = u / np.maximum(radius, 0.1)
    body = 0.4 + 0.8 * np.clip(1 - np.abs(across + 0.35), 0, 1) + 1.2 * np.exp(-(((across + 0.4) / 0.08) ** 2))
    texture = np.dstack([body[..., None] * floats(colour), cover]).astype(np.float32)
    width, height = size
    corner = (foot[0] - width / 2, foot[1] + height, foot[2])
    return [Patch(corner, (width, 0, 0), (0, -height, 0), texture)]


def _bulb() -> list[Patch]:
    """A bare lamp on its cord: filament near 24, glass near 10, a faint glow about it."""
    x, y, z = BULB.position
    v, u = np.mgrid[0:200, 0:200].astype(np.float32) / 100 - 0.995
    distance = np.hypot(u, v)
    glass = np.clip((0.52 - np.hypot(u, 0.8 * v)) * 30, 0, 1)[..., None]
    filament = np.exp(-((np.hypot(u / 0.7, v + 0.05) / 0.22) ** 4))[..., None]
    lamp = glass * floats((9.0, 5.2, 2.2)) + filament * floats((15.0, 10.5, 6.0))
    glow = (np.exp(-3.2 * distance) - np.exp(-3.2))[..., None].clip(0) * floats((0.34, 0.17, 0.06))
    cord, socket = (np.full((40, 4, 3), tone, np.float32) for tone in (0.02, 0.05))
    return [
        Patch((x - 0.75, y + 0.75, z + 0.02), (1.5, 0, 0), (0, -1.5, 0), np.dstack([glow, 0 * distance]), True),
        Patch((x - 0.008, 3.0, z), (0.016, 0, 0), (0, y + 0.1 - 3.0, 0), cord),
        Patch((x - 0.026, y + 0.16, z), (0.052, 0, 0), (0, -0.11, 0), socket),
        Patch((x - 0.12, y + 0.12, z), (0.24, 0, 0), (0, -0.24, 0), np.dstack([lamp, glass]).astype(np.float32), True),
    ]


def _plant(rng: Random) -> list[Patch]:
    """A rubber plant in a clay pot at the left."""
    x, z = -1.42, 4.0
    pot = _vase((x, 0.0, z), (0.46, 0.42), (0.30, 0.135, 0.075))
    patches = [_shade((x - 0.45, 0.006, z + 0.3), (0.9, 0, 0), (0, 0, -0.6)), *pot]
    for _ in range(46):
        turn, rise, length = rng.uniform(0, 2 * np.pi), rng.uniform(0.15, 1.15), rng.uniform(0.26, 0.44)
        stem = np.array([x + 0.05 * np.cos(turn), 0.42 + 0.62 * rng.random(), z + 0.05 * np.sin(turn)])
        along = np.array([np.cos(turn) * np.cos(rise), np.sin(rise), 0.6 * np.sin(turn) * np.cos(rise)])
        side = np.cross(along, [0.0, 0.2, 1.0])
        side *= 0.42 * length / np.linalg.norm(side)
        tip = stem + length * along
        facing = 1.0 if np.cross(side, -along)[2] < 0 else -1.0
        corner, right, down = tip - facing * side / 2, facing * side, -length * along
        patches.append(Patch(tuple(corner), tuple(right), tuple(down), textures.leaf(rng, (120, 60))))
    return patches


def _shade(
    corner: tuple[float, float, float],
    right: tuple[float, float, float],
    down: tuple[float, float, float],
    fade_down: bool = False,
) -> Patch:
    """Soft darkness where a thing stands on the floor or before a wall; from the upper edge down, or all round."""
    v, u = np.mgrid[0:64, 0:64].astype(np.float32) / 31.5 - 1
    dark = np.exp(-1.6 * (v + 1)) if fade_down else np.clip(1.25 - np.abs(u) ** 6 - np.abs(v) ** 6, 0, 1)
    cover = 0.6 * dark * np.clip(4 * (1 - np.maximum(np.abs(u), 0 if fade_down else np.abs(v))), 0, 1)
    return Patch(corner, right, down, np.dstack([np.zeros((64, 64, 3), np.float32), cover]).astype(np.float32))
