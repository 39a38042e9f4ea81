"""The faults of real plates and cameras: misplacement, moving backgrounds, light, focus, grain and coding."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from engine.synthesis.foregrounds import disk
from engine.synthesis.textures import Rng, noise
from engine.values import Array

# Side of the stored grain that pieces are cut from, px.
_GRAIN = 1400


def faulty_plate(rng: Rng, background: Array) -> tuple[Array, Array, Array]:
    """The clean plate as it comes out of registration and exposure match.

    Args:
        rng: source of randomness.
        background: ``(S, S, 3)`` linear.

    Returns:
        The plate; 1 where it is valid, ``(S, S, 1)``; and the background as it was when the frame was shot.
    """
    size = background.shape[0]
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    flow = _misplacement(rng, size, x, y)
    plate = cv2.remap(
        background, x + flow[..., 0], y + flow[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    stops = 0.25 if rng.random() < 0.15 else 0.05
    plate = np.maximum(plate, 0) * np.exp2(rng.normal(0, stops) + rng.normal(0, 0.03, 3)).astype(np.float32)
    if rng.random() < 0.2:  # vignetting, lamps: a slow field
        plate = plate * np.exp(noise(rng, size, size / 1.5)[..., None] * rng.uniform(0.02, 0.15))
    live = background
    focus = rng.random()
    if focus < 0.15:
        plate = cv2.filter2D(plate, -1, disk(float(rng.uniform(0.3, 2.5))))
    elif focus < 0.2:
        live = cv2.filter2D(live, -1, disk(float(rng.uniform(0.3, 2.5))))
    return np.asarray(plate, np.float32), _seen(rng, size), live


def _misplacement(rng: Rng, size: int, x: Array, y: Array) -> Array:
    """Px from the frame to the plate, ``(S, S, 2)``."""
    flow = np.zeros((size, size, 2), np.float32)
    kind = rng.random()
    if kind < 0.55:  # what registration leaves; beyond 0.6 the camera was locked off
        flow += rng.normal(0, rng.choice((0.05, 0.15, 0.4, 1.0), p=(0.3, 0.35, 0.25, 0.1)), 2)
    elif kind < 0.6:  # as good as unregistered
        flow += rng.uniform(-8, 8, 2)
    if rng.random() < 0.1:  # a turn, a breath of the lens
        turn, breath = rng.normal(0, 0.004), rng.normal(0, 0.003)
        u, v = x - size / 2, y - size / 2
        flow += np.stack((breath * u - turn * v, turn * u + breath * v), 2)
    if rng.random() < 0.2:  # leaves, water
        flow += noise(rng, size, rng.uniform(10, 120), 2) * rng.uniform(0.2, 2.5)
    if rng.random() < 0.12:  # parallax between two depths
        near = np.clip(noise(rng, size, rng.uniform(60, 300)) * 20, 0, 1)[..., None]
        flow += near * rng.normal(0, 2.5, 2)
    return flow.astype(np.float32)


def _seen(rng: Rng, size: int) -> Array:
    """Validity ``(S, S, 1)``: in one shot of ten the plate's own edge shows."""
    valid = np.ones((size, size, 1), np.float32)
    if rng.random() < 0.1:
        cut = int(rng.uniform(1, size * 0.25))
        valid = np.rot90(np.where(np.arange(size)[:, None, None] < cut, 0, valid), int(rng.integers(4)))
    return np.ascontiguousarray(valid, np.float32)


@cache
def _stored_grain() -> Array:
    return np.random.default_rng(11).standard_normal((_GRAIN, _GRAIN, 3), np.float32)


def grain(rng: Rng, size: int) -> Array:
    """White grain ``(S, S, 3)`` of deviation 1: a piece of a stored field, much faster than drawing it."""
    y, x = rng.integers(_GRAIN - size + 1, size=2)
    piece = _stored_grain()[y : y + size, x : x + size][:: rng.choice((-1, 1)), :: rng.choice((-1, 1))]
    return piece[..., rng.permutation(3)]


def recorded(rng: Rng, frame: Array, plate: Array, *noises: Array) -> tuple[Array, Array]:
    """Frame and plate as a camera records them: grain of one level, drawn apart; then float, or 8 bits and JPEG.

    Args:
        rng: source of randomness.
        frame: ``(S, S, 3)`` linear.
        plate: the same.
        noises: white grain of either, `grain`.
    """
    read, shot = 10 ** rng.uniform(-7, -4), 10 ** rng.uniform(-6, -3.2)
    quality = int(rng.choice((0, 0, 0, 0, 0, 60, 75, 85, 92, 97)))
    # The eye of the coder: exposed to a common white for frame and plate.
    white = max(float(np.percentile(plate[::4, ::4], 99)), 1e-3) * rng.uniform(0.7, 1.3)
    softness = rng.uniform(0.3, 0.8) if rng.random() < 0.5 else 0.0
    results = []
    for picture, white_noise in zip((frame, plate), noises, strict=True):
        texture = white_noise
        if softness:
            texture = cv2.GaussianBlur(np.ascontiguousarray(texture), (0, 0), softness) * np.float32(1 + 2 * softness)
        noisy = picture + texture * np.sqrt(read + shot * picture).astype(np.float32)
        results.append(coded(noisy / white, quality) * np.float32(white) if quality else noisy)
    return results[0], results[1]


def coded(linear: Array, quality: int) -> Array:
    """Linear RGB through 8-bit sRGB and JPEG (4:2:0) of a quality 1..100, and back. Clips to 0..1."""
    display = np.round(np.clip(srgb(linear), 0, 1) * 255).astype(np.uint8)
    packed = cv2.imencode(".jpg", display, (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
    return linearise(np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR)))


def srgb(linear: Array) -> Array:
    """IEC 61966-2-1 encoding of linear values 0..1."""
    positive = np.maximum(linear, 0, dtype=np.float32)
    return np.where(positive <= 0.0031308, positive * 12.92, 1.055 * cv2.pow(positive, 1 / 2.4) - 0.055)


_LINEAR = np.array(
    [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in np.arange(256) / 255], np.float32
)


def linearise(display: np.ndarray) -> Array:
    """IEC 61966-2-1 decoding of 8-bit values; float32 0..1 of the same shape."""
    return np.asarray(_LINEAR[display], np.float32)
