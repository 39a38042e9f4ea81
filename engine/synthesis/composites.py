"""Frames in front of imperfect clean plates: subject, shadow, light and the faults of real plates, in linear light.

A sample obeys ``I = P + (1 - a) * s * B`` exactly before grain and coding are added. Faults are what remains after a
good registration and exposure match, and sometimes more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from engine.synthesis.foregrounds import SIZE, disk
from engine.synthesis.textures import Rng, noise
from engine.values import Array


@dataclass(frozen=True)
class Sample:
    """One training sample; arrays are ``(H, W, C)`` float32, linear where they are colours.

    Attributes:
        frame: I with grain, ``(H, W, 3)``.
        plate: the faulty clean plate, 0 where invalid, ``(H, W, 3)``.
        valid: 1 where the plate saw the pixel, ``(H, W, 1)``.
        hint: rough matte and trust, ``(H, W, 2)``.
        alpha: ``(H, W, 1)``.
        shadow: ratio, ``(H, W, 3)``.
        foreground: P, premultiplied, ``(H, W, 3)``.
    """

    frame: Array
    plate: Array
    valid: Array
    hint: Array
    alpha: Array
    shadow: Array
    foreground: Array


def sample(rng: Rng, subjects: Sequence[Array] | Array, photos: Sequence[Array], size: int) -> Sample:
    """Compose one sample.

    Args:
        rng: source of randomness.
        subjects: premultiplied linear RGBA, ``(SIZE, SIZE, 4)`` each.
        photos: linear photographs, larger than ``size``.
        size: px, height and width of the sample.
    """
    background = _background(rng, photos, size)
    subject = _placed(rng, subjects, size)
    premultiplied, alpha = _lit(rng, subject, background), subject[..., 3:]
    ratio = shadow(rng, alpha[..., 0])
    frame = premultiplied + (1 - alpha) * ratio * background
    plate, valid = _faulty_plate(rng, background)
    frame, plate = _recorded(rng, frame, plate)
    return Sample(frame, plate * valid, valid, _hint(rng, alpha[..., 0]), alpha, ratio, premultiplied)


def _background(rng: Rng, photos: Sequence[Array], size: int) -> Array:
    """A piece of a photograph, several stops of exposure, some with highlights far above 1."""
    photo = photos[int(rng.integers(len(photos)))]
    height, width = photo.shape[:2]
    side = int(rng.uniform(size * 0.7, min(height, width)) if rng.random() < 0.5 else min(size * 1.2, height, width))
    y, x = rng.integers(height - side + 1), rng.integers(width - side + 1)
    piece = cv2.resize(photo[y : y + side, x : x + side], (size, size), interpolation=cv2.INTER_AREA)
    piece = piece[:, :: rng.choice((-1, 1))]
    if rng.random() < 0.3:
        piece = piece / (1.03 - np.minimum(piece, 1))
    if rng.random() < 0.15:
        piece = cv2.GaussianBlur(piece, (0, 0), rng.uniform(1, 8))
    stops = rng.normal(0, 1.2)
    return np.maximum(piece * np.float32(2**stops), 0).astype(np.float32)


def _placed(rng: Rng, subjects: Sequence[Array] | Array, size: int) -> Array:
    """A subject turned, scaled and shifted into the sample, or nothing. ``(size, size, 4)``."""
    if rng.random() < 0.05:
        return np.zeros((size, size, 4), np.float32)
    rgba = np.asarray(subjects[int(rng.integers(len(subjects)))], np.float32)
    # Most samples look at an edge: an outline point comes near the middle.
    edge = np.argwhere((rgba[::8, ::8, 3] > 0.05) & (rgba[::8, ::8, 3] < 0.95))
    focus = edge[rng.integers(len(edge))][::-1] * 8.0 if len(edge) and rng.random() < 0.7 else np.full(2, SIZE / 2)
    scale = float(np.exp(rng.uniform(-0.5, 0.6)))
    matrix = cv2.getRotationMatrix2D((float(focus[0]), float(focus[1])), rng.normal(0, 15), scale)
    matrix[:, 2] += size / 2 - focus + rng.normal(0, size / 6, 2)
    if rng.random() < 0.5:
        rgba = rgba[:, ::-1]
    placed = cv2.warpAffine(rgba, matrix, (size, size), flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return np.asarray(placed.clip(0, None), np.float32)


def _lit(rng: Rng, subject: Array, background: Array) -> Array:
    """The subject's premultiplied colour, exposed like its surroundings and sometimes pulled to their very colour."""
    weight = subject[..., 3].mean() + 1e-4
    own = subject[..., :3].mean((0, 1)) / weight + 1e-4
    around = background.mean((0, 1)) + 1e-4
    exposure = around.mean() / own.mean() * np.exp(rng.normal(0, 0.7))
    gain = np.full(3, exposure)
    if rng.random() < 0.35:  # the subject has the background's colour
        gain = (around / own) * np.exp(rng.normal(0, 0.15, 3))
    return (subject[..., :3] * gain.clip(1e-3, 1e3)).astype(np.float32)


def shadow(rng: Rng, alpha: Array) -> Array:
    """Ratio ``(H, W, 3)`` in 0..1 of a cast shadow, a contact shadow, both or none; soft, slightly coloured."""
    size = alpha.shape[0]
    depth = np.zeros((size, size), np.float32)
    if rng.random() < 0.55:  # the subject's own shape, sheared away by the light
        x, y = rng.normal(0, size / 5, 2)
        shear = np.array(((1, rng.normal(0, 0.5), x), (0, rng.uniform(0.4, 1.3), y)))
        cast = cv2.warpAffine(alpha, shear, (size, size))
        depth = np.maximum(depth, cv2.GaussianBlur(cast, (0, 0), rng.uniform(0.8, 14)) * rng.uniform(0.1, 0.85))
    if rng.random() < 0.25:  # light kept out close to the subject
        near = cv2.GaussianBlur(alpha, (0, 0), rng.uniform(4, 25))
        depth = np.maximum(depth, near * rng.uniform(0.1, 0.7))
    if rng.random() < 0.1:  # somebody else's
        field = noise(rng, size, rng.uniform(60, 200))
        depth = np.maximum(depth, np.clip(field * rng.uniform(1, 8), 0, 1) * rng.uniform(0.1, 0.7))
    tint = 1 + rng.normal(0, 0.06, 3) * (rng.random() < 0.6)
    return (1 - np.clip(depth[..., None] * tint, 0, 0.95)).astype(np.float32)


def _faulty_plate(rng: Rng, background: Array) -> tuple[Array, Array]:
    """The clean plate as it comes out of registration and exposure match, and where it is valid."""
    size = background.shape[0]
    flow = np.zeros((size, size, 2), np.float32)
    if rng.random() < 0.7:
        flow += rng.normal(0, rng.choice((0.3, 0.8, 2.0)), 2)
    if rng.random() < 0.35:  # parallax, leaves, breathing of the lens
        flow += noise(rng, size, rng.uniform(10, 120), 2) * rng.uniform(0.2, 2.5)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    plate = cv2.remap(
        background, x + flow[..., 0], y + flow[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    plate = np.maximum(plate, 0) * np.exp(rng.normal(0, 0.05) + rng.normal(0, 0.02, 3)).astype(np.float32)
    if rng.random() < 0.2:  # vignetting, lamps: a slow field
        plate = plate * np.exp(noise(rng, size, size / 1.5)[..., None] * rng.uniform(0.02, 0.15))
    if rng.random() < 0.25:
        plate = cv2.filter2D(plate, -1, disk(float(rng.uniform(0.3, 1.8))))
    valid = np.ones((size, size, 1), np.float32)
    if rng.random() < 0.12:  # the plate's own edge
        cut = int(rng.uniform(1, size * 0.25))
        valid = np.rot90(np.where(np.arange(size)[:, None, None] < cut, 0, valid), int(rng.integers(4))).astype(
            np.float32
        )
    return plate.astype(np.float32), np.ascontiguousarray(valid)


def _recorded(rng: Rng, frame: Array, plate: Array) -> tuple[Array, Array]:
    """Both as a camera records them: grain of one level, drawn twice; then float, or 8 bits and JPEG."""
    read, shot = 10 ** rng.uniform(-7, -4), 10 ** rng.uniform(-6, -3.2)
    quality = int(rng.choice((0, 0, 60, 75, 85, 92, 97)))
    # The eye of the coder: exposed to a common white for frame and plate.
    white = max(float(np.percentile(plate, 99)), 1e-3) * rng.uniform(0.7, 1.3)
    softness = rng.uniform(0.3, 0.8) if rng.random() < 0.5 else 0.0
    results = []
    for picture in (frame, plate):
        grain = rng.standard_normal(picture.shape, np.float32)
        if softness:
            grain = cv2.GaussianBlur(grain, (0, 0), softness) * np.float32(1 + 2 * softness)
        noisy = picture + grain * np.sqrt(read + shot * picture).astype(np.float32)
        results.append(coded(noisy / white, quality) * np.float32(white) if quality else noisy)
    return results[0], results[1]


def coded(linear: Array, quality: int) -> Array:
    """Linear RGB through 8-bit sRGB and JPEG (4:2:0) of a quality 1..100, and back. Clips to 0..1."""
    display = np.round(np.clip(srgb(linear), 0, 1) * 255).astype(np.uint8)
    packed = cv2.imencode(".jpg", display, (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
    return linearise(np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR)))


def srgb(linear: Array) -> Array:
    """IEC 61966-2-1 encoding of linear values 0..1."""
    positive = np.maximum(linear, 0)
    return np.where(positive <= 0.0031308, positive * 12.92, 1.055 * positive ** (1 / 2.4) - 0.055).astype(np.float32)


_LINEAR = np.array(
    [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in np.arange(256) / 255], np.float32
)


def linearise(display: np.ndarray) -> Array:
    """IEC 61966-2-1 decoding of 8-bit values; float32 0..1 of the same shape."""
    return np.asarray(_LINEAR[display], np.float32)


def _hint(rng: Rng, alpha: Array) -> Array:
    """A roto of the subject, clumsy as they are, in a quarter of the samples; else nothing."""
    hint = np.zeros((*alpha.shape, 2), np.float32)
    if rng.random() > 0.25:
        return hint
    rough = (alpha > rng.uniform(0.2, 0.8)).astype(np.float32)
    kernel = np.ones((int(rng.integers(1, 15)),) * 2, np.uint8)
    rough = cv2.erode(rough, kernel) if rng.random() < 0.5 else cv2.dilate(rough, kernel)
    hint[..., 0] = cv2.GaussianBlur(rough, (0, 0), rng.uniform(0.5, 8))
    hint[..., 1] = rng.uniform(0.5, 1)
    return hint
