"""Light that differs over the picture: a surface for lamps and lenses, a wave down the rows for lamps on the mains.

A rolling shutter reads row after row while lamps flicker 100 or 120 times a second, so their light lies in bands across
the picture. Both are a few numbers a channel, measured on cells that see the background; across the subject and its
shadow the surface and the wave simply go on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.values import Array, Mask

Vector = npt.NDArray[np.float64]

Weights = tuple[tuple[float, ...], ...]
"""``(3, 8)``, R, G, B: weights of x, y, (3 x^2 - 1) / 2, x y, (3 y^2 - 1) / 2 over -1..1 each way; waves in the
picture's height; weights of that wave's cosine and sine, from the upper edge, less their mean. The factor is 1 plus
all of that. Empty stands for a factor of 1."""

_CELLS = (48, 6)
"""Cells down and across: four to the shortest wave, with samples enough that grain averages out."""

_WAVES = (1.0, 10.0, 0.25)
"""Waves in a picture's height that are tried: from, to, step. Lamps of 120 Hz read in 1/12 s, which is slow, make 10;
less than one is a surface."""

_FAR = 0.75
"""stops; a ratio further off is no background, whatever its lamp."""

_TOLERANCES = (0.3, 0.2, 0.12, 0.08, 0.05, 0.03, 0.03, 0.03)
"""Relative; a cell that misses by this much no longer counts, round by round. From afar to near (graduated
non-convexity: Blake & Zisserman, "Visual Reconstruction", 1987), or a wave would be fitted to its crests alone."""

_SCAN = 4
"""Rounds by which waves are first compared: near the right number, but not at it, few cells fit well."""

_PRIOR = 0.2
"""Weights beyond this are unlikely. It settles what the visible background leaves open."""

_CELL_ERROR = 0.01
"""Relative error of a cell that sees background: texture that lies a tenth of a pixel off."""

_WORTH = 1.1
"""How much more background must agree before a surface is believed, or waves beside it: what differs by less than 1 %
is left to the residual, and no soft shadow is taken for a lamp."""

_LARGEST = 0.6
"""Largest departure of the factor from 1 that is believed."""

_FEWEST = 16
"""Samples that a cell needs."""

_ENOUGH_CELLS = 0.2
"""Share of the cells that are needed."""


@dataclass(frozen=True)
class _Cells:
    """What is left to explain, a cell an entry.

    Attributes:
        ratio: ``(N, 3)``, frame over fitted plate.
        weight: ``(N,)``.
        surface: ``(N, 5)``, the surface's functions there.
        y: ``(N,)``, -1..1.
    """

    ratio: Vector
    weight: Vector
    surface: Vector
    y: Vector


def factors(weights: Weights, size: tuple[int, int]) -> Array:
    """``(H, W, 3)``: the factor at every pixel of a picture; ``(1, 1, 1)`` where it is 1."""
    if not weights:
        return np.ones((1, 1, 1), np.float32)
    x, y = ((np.arange(length) + 0.5) / length * 2 - 1 for length in reversed(size))
    channels = []
    for *slow, waves, cosine, sine in weights:
        across = slow[0] * x + slow[2] * (3 * x * x - 1) / 2
        down = slow[1] * y + slow[4] * (3 * y * y - 1) / 2 + _wave(y, waves) @ (cosine, sine)
        channels.append(1 + across[None] + down[:, None] + slow[3] * y[:, None] * x[None])
    return np.stack(channels, 2).astype(np.float32)


def measure_field(frame: Array, fitted: Array, usable: Mask, vote: Array) -> Weights:
    """Find how light differs over the picture, if it does.

    Args:
        frame: ``(h, w, 3)`` linear samples, less the fit's offset.
        fitted: plate times gain, the same.
        usable: ``(h, w)``.
        vote: ``(h, w)`` above 0, how surely a sample shows the background.

    Returns:
        The weights; empty where an even light explains as much.
    """
    cells = _gather(frame, fitted, usable, vote)
    if len(cells.weight) < _ENOUGH_CELLS * _CELLS[0] * _CELLS[1]:
        return ()
    even = _fit(cells, 0)[0]
    slow, surface = _fit(cells, 5)
    waving, waves, swing = _search(cells)
    if waving > _WORTH * max(slow, even):
        weights = np.concatenate([swing[:, :5], np.full((3, 1), waves), swing[:, 5:]], 1)
    elif slow > _WORTH * even:
        weights = np.concatenate([surface, np.zeros((3, 3))], 1)
    else:
        return ()
    departure = np.abs(weights[:, :5]).sum(1) + np.hypot(weights[:, 6], weights[:, 7])
    believed = float(departure.max()) < _LARGEST
    return tuple(tuple(float(value) for value in channel) for channel in weights) if believed else ()


def _gather(frame: Array, fitted: Array, usable: Mask, vote: Array) -> _Cells:
    """Look at the picture cell by cell."""
    ratio = (frame / np.where(usable[..., None], np.maximum(fitted, 1e-6), 1)).astype(np.float64)
    usable = usable & (np.abs(np.log2(np.maximum(ratio, 1e-3))).max(2) < _FAR)
    rows, columns = (np.linspace(0, usable.shape[axis], _CELLS[axis] + 1).astype(int) for axis in (0, 1))
    found = []
    for row in range(_CELLS[0]):
        for column in range(_CELLS[1]):
            cell = np.s_[rows[row] : rows[row + 1], columns[column] : columns[column + 1]]
            inside = usable[cell]
            if inside.sum() >= _FEWEST:
                place = (column + 0.5) / _CELLS[1] * 2 - 1, (row + 0.5) / _CELLS[0] * 2 - 1
                found.append((*_middle(ratio[cell][inside], vote[cell][inside]), *place))
    red, green, blue, weight, x, y = np.array(found, np.float64).reshape(-1, 6).T
    surface = np.stack([x, y, (3 * x * x - 1) / 2, x * y, (3 * y * y - 1) / 2], 1)
    return _Cells(np.stack([red, green, blue], 1), weight, surface, y)


def _middle(ratio: Vector, vote: Array) -> tuple[float, float, float, float]:
    """Median ratio of the better half of a cell's samples, and its weight: less where they disagree."""
    better = vote >= _median(vote)
    middle = _median(ratio[better])
    apart = float(_median(np.abs(ratio[better] - middle).max(1)))
    weight = float(vote[better].mean()) / (1 + (apart / 0.05) ** 2)
    return float(middle[0]), float(middle[1]), float(middle[2]), weight


def _median(values: Vector | Array) -> Vector:
    """Median along the first axis; of a few dozen values a fifth of the time that NumPy's own takes."""
    ordered = np.sort(values, 0)
    return np.asarray((ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2)


def _fit(cells: _Cells, slow: int, waves: float = 0.0, rounds: int = len(_TOLERANCES)) -> tuple[float, Vector]:
    """Support, and ``(3, slow)``, with waves ``(3, slow + 2)``, weights that most cells agree on."""
    wave = _wave(cells.y, waves) if waves else np.zeros((len(cells.y), 0))
    table = np.concatenate([np.ones((len(cells.y), 1)), cells.surface[:, :slow], wave], 1)
    ridge = np.eye(table.shape[1]) * (_CELL_ERROR / _PRIOR) ** 2 * cells.weight.mean()
    ridge[0, 0] = 0
    found = np.zeros((table.shape[1], 3))
    found[0] = np.median(cells.ratio, 0)
    share = cells.weight
    for tolerance in _TOLERANCES[:rounds]:
        missed = np.abs(cells.ratio - table @ found).max(1) / tolerance
        share = cells.weight * np.maximum(1 - missed**2, 0) ** 2
        if share.sum() <= 1e-9 * len(share):  # nothing lies near what most agree on
            return 0.0, np.zeros((3, table.shape[1] - 1))
        found = np.linalg.solve((table.T * share) @ table + ridge, (table.T * share) @ cells.ratio)
    return float(share.sum()), (found[1:] / np.maximum(found[0], 1e-3)).T


def _search(cells: _Cells) -> tuple[float, float, Vector]:
    """Support, number of waves and weights of the best wave."""
    least, most, step = _WAVES
    scanned = np.arange(least, most + step / 2, step)
    first = max(scanned, key=lambda waves: _fit(cells, 5, waves, _SCAN)[0])
    tried = {first: _fit(cells, 5, first)}
    while step > 0.02:
        best = max(tried, key=lambda waves: tried[waves][0])
        step /= 2
        tried |= {waves: _fit(cells, 5, waves) for waves in (best - step, best + step) if least <= waves <= most}
    best = max(tried, key=lambda waves: tried[waves][0])
    return tried[best][0], float(best), tried[best][1]


def _wave(y: Vector, waves: float) -> Vector:
    """``(N, 2)``: cosine and sine at places -1..1 down the picture, less their means over it."""
    if not waves:
        return np.zeros((len(y), 2))
    turn = 2 * np.pi * waves
    angle, mean = turn * (y + 1) / 2, np.array((np.sin(turn), 1 - np.cos(turn))) / turn
    return np.asarray(np.stack([np.cos(angle), np.sin(angle)], 1) - mean)
