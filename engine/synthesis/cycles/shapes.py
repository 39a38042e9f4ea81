"""Simple solids as meshes: tubes, ellipsoids, boxes, turned profiles, sheets. Metres."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.synthesis.cycles.part import Indices, Part, Points, Surface, unit

Mesh = tuple[Points, list[Indices]]

UPRIGHT = np.eye(3, dtype=np.float32)


def grid(rows: int, columns: int, round_: bool = False) -> Indices:
    """The quads ``(F, 4)`` of a grid of vertices, row after row; ``round_`` joins the last column to the first."""
    wide = columns if round_ else columns - 1
    row, column = (axis.ravel() for axis in np.mgrid[0 : rows - 1, 0:wide])
    beside = (column + 1) % columns
    return np.stack(
        (row * columns + column, row * columns + beside, (row + 1) * columns + beside, (row + 1) * columns + column), 1
    )


def tube(path: Points, radii: Points | float, sides: int = 8) -> Mesh:
    """A round tube along ``(N, 3)`` points, open at its ends; one radius, or one a point."""
    path = np.asarray(path, np.float32)
    along = unit(np.gradient(path, axis=0))
    # Any direction off the tube's own gives a frame; it is carried along so that the tube does not twist.
    across = np.empty_like(path)
    side = np.eye(3, dtype=np.float32)[np.abs(along[0]).argmin()]
    for index, way in enumerate(along):
        side = unit(side - way * (side @ way))
        across[index] = side
    other = np.cross(along, across)
    angles = np.linspace(0, 2 * np.pi, sides, endpoint=False, dtype=np.float32)
    ring = np.cos(angles)[None, :, None] * across[:, None] + np.sin(angles)[None, :, None] * other[:, None]
    points = path[:, None] + ring * np.broadcast_to(np.asarray(radii, np.float32), len(path))[:, None, None]
    return points.reshape(-1, 3).astype(np.float32), [grid(len(path), sides, round_=True)]


def ring(centre: Points, axis: Points, radius: float, thickness: float, sides: int = 6, steps: int = 48) -> Mesh:
    """A torus, such as a tyre or a rim."""
    axis = unit(np.asarray(axis, np.float32))
    one = unit(np.cross(axis, np.eye(3, dtype=np.float32)[np.abs(axis).argmin()]))
    angles = np.linspace(0, 2 * np.pi, steps + 1, dtype=np.float32)[:, None]
    path = centre + radius * (np.cos(angles) * one + np.sin(angles) * np.cross(axis, one))
    return tube(path, thickness, sides)


def turned(profile: Points, steps: int = 32) -> Mesh:
    """A surface of revolution about z: ``(N, 2)`` radii and heights."""
    profile = np.asarray(profile, np.float32)
    angles = np.linspace(0, 2 * np.pi, steps, endpoint=False, dtype=np.float32)
    circle = np.stack((np.cos(angles), np.sin(angles)), 1)
    points = np.concatenate([np.column_stack((circle * radius, np.full(steps, height))) for radius, height in profile])
    return points.astype(np.float32), [grid(len(profile), steps, round_=True)]


def ellipsoid(centre: Points, axes: Points, rotation: Points = UPRIGHT, steps: int = 24) -> Mesh:
    """An ellipsoid of half axes along a rotation's columns."""
    angles = np.linspace(0.01, np.pi - 0.01, steps // 2 + 1)
    points, faces = turned(np.stack((np.sin(angles), np.cos(angles)), 1), steps)
    return (points * axes) @ rotation.T + centre, faces


def box(centre: Points, halves: Points, rotation: Points = UPRIGHT) -> Mesh:
    """A box of half sides along a rotation's columns."""
    corners = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float32)
    faces = np.array(((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)), np.int64)
    return (corners * halves) @ rotation.T + centre, [faces]


def joined(meshes: Sequence[Mesh], surface: Surface, smooth: bool = True) -> Part:
    """Several meshes as one part of one surface."""
    points, faces, before = [], [], 0
    for vertices, quads in meshes:
        points.append(vertices)
        faces += [corners + before for corners in quads]
        before += len(vertices)
    everything = np.concatenate(points).astype(np.float32)
    return Part(everything, surface, faces=faces, rest=everything, smooth=smooth)


def placed(part: Part, rotation: Points, place: Points) -> Part:
    """A part turned and moved; its rest shape, where textures are, stays."""
    rest = part.points if part.rest is None else part.rest
    points = (part.points @ rotation.T + place).astype(np.float32)
    return Part(points, part.surface, part.faces, part.sizes, part.radii, rest, None, part.smooth)
