"""Curved, closed surfaces as grids of points, and their faces ready to be painted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.synthesis.demo.camera import Points, floats
from engine.values import Array


@dataclass(frozen=True)
class Surface:
    """A tube-like grid: rings of points from one end to the other.

    Attributes:
        points: ``(n, m + 1, 3)`` metres; the last column repeats the first. Rings run counter-clockwise as seen from
            the tube's end.
        albedo: ``(n - 1, m, 3)`` linear Rec. 709, a colour a face.
    """

    points: Points
    albedo: Array

    def faces(self, step: int = 1) -> Points:
        """``(N, 4, 3)`` corners of all faces, in the order of ``albedo``; with a step, fewer and larger ones."""
        p = self.points[::step, ::step]
        return np.stack([p[:-1, :-1], p[:-1, 1:], p[1:, 1:], p[1:, :-1]], axis=2).reshape(-1, 4, 3)

    def moved(self, rotation: npt.NDArray[np.float32], offset: Points) -> Surface:
        """The surface turned about the origin, then shifted."""
        return Surface(self.points @ rotation.T + offset, self.albedo)


def face_normals(corners: Points) -> Points:
    """``(N, 3)`` outward unit normals of ``(N, 4, 3)`` faces."""
    across = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    return (across / np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-12)).astype(np.float32)


def tube(centres: Points, radii: Array, reference: tuple[float, float, float], segments: int) -> Points:
    """Points of a tube with elliptic rings.

    Args:
        centres: ``(n, 3)`` middle of each ring.
        radii: ``(n, 2)`` half widths, the first along ``reference`` as seen across the tube.
        reference: direction that is nowhere along the tube.
        segments: faces round a ring.

    Returns:
        ``(n, segments + 1, 3)``.
    """
    along = unit(np.gradient(centres, axis=0))
    first = unit(floats(reference) - along * (along @ floats(reference))[:, None])
    second = np.cross(along, first)
    turn = np.linspace(0, 2 * np.pi, segments + 1, dtype=np.float32)[None, :, None]
    return (
        centres[:, None]
        + np.cos(turn) * (radii[:, :1] * first)[:, None]
        + np.sin(turn) * (radii[:, 1:] * second)[:, None]
    ).astype(np.float32)


def smooth_curve(knots: npt.ArrayLike, count: int, softness: float = 0.06) -> Array:
    """``(count, k)`` evenly spaced samples of a polyline ``(n, k)`` whose corners are rounded.

    Args:
        knots: points, the first column of a table being its parameter is *not* assumed: knots are spaced by index.
        count: samples.
        softness: width of the rounding, as a share of the whole.
    """
    table = np.asarray(knots, np.float32)
    at = np.linspace(0, len(table) - 1, count)
    line = np.stack([np.interp(at, np.arange(len(table)), column) for column in table.T], axis=1)
    reach = max(int(softness * count), 1)
    weights = np.hanning(2 * reach + 3)[1:-1]
    # Mirrored through the end points, so that these stay where they are.
    padded = np.concatenate([2 * line[0] - line[reach:0:-1], line, 2 * line[-1] - line[-2 : -reach - 2 : -1]])
    smoothed = [np.convolve(column, weights / weights.sum(), mode="valid") for column in padded.T]
    return np.stack(smoothed, axis=1).astype(np.float32)


def unit(vectors: Points) -> Points:
    """Vectors ``(..., 3)`` of length 1."""
    return (vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)).astype(np.float32)


def rotation_y(angle: float) -> npt.NDArray[np.float32]:
    """``(3, 3)`` turn about the upright axis; positive carries +z towards +x."""
    c, s = np.cos(angle), np.sin(angle)
    return floats([[c, 0, s], [0, 1, 0], [-s, 0, c]])
