"""Growing strands: from roots on a body, under gravity and wind, round the body, into curls and locks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from engine.synthesis.cycles.part import Indices, Part, Points, Rng, Surface, unit

Tie = Literal["no", "tail", "pigtails", "bun"]


@dataclass(frozen=True)
class Ball:
    """An ellipsoid that strands do not enter: centre ``(3,)``, half axes ``(3,)``, rotation ``(3, 3)``."""

    centre: Points
    axes: Points
    rotation: Points

    def outside(self, points: Points) -> Points:
        """Points ``(N, 3)`` pushed out to the surface where they lie inside."""
        local = (points - self.centre) @ self.rotation / self.axes
        depth = np.linalg.norm(local, axis=1, keepdims=True)
        inside = (depth < 1)[:, 0]
        if inside.any():
            moved = local[inside] / np.maximum(depth[inside], 1e-6) * self.axes
            points = points.copy()
            points[inside] = moved @ self.rotation.T + self.centre
        return points


@dataclass(frozen=True)
class Style:
    """How hair falls; lengths in metres, directions in the frame it grows in."""

    length: float
    points: int = 14
    lift: float = 1.0
    """Share of the skin's normal in the first direction; the rest is `comb`."""
    comb: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gravity: float = 0.3
    down: tuple[float, float, float] = (0.0, 0.0, -1.0)
    wind: tuple[float, float, float] = (0.0, 0.0, 0.0)
    frizz: float = 0.05
    curl: float = 0.0
    """Radius of the curls."""
    turns: float = 8.0
    """Of a curl, a metre."""
    locks: int = 0
    """Number of locks that strands gather in; 0 for none."""
    gather: float = 0.0
    """How much of a strand's own way is given up to its lock's, at the tip."""
    uneven: float = 0.25
    """Spread of the strands' lengths."""
    radius: float = 0.00012
    tied: Tie = "no"


def grown(rng: Rng, roots: Points, normals: Points, style: Style, balls: Sequence[Ball]) -> Points:
    """Strands ``(N, P, 3)`` from roots and normals ``(N, 3)``."""
    count = len(roots)
    lengths = style.length * np.clip(1 + style.uneven * rng.standard_normal((count, 1)), 0.15, 2)
    step = lengths / (style.points - 1)
    way = unit(style.lift * normals + np.array(style.comb) + style.frizz * rng.standard_normal((count, 3)))
    fall = style.gravity * np.array(style.down) + np.array(style.wind)
    path, paths = roots, [roots]
    for k in range(1, style.points):
        # A strand is stiff at its root; away from it, every step gives in a little more.
        give = min(1.0, 2 * k / style.points)
        way = unit(way + give * fall + 0.5 * style.frizz * rng.standard_normal((count, 3)))
        path = path + way * step
        for ball in balls:
            path = ball.outside(path)
        way = unit(path - paths[-1])
        paths.append(path)
    return _in_locks(rng, _curled(rng, np.stack(paths, 1).astype(np.float32), style), style)


def gathered(rng: Rng, roots: Points, style: Style, skull: Ball, balls: Sequence[Ball]) -> Points:
    """Strands ``(N, P, 3)`` combed along the skull to a tie, from where they fall as a tail or are wound to a bun."""
    back = np.tile(np.array((0.0, 1.12, style.comb[2])), (len(roots), 1))
    if style.tied == "pigtails":
        back[:, 0] = np.where((roots - skull.centre) @ skull.rotation[:, 0] > 0, 0.95, -0.95)
    tie = skull.centre + (back * skull.axes) @ skull.rotation.T
    share = np.linspace(0, 1, 7, dtype=np.float32)[:, None, None]
    way = roots * (1 - share) + tie * share + 0.006 * rng.standard_normal((1, len(roots), 3))
    # Hair lies a little off the skull, layer on layer: heads are not quite ellipsoids.
    thick = Ball(skull.centre, skull.axes * 1.07, skull.rotation)
    combed = thick.outside(way.reshape(-1, 3)).reshape(7, len(roots), 3).transpose(1, 0, 2)
    out = unit(tie - skull.centre)
    loose = rng.normal(0, 0.012, tie.shape).astype(np.float32)
    if style.tied == "bun":
        rest = _wound(rng, tie + 0.45 * skull.axes[0] * out, 0.5 * float(skull.axes[0]))
    else:
        free = replace(style, lift=0.8, comb=(0.0, 0.0, 0.0), tied="no")
        rest = grown(rng, (tie + loose).astype(np.float32), out.astype(np.float32), free, (skull, *balls))
    return np.concatenate((combed, rest), 1).astype(np.float32)


def _wound(rng: Rng, centres: Points, radius: float) -> Points:
    """Great circles round a bun."""
    one = unit(rng.standard_normal(centres.shape).astype(np.float32))
    two = unit(np.cross(one, rng.standard_normal(centres.shape)))
    angle = np.linspace(0, 5, 14, dtype=np.float32)[None, :, None]
    reach = radius * rng.uniform(0.7, 1.05, (len(centres), 1, 1))
    return np.asarray(
        centres[:, None] + reach * (np.cos(angle) * one[:, None] + np.sin(angle) * two[:, None]), np.float32
    )


def _curled(rng: Rng, strands: Points, style: Style) -> Points:
    if style.curl == 0:
        return strands
    along = unit(np.gradient(strands, axis=1))
    one = unit(np.cross(along, unit(rng.standard_normal(3).astype(np.float32))))
    two = np.cross(along, one)
    reach = np.linalg.norm(np.diff(strands, axis=1, prepend=strands[:, :1]), axis=2).cumsum(1)
    phase = 2 * np.pi * style.turns * reach + rng.uniform(0, 2 * np.pi, (len(strands), 1))
    widening = style.curl * np.minimum(1, reach / (4 * style.curl))
    return np.asarray(strands + widening[..., None] * (np.cos(phase)[..., None] * one + np.sin(phase)[..., None] * two))


def _in_locks(rng: Rng, strands: Points, style: Style) -> Points:
    if not style.locks or len(strands) <= style.locks:
        return strands
    leaders = rng.choice(len(strands), size=style.locks, replace=False)
    own = nearest(strands[:, 0], strands[leaders, 0])
    along = np.linspace(0, 1, strands.shape[1], dtype=np.float32)[None, :, None]
    led = strands[leaders[own]] + 0.35 * (strands[:, :1] - strands[leaders[own], :1])
    share = style.gather * along**0.8 * rng.uniform(0.6, 1, (len(strands), 1, 1)).astype(np.float32)
    return np.asarray(strands * (1 - share) + led * share, np.float32)


def nearest(points: Points, others: Points) -> Indices:
    """Index of the nearest of ``others`` for each point."""
    distance = (points**2).sum(1)[:, None] - 2 * points @ others.T + (others**2).sum(1)
    return np.asarray(distance.argmin(1), np.int64)


def curves(strands: Points, surface: Surface, radius: float, tip: float = 0.35) -> Part:
    """Strands as a part: ``radius`` at the root, ``tip`` of it at the end."""
    count, points = strands.shape[:2]
    taper = np.linspace(1, tip, points, dtype=np.float32) * np.float32(radius)
    sizes = np.full(count, points, np.int64)
    return Part(strands.reshape(-1, 3), surface, sizes=sizes, radii=np.tile(taper, count), rest=strands.reshape(-1, 3))
