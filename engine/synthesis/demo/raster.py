"""Painting faces and strands from far to near: hard edges, many samples a pixel, so that means are exact coverage."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engine.synthesis.demo.camera import Camera, Points, floats
from engine.values import Array, Mask

SUBPIXEL_BITS = 4
"""Fractional bits of the coordinates that OpenCV is given."""

SCALE = 2
"""Samples of the figure per pixel and direction, times the sub-frames with their jitter."""


@dataclass(frozen=True)
class Shape:
    """Where a figure is at one instant, in world space.

    Attributes:
        faces: ``(N, 4, 3)`` corners, outward counter-clockwise.
        segments: ``(S, 2, 3)`` pieces of strands.
        coarse_faces: ``(N', 4, 3)`` the same surfaces in fewer faces, for silhouettes.
    """

    faces: Points
    segments: Points
    coarse_faces: Points


@dataclass(frozen=True)
class Paint:
    """What a figure looks like.

    Attributes:
        colours: radiance R, G, B in ACEScg and coverage 1, first of all faces, then of all segments.
        widths: samples, 1 or 2, a segment.
    """

    colours: list[list[float]]
    widths: list[int]

    @staticmethod
    def of(faces: Array, segments: Array, widths: npt.NDArray[np.int_]) -> Paint:
        """Opaque paint of radiance ``(N, 3)`` for faces and ``(S, 3)`` for segments."""
        radiance = np.concatenate([faces, segments])
        opaque: list[list[float]] = np.column_stack([radiance, np.ones(len(radiance), np.float32)]).tolist()
        return Paint(opaque, widths.tolist())


def paint_figure(shape: Shape, paint: Paint, camera: Camera, jitter: tuple[float, float]) -> Array:
    """One instant of a figure.

    Args:
        shape: faces and strands.
        paint: their colours.
        camera: gives position and frame size.
        jitter: x, y in px, shifts the sampling grid.

    Returns:
        ``(H, W, 4)`` premultiplied radiance and coverage, averaged over the pixel's samples.
    """
    towards = np.flatnonzero(_facing(shape.faces, camera))
    faces, face_depth = _on_canvas(shape.faces[towards], camera, jitter)
    lines, line_depth = _on_canvas(shape.segments, camera, jitter)
    first_line = len(shape.faces)
    indices = np.concatenate([towards, first_line + np.arange(len(lines))])
    order = np.argsort(-np.concatenate([face_depth, line_depth]), kind="stable")
    canvas = np.zeros((SCALE * camera.size[0], SCALE * camera.size[1], 4), np.float32)
    ends, colours, widths = lines.tolist(), paint.colours, paint.widths
    for item, index in zip(order.tolist(), indices[order].tolist(), strict=True):
        if index < first_line:
            cv2.fillConvexPoly(canvas, faces[item], colours[index], cv2.LINE_8, SUBPIXEL_BITS)
        else:
            start, end = ends[index - first_line]
            cv2.line(canvas, start, end, colours[index], widths[index - first_line], cv2.LINE_8, SUBPIXEL_BITS)
    return np.asarray(cv2.resize(canvas, (camera.size[1], camera.size[0]), interpolation=cv2.INTER_AREA))


def paint_silhouette(shape: Shape, camera: Camera) -> Array:
    """``(H, W)`` 0 or 1: what the figure hides from a camera, or from a light that one stands for."""
    canvas = np.zeros(camera.size, np.uint8)
    faces = shape.coarse_faces[_facing(shape.coarse_faces, camera)]
    for corners in _on_canvas(faces, camera, (0.0, 0.0), 1)[0]:
        cv2.fillConvexPoly(canvas, corners, 1, cv2.LINE_8, SUBPIXEL_BITS)
    for start, end in _on_canvas(shape.segments[::2], camera, (0.0, 0.0), 1)[0].tolist():
        cv2.line(canvas, start, end, 1, 1, cv2.LINE_8, SUBPIXEL_BITS)
    return canvas.astype(np.float32)


def _facing(faces: Points, camera: Camera) -> Mask:
    across = np.cross(faces[:, 2] - faces[:, 0], faces[:, 3] - faces[:, 1])
    return np.einsum("ni,ni->n", across, faces[:, 0] - floats(camera.position)) < 0


def _on_canvas(points: Points, camera: Camera, jitter: tuple[float, float], scale: int = SCALE) -> tuple[Points, Array]:
    """Integer corners in OpenCV's fixed point, and mean depth."""
    seen = camera.project(points)
    # OpenCV's sample centres lie at integers, ours at halves.
    placed = scale * (seen[..., :2] + floats(jitter)) - 0.5
    return np.round(placed * 2**SUBPIXEL_BITS).astype(np.int32), seen[..., 2].mean(axis=-1)
