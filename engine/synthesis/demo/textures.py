"""Procedural surfaces of the demo's room.

``(H, W, 3)`` linear Rec. 709 albedo, or ``(H, W, 4)`` with coverage in the last channel, straight.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from engine.synthesis.demo.camera import floats
from engine.values import Array

Random = np.random.Generator
Colour = tuple[float, float, float]

BRICK = (0.21, 0.075)
"""metres, with its joint; near to the old imperial brick."""
PLANK = (0.16, 1.7)
"""metres, width and length of a floor board."""


def fractal(rng: Random, size: tuple[int, int], cell: float, octaves: int = 4) -> Array:
    """``(H, W)`` smooth noise of mean 0 and about unit spread; ``cell`` is the size of its largest detail in px."""
    total = np.zeros(size, np.float32)
    for octave in range(octaves):
        step = max(cell / 2**octave, 1.0)
        grid = rng.normal(0, 0.6**octave, (int(size[0] / step) + 3, int(size[1] / step) + 3)).astype(np.float32)
        total += cv2.resize(grid, (size[1], size[0]), interpolation=cv2.INTER_CUBIC)
    return total


def brick_wall(rng: Random, size: tuple[int, int], per_metre: float) -> Array:
    """Old painted-over brick: each stone its own tone, pale joints, a lit upper and a dark lower edge."""
    y, x = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32) / per_metre
    wobble = 0.004 * fractal(rng, size, 0.3 * per_metre, 3)
    row = (y + wobble) / BRICK[1]
    column = (x + wobble) / BRICK[0] + 0.5 * (np.floor(row) % 2)
    tone = rng.normal(0, 1, (64, 256)).astype(np.float32)[
        np.floor(row).astype(int) % 64, np.floor(column).astype(int) % 256
    ]
    across, along = row % 1, column % 1
    stone = (
        _step(0.07, 0.13, across) * _step(0.93, 0.87, across) * _step(0.025, 0.05, along) * _step(0.975, 0.95, along)
    )
    grit = fractal(rng, size, 0.05 * per_metre, 5)
    red = _tinted((0.245, 0.095, 0.058), 1 + 0.17 * tone + 0.10 * grit)
    red *= (1 + 0.3 * np.exp(-(((across - 0.16) / 0.05) ** 2)) - 0.3 * np.exp(-(((across - 0.84) / 0.05) ** 2)))[
        ..., None
    ]
    mortar = _tinted((0.19, 0.155, 0.125), 1 + 0.12 * grit)
    worn = _step(1.35, 1.5, fractal(rng, size, 0.7 * per_metre, 6))[..., None] * 0.85
    wall = stone[..., None] * red + (1 - stone[..., None]) * mortar
    return ((1 - worn) * wall + worn * (0.35 * wall + _tinted((0.27, 0.25, 0.215), 1 + 0.08 * grit))).astype(np.float32)


def floor_boards(rng: Random, size: tuple[int, int], per_metre: float) -> Array:
    """Oak boards that run along the rows' direction (y), with grain, knots of tone and dark joints."""
    y, x = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32) / per_metre
    board = np.floor(x / PLANK[0]).astype(int)
    offset = rng.uniform(0, PLANK[1], 256).astype(np.float32)[board % 256]
    piece = np.floor((y + offset) / PLANK[1]).astype(int)
    tone = rng.normal(0, 1, (256, 64)).astype(np.float32)[board % 256, piece % 64]
    long_grain = cv2.resize(fractal(rng, (size[0] // 12 + 1, size[1]), 14, 4), (size[1], size[0]))
    joint = np.minimum(_edge(x / PLANK[0], 0.02), _edge((y + offset) / PLANK[1], 0.0025))
    wood = _tinted((0.225, 0.135, 0.075), 1 + 0.2 * tone + 0.13 * long_grain)
    return (wood * (0.25 + 0.75 * joint[..., None])).astype(np.float32)


def wood(rng: Random, size: tuple[int, int], colour: Colour) -> Array:
    """Furniture: fine grain along the longer side."""
    grain = fractal(rng, (size[0], max(size[1] // 14, 4)), 9, 3) if size[0] < size[1] else None
    if grain is None:
        grain = fractal(rng, (max(size[0] // 14, 4), size[1]), 9, 3)
    return _tinted(colour, 1 + 0.12 * cv2.resize(grain, (size[1], size[0])))


def books(rng: Random, size: tuple[int, int], per_metre: float) -> Array:
    """A row of spines of different height and colour, ``(H, W, 4)``; some lean on nothing and leave a gap."""
    row = np.zeros((*size, 4), np.float32)
    palette = floats(
        [
            (0.33, 0.08, 0.05),
            (0.06, 0.11, 0.21),
            (0.42, 0.33, 0.19),
            (0.05, 0.15, 0.10),
            (0.5, 0.46, 0.4),
            (0.4, 0.2, 0.05),
        ]
    )
    x = 0
    while x < size[1] - 2:
        width = int(rng.uniform(0.018, 0.055) * per_metre) + 2
        top = int(size[0] * rng.uniform(0.05, 0.42))
        if rng.random() > 0.08:
            spine = _spine(rng, (size[0] - top, min(width, size[1] - x)), palette[rng.integers(len(palette))])
            row[top:, x : x + spine.shape[1]] = spine
        x += width
    return row


def _spine(rng: Random, size: tuple[int, int], colour: npt.NDArray[np.float32]) -> Array:
    """One rounded spine with a band or two."""
    across = np.linspace(-1, 1, size[1], dtype=np.float32)
    shape = np.sqrt(np.maximum(1 - 0.85 * across**2, 0.05))
    spine = np.ones((*size, 4), np.float32)
    spine[..., :3] = colour * rng.uniform(0.6, 1.3)
    for level in rng.uniform(0.08, 0.92, rng.integers(1, 4)):
        at = int(level * size[0])
        spine[at : at + max(size[0] // 24, 1), :, :3] = colour * 0.3 + floats([0.35, 0.27, 0.12])
    spine[..., :3] *= shape[None, :, None]
    return spine


def leaf(rng: Random, size: tuple[int, int]) -> Array:
    """A pointed leaf along the rows' direction, ``(H, W, 4)``, with a pale midrib and side veins."""
    v, u = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    v, u = v / size[0], 2 * u / size[1] - 1
    outline = np.sin(np.pi * np.clip(v, 0, 1) ** 0.75) ** 0.8
    cover = _step(0, 0.08, outline - np.abs(u))
    veins = 0.12 * np.cos(2 * np.pi * (9 * v - 3 * np.abs(u))) + 0.6 * np.exp(-((u / 0.05) ** 2))
    colour = _tinted((0.035, 0.115, 0.030), 1 + veins + 0.25 * u + 0.1 * fractal(rng, size, 20, 3))
    return np.dstack([colour, cover]).astype(np.float32)


def painting(rng: Random, size: tuple[int, int]) -> Array:
    """An abstract landscape: sun, hills in bands, brush texture."""
    y, x = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32) / size[0]
    picture = _tinted((0.5, 0.36, 0.2), 1.15 - 0.5 * y)
    sun = _step(0.145, 0.135, np.hypot(x - 0.95, y - 0.33))[..., None]
    picture = (1 - sun) * picture + sun * floats([0.55, 0.13, 0.045])
    for level, colour in ((0.5, (0.10, 0.22, 0.24)), (0.63, (0.05, 0.12, 0.17)), (0.78, (0.03, 0.055, 0.085))):
        ridge = level + 0.05 * np.sin(5 * x + 9 * level) + 0.02 * np.sin(17 * x + 31 * level)
        hill = _step(0, 0.006, y - ridge)[..., None]
        picture = (1 - hill) * picture + hill * floats(colour)
    return (picture * (1 + 0.1 * fractal(rng, size, 12, 3)[..., None])).astype(np.float32)


def window_view(rng: Random, size: tuple[int, int]) -> Array:
    """Overcast sky over trees, radiance: the sky at 6 to 9, the trees near 1; out of focus."""
    y = np.linspace(0, 1, size[0], dtype=np.float32)[:, None]
    foliage = _step(-0.25, 0.35, fractal(rng, size, size[1] / 2.5, 5) + 4.5 * (y - 0.62))[..., None]
    sky = floats([6.6, 7.3, 8.2]) * (1.12 - 0.35 * y)[..., None]
    view = (1 - foliage) * sky + foliage * floats([0.75, 1.15, 0.6])
    return np.asarray(cv2.GaussianBlur(view.astype(np.float32), (0, 0), size[1] / 60))


def _tinted(colour: Colour, tone: Array) -> Array:
    return (np.maximum(tone, 0.05)[..., None] * floats(colour)).astype(np.float32)


def _step(start: float, end: float, x: Array) -> Array:
    """Smooth step from 0 at ``start`` to 1 at ``end``, which may lie below it."""
    t = np.clip((x - start) / (end - start), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def _edge(x: Array, width: float) -> Array:
    """0 on the integers, 1 further than ``width`` from them."""
    return _step(0, width, np.minimum(x % 1, 1 - x % 1))
