"""Painting the demo's room: flat, textured, lit patches from back to front, many times finer than a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from engine.synthesis.demo.camera import Camera, Points, floats, opencv
from engine.synthesis.demo.light import acescg, fill_light, key_light
from engine.values import Array

SCALE = 3
"""Samples of the room per pixel and direction."""


@dataclass(frozen=True)
class Patch:
    """A textured rectangle in space.

    Attributes:
        corner: where the texture's top left corner lies, metres.
        right: from there to the top right corner.
        down: from the corner to the bottom left; ``right x down`` is the side that is seen.
        texture: ``(h, w, 3)`` albedo in linear Rec. 709, or ``(h, w, 4)`` albedo and coverage.
        glows: the texture is radiance, not albedo; premultiplied, so that a glow may cover nothing.
        gloss: share of light that it mirrors at a right angle, from the bright things in ``mirrored``.
    """

    corner: tuple[float, float, float]
    right: tuple[float, float, float]
    down: tuple[float, float, float]
    texture: Array
    glows: bool = False
    gloss: float = 0.0

    @property
    def normal(self) -> Points:
        """Unit normal of the side that is seen."""
        across = np.cross(self.right, self.down)
        return (across / np.linalg.norm(across)).astype(np.float32)

    def corners(self) -> Points:
        """``(4, 3)``: top left, top right, bottom right, bottom left."""
        corner, right, down = floats(self.corner), floats(self.right), floats(self.down)
        return np.stack([corner, corner + right, corner + right + down, corner + down])


@dataclass(frozen=True)
class Mirrored:
    """A bright upright rectangle that glossy patches show: window, lamp."""

    centre: tuple[float, float, float]
    half_size: tuple[float, float]
    radiance: tuple[float, float, float]

    def seen_along(self, points: Points, directions: Points) -> Array:
        """``(H, W, 3)`` radiance in a direction, blurred with the distance as polished wood does."""
        travel = np.maximum((self.centre[2] - points[..., 2]) / np.maximum(directions[..., 2], 1e-3), 0)
        softness = 0.05 + 0.10 * travel
        spread = (travel > 0).astype(np.float32)
        for axis, half in enumerate(self.half_size):
            off = np.abs(points[..., axis] + travel * directions[..., axis] - self.centre[axis])
            spread *= np.clip((half - off) / softness + 0.5, 0, 1)
        return (spread[..., None] * acescg(self.radiance)).astype(np.float32)


@dataclass(frozen=True)
class Room:
    """The empty set as `camera` sees it, with some margin.

    Attributes:
        camera: one sample a pixel; ``radiance`` is `SCALE` times finer.
        radiance: ``(SCALE * H, SCALE * W, 3)`` scene-linear.
        key_share: ``(H, W, 3)`` 0..1, the part of the radiance that is the key light's.
        positions: ``(H, W, 3)`` world positions, metres.
    """

    camera: Camera
    radiance: Array
    key_share: Array
    positions: Points


def paint(camera: Camera, margin: int, patches: Sequence[Patch], mirrored: Sequence[Mirrored]) -> Room:
    """Paint patches, given from back to front, over each other.

    Args:
        camera: the shot's camera.
        margin: px added on each side, for a camera that turns.
        patches: the set; together they must cover the view.
        mirrored: what glossy patches reflect.

    Returns:
        The room, lit by key and fill.
    """
    coarse, fine = camera.enlarged(1, margin), camera.enlarged(SCALE, margin)
    canvas = _Canvas(coarse, fine, mirrored)
    for patch in patches:
        canvas.add(patch)
    size = (coarse.size[1], coarse.size[0])
    total, key = (cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in (canvas.radiance, canvas.key))
    share = np.clip(key / np.maximum(total, 1e-6), 0, 1).astype(np.float32)
    return Room(coarse, canvas.radiance, share, canvas.positions)


class _Canvas:
    def __init__(self, coarse: Camera, fine: Camera, mirrored: Sequence[Mirrored]) -> None:
        self.radiance = np.zeros((*fine.size, 3), np.float32)
        self.key = np.zeros_like(self.radiance)
        self.positions = np.zeros((*coarse.size, 3), np.float32)
        self._coarse, self._fine, self._mirrored = coarse, fine, mirrored
        self._rays = coarse.rays()

    def add(self, patch: Patch) -> None:
        seen = self._fine.project(patch.corners())[:, :2]
        rows, columns = _box(seen, self._coarse.size)
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        coarse, fine = (rows, columns), tuple(slice(SCALE * s.start, SCALE * s.stop) for s in (rows, columns))
        cover = self._warped(patch, seen, fine)
        key, rest, mirror, positions = self._lit(patch, coarse)
        colour, alpha = cover[..., :3], cover[..., 3:]
        self.key[fine] = self.key[fine] * (1 - alpha) + colour * _fine(key)
        light = colour * _fine(key + rest) + alpha * _fine(mirror)
        self.radiance[fine] = self.radiance[fine] * (1 - alpha) + light
        solid = cv2.resize(alpha[..., 0], None, fx=1 / SCALE, fy=1 / SCALE, interpolation=cv2.INTER_AREA) > 0.5
        self.positions[coarse][solid] = positions[solid]

    def _warped(self, patch: Patch, seen: Points, fine: tuple[slice, ...]) -> Array:
        """``(h, w, 4)`` premultiplied texture in the box's pixels."""
        height, width = patch.texture.shape[:2]
        texture = np.dstack([acescg(patch.texture[..., :3]), patch.texture[..., 3:]])
        if texture.shape[2] == 3:
            texture = np.dstack([texture, np.ones((height, width), np.float32)])
        elif not patch.glows:
            texture = np.dstack([texture[..., :3] * texture[..., 3:], texture[..., 3]])
        flat = floats([[0, 0], [width, 0], [width, height], [0, height]])
        origin = floats([fine[1].start, fine[0].start])
        homography = cv2.getPerspectiveTransform(flat, (seen - origin).astype(np.float32))
        size = (fine[1].stop - fine[1].start, fine[0].stop - fine[0].start)
        return np.asarray(cv2.warpPerspective(texture, opencv(homography), size, flags=cv2.INTER_LINEAR))

    def _lit(self, patch: Patch, box: tuple[slice, slice]) -> tuple[Array, Array, Array, Points]:
        """Key, other light, mirrored light and position, for each coarse pixel of the box."""
        rays, normal = self._rays[box], patch.normal
        place = floats(self._coarse.position)
        slant = rays @ normal
        travel = np.dot(floats(patch.corner) - place, normal) / np.minimum(slant, -1e-4)
        positions = floats(place + np.clip(travel, 0.05, 40.0)[..., None] * rays)
        if patch.glows:
            return np.zeros_like(rays), np.ones_like(rays), np.zeros_like(rays), positions
        normals = np.broadcast_to(normal, rays.shape)
        return (
            key_light(positions, normals),
            fill_light(positions, normals),
            self._mirror(patch, positions, rays, slant),
            positions,
        )

    def _mirror(self, patch: Patch, positions: Points, rays: Points, slant: Array) -> Array:
        if patch.gloss == 0:
            return np.zeros_like(rays)
        directions = rays - 2 * slant[..., None] * patch.normal
        cosine = -slant / np.linalg.norm(rays, axis=-1)
        # Schlick's approximation of Fresnel's reflectance.
        fresnel = patch.gloss + (1 - patch.gloss) * np.clip(1 - cosine, 0, 1) ** 5
        light = sum((thing.seen_along(positions, directions) for thing in self._mirrored), np.zeros_like(rays))
        return (fresnel[..., None] * light).astype(np.float32)


def _box(seen: Points, size: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of the coarse picture that a patch, given in fine pixels, may touch."""
    low, high = np.floor(seen.min(axis=0) / SCALE) - 1, np.ceil(seen.max(axis=0) / SCALE) + 1
    columns, rows = (slice(int(max(low[i], 0)), int(min(high[i], size[1 - i]))) for i in (0, 1))
    return rows, columns


def _fine(light: Array) -> Array:
    height, width = light.shape[:2]
    return np.asarray(cv2.resize(light, (SCALE * width, SCALE * height), interpolation=cv2.INTER_LINEAR))
