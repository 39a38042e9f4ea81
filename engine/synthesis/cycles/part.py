"""What a subject is made of, before any renderer knows of it: meshes and curves, and the surface each wears."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Rng = np.random.Generator
Points: TypeAlias = npt.NDArray[np.floating[Any]]
"""Vertices, directions, numbers a vertex: of either precision; a part's own are float32."""
Indices = npt.NDArray[np.int64]
Colour = tuple[float, float, float]

Pattern = Literal["plain", "mottled", "stripes", "checks", "dots", "cells", "print"]
Holes = Literal["none", "net", "lace", "knit", "tatters"]


@dataclass(frozen=True)
class Surface:
    """A material; colours are linear reflectances, lengths are metres on the part's rest shape."""

    colour: Colour
    second: Colour = (0.5, 0.5, 0.5)
    pattern: Pattern = "plain"
    scale: float = 20.0
    """Repeats of the pattern a metre."""
    roughness: float = 0.7
    metallic: bool = False
    hair: bool = False
    """Whether light goes along strands, not over a sheet."""
    holes: Holes = "none"
    hole_scale: float = 150.0
    opacity: float = 1.0
    """Of the sheet where it has no hole; below 1 for veils and smoke."""
    soft: bool = False
    """Whether the opacity falls off to the part's rim as a puff of smoke does."""


@dataclass(frozen=True)
class Part:
    """One mesh, or one set of curves, at an instant.

    Attributes:
        points: ``(V, 3)`` metres, z up.
        surface: what it wears.
        faces: of a mesh, arrays of ``(F, n)`` indices with n corners each.
        sizes: of curves, points of each curve, in order; None for a mesh.
        radii: of curves, ``(V,)`` metres.
        rest: ``(V, 3)``, where textures are looked up: the same at every instant.
        velocity: ``(V, 3)`` metres a frame.
        smooth: whether a mesh's normals are interpolated.
    """

    points: Points
    surface: Surface
    faces: Sequence[Indices] = field(default_factory=tuple)
    sizes: Indices | None = None
    radii: Points | None = None
    rest: Points | None = None
    velocity: Points | None = None
    smooth: bool = True


FASTEST = 0.25
"""Metres a frame, 6 m/s at 24 frames: a faster point is a strand that fell to the other side of a shoulder."""


def moving(now: Sequence[Part], soon: Sequence[Part], step: float) -> list[Part]:
    """The parts of an instant with the velocity that takes them to those of another, ``step`` frames later."""
    return [
        replace(part, velocity=_limited((after.points - part.points) / step))
        for part, after in zip(now, soon, strict=True)
    ]


def _limited(velocity: Points) -> Points:
    speed = np.linalg.norm(velocity, axis=1, keepdims=True)
    return np.asarray(velocity * np.minimum(1, FASTEST / np.maximum(speed, 1e-9)), np.float32)


def vertex_normals(points: Points, faces: Sequence[Indices]) -> Points:
    """Unit normals ``(V, 3)``, averaged over the faces round a vertex by their area."""
    normals = np.zeros_like(points)
    for corners in faces:
        spans = points[corners[:, 2]] - points[corners[:, 0]], points[corners[:, -1]] - points[corners[:, 1]]
        across = np.cross(*spans)
        for column in corners.T:
            np.add.at(normals, column, across)
    return unit(normals)


def unit(vectors: Points) -> Points:
    """Vectors of length 1 along the last axis; null vectors stay null."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), np.float32)


def kept(points: Points, faces: Sequence[Indices], keep: npt.NDArray[np.bool_]) -> tuple[Indices, list[Indices]]:
    """Cut a mesh down to the faces whose corners are all kept.

    Returns:
        The indices of the vertices still used, and the faces renumbered to them.
    """
    inside = [corners[keep[corners].all(1)] for corners in faces]
    used = np.unique(np.concatenate([corners.ravel() for corners in inside])) if inside else np.empty(0, np.int64)
    renumber = np.full(len(points), -1, np.int64)
    renumber[used] = np.arange(len(used))
    return used, [renumber[corners] for corners in inside]


def scatter(rng: Rng, points: Points, faces: Sequence[Indices], count: int) -> tuple[Indices, Points]:
    """Random places on a mesh, evenly by area.

    Returns:
        ``(count, 3)`` vertex indices and ``(count, 3)`` barycentric weights: valid for the mesh in any pose.
    """
    triangles = np.concatenate([corners[:, (0, k, k + 1)] for corners in faces for k in range(1, corners.shape[1] - 1)])
    a, b, c = (points[triangles[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    picked = triangles[rng.choice(len(triangles), size=count, p=area / area.sum())]
    u, v = np.sqrt(rng.random(count)), rng.random(count)
    return picked, np.stack((1 - u, u * (1 - v), u * v), 1).astype(np.float32)


def at(values: Points, places: tuple[Indices, Points]) -> Points:
    """Values of vertices at the places that `scatter` found, ``(N, C)``."""
    corners, weights = places
    return np.asarray((values[corners] * weights[..., None]).sum(1), np.float32)
