"""Surfaces for drawn subjects: noise, cloth, and pieces of photographs; scene-linear RGB."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from engine.values import Array

Rng = np.random.Generator


def noise(rng: Rng, size: int, cell: float, channels: int = 1) -> Array:
    """Smooth value noise: a random grid, cubic between its points.

    Args:
        rng: source of randomness.
        size: px, height and width.
        cell: px between grid points.
        channels: 1 gives ``(size, size)``, else ``(size, size, channels)``.

    Returns:
        About -1..1, mean 0.
    """
    points = max(2, round(size / cell) + 1)
    grid = rng.uniform(-1, 1, (points, points, channels)).astype(np.float32)
    field = cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)
    return field.reshape(size, size) if channels == 1 else field


def colour(rng: Rng) -> Array:
    """A surface colour ``(3,)``: often skin, cloth or hair, sometimes anything."""
    kind = rng.random()
    if kind < 0.35:  # skin and hair: brown to pale, red over green over blue
        red = rng.uniform(0.04, 0.7)
        green = red * rng.uniform(0.45, 0.8)
        return np.array((red, green, green * rng.uniform(0.5, 0.95)), np.float32)
    if kind < 0.7:  # greys and muted cloth
        return (rng.uniform(0.01, 0.8) * rng.uniform(0.75, 1.25, 3)).astype(np.float32)
    return rng.uniform(0.01, 0.9, 3).astype(np.float32)


def cloth(rng: Rng, size: int) -> Array:
    """Stripes, dots, checks or plain, slightly warped. ``(size, size, 3)``."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    bend = noise(rng, size, size / 4) * 8
    angle, period = rng.uniform(0, np.pi), rng.uniform(5, 40)
    u = (np.cos(angle) * x + np.sin(angle) * y + bend) * (2 * np.pi / period)
    v = (np.cos(angle) * y - np.sin(angle) * x + bend) * (2 * np.pi / period)
    patterns = (np.sin(u), np.sin(u) * np.sin(v), np.minimum(np.sin(u), np.sin(v)), np.full_like(u, -1))
    weight = np.clip(patterns[rng.integers(4)] * 3 + 0.5, 0, 1)[..., None]
    return (colour(rng) * weight + colour(rng) * (1 - weight)).astype(np.float32)


def photo_piece(rng: Rng, photos: Sequence[Array], size: int) -> Array:
    """A random, turned, stretched piece of a random photograph. ``(size, size, 3)``."""
    photo = photos[int(rng.integers(len(photos)))]
    height, width = photo.shape[:2]
    scale = size / min(height, width) * float(np.exp(rng.uniform(0.05, 1.6)))
    matrix = cv2.getRotationMatrix2D((rng.uniform(0, width), rng.uniform(0, height)), rng.uniform(0, 360), scale)
    matrix[:, 2] += size / 2 - matrix @ (width / 2, height / 2, 1)
    return cv2.warpAffine(photo, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def surface(rng: Rng, photos: Sequence[Array], size: int) -> Array:
    """A shaded surface of any kind, ``(size, size, 3)``, above 0."""
    kind = rng.random()
    if kind < 0.4:
        base = colour(rng) * np.exp(noise(rng, size, rng.uniform(3, 60))[..., None] * rng.uniform(0, 0.35))
    elif kind < 0.65:
        base = cloth(rng, size)
    else:
        base = photo_piece(rng, photos, size)
    light = np.exp(noise(rng, size, size / rng.uniform(1.2, 5)) * rng.uniform(0.1, 0.9))
    return np.maximum(base * light[..., None], 1e-4).astype(np.float32)


def collage(rng: Rng, photos: Sequence[Array], size: int) -> Array:
    """A background of overlapping discs and boxes of every size and surface, ``(size, size, 3)``.

    The "dead leaves" of Lee, Mumford and Huang, IJCV 2001, whose statistics are those of natural pictures.
    """
    picture = surface(rng, photos, size)
    sheets = [surface(rng, photos, size) for _ in range(3)]
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    for _ in range(int(rng.integers(8, 40))):
        reach = size * float(np.clip(0.02 / rng.uniform(0.02, 1), 0.02, 0.4))
        dx, dy = x - rng.uniform(0, size), y - rng.uniform(0, size)
        far = np.hypot(dx, dy) if rng.random() < 0.4 else np.maximum(np.abs(dx) * rng.uniform(0.3, 3), np.abs(dy))
        cover = np.clip(reach - far + 0.5, 0, 1)[..., None]
        piece = np.roll(sheets[int(rng.integers(3))], int(rng.integers(size)), int(rng.integers(2)))
        picture = picture * (1 - cover) + piece * (cover * np.float32(np.exp(rng.normal(0, 0.5))))
    return picture.astype(np.float32)
