"""Shots in front of imperfect clean plates: subject, shadow, light and the faults of real plates, in linear light.

A sample obeys ``I = P + (1 - a) * (s * B + r)`` exactly before grain and coding are added; ``r``, a reflection of the
subject, is mostly 0. Faults are what remains after a good registration and exposure match, and sometimes more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engine.synthesis.faults import faulty_plate, grain, recorded
from engine.synthesis.textures import Rng, collage, noise
from engine.values import Array

Matrix = npt.NDArray[np.float64]
"""Coordinates and maps between them."""


_CAMOUFLAGED = 0.06
"""Share of subjects that wear, in places, another piece of what they stand before."""


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


@dataclass(frozen=True)
class Pose:
    """Where a subject stands in the first frame of a shot, and how it moves.

    Attributes:
        still: ``(2, 3)`` affine map from the subject's picture to the sample.
        step: px that it moves from frame to frame, ``(2,)``.
        turn: degrees that it turns from frame to frame.
    """

    still: Matrix
    step: Matrix
    turn: float

    def at(self, time: int, size: int) -> Matrix:
        """The map of a later frame."""
        moved = cv2.getRotationMatrix2D((size / 2, size / 2), self.turn * time, 1.0)
        moved[:, 2] += self.step * time
        square = np.vstack((self.still, (0, 0, 1)))
        return np.asarray(moved @ square)


def shot(rng: Rng, subject: Array, photos: Sequence[Array], size: int, count: int) -> list[Sample]:
    """Compose consecutive frames of one shot over one plate.

    Args:
        rng: source of randomness.
        subject: premultiplied linear RGBA, ``(S, S, 4)``, or ``(T, S, S, 4)`` if it moves by itself.
        photos: linear photographs, larger than ``size``.
        size: px, height and width of a frame.
        count: frames.
    """
    background = _background(rng, photos, size)
    frames = subject if subject.ndim == 4 else subject[None]
    camouflaged = rng.random() < _CAMOUFLAGED
    if camouflaged:
        frames = _clothed(rng, frames, background)
    pose = None if rng.random() < 0.05 else _pose(rng, frames[0], size)
    shade_seed, code_seed, hint_seed, mirror_seed = rng.integers(2**32, size=4)
    plate, valid, live = faulty_plate(rng, background)
    gain: Array | None = None
    samples = []
    for time in range(count):
        rgba = _placed(frames[min(time, len(frames) - 1)], pose, time, size)
        if gain is None:
            gain = np.exp(rng.normal(0, 0.1, 3)).astype(np.float32) if camouflaged else _light(rng, rgba, live)
        premultiplied, alpha = rgba[..., :3] * gain, rgba[..., 3:]
        ratio = shadow(np.random.default_rng(shade_seed), alpha[..., 0])
        mirrored = reflection(np.random.default_rng(mirror_seed), premultiplied, alpha[..., 0])
        frame = premultiplied + (1 - alpha) * (ratio * live + mirrored)
        code = np.random.default_rng(code_seed)
        seen, clean = recorded(code, frame, plate, grain(rng, size), grain(np.random.default_rng(code_seed), size))
        hint = _hint(np.random.default_rng(hint_seed), alpha[..., 0])
        samples.append(Sample(seen, clean * valid, valid, hint, alpha, ratio, premultiplied))
    return samples


def _background(rng: Rng, photos: Sequence[Array], size: int) -> Array:
    """A piece of a photograph or a collage, several stops of exposure, some with highlights far above 1."""
    drawn = rng.random() < 0.25
    piece = collage(rng, photos, size) if drawn else _photographed(rng, photos, size)
    if rng.random() < 0.3:
        piece = (piece / (1.03 - np.minimum(piece, 1))).astype(np.float32)
    if rng.random() < 0.2:
        piece = cv2.GaussianBlur(piece, (0, 0), rng.uniform(1, 12))
    stops = rng.normal(0, 1.2)
    return np.maximum(piece * np.float32(2**stops), 0).astype(np.float32)


def _photographed(rng: Rng, photos: Sequence[Array], size: int) -> Array:
    photo = photos[int(rng.integers(len(photos)))]
    height, width = photo.shape[:2]
    least = min(height, width)
    side = int(rng.uniform(min(size * 0.7, least * 0.9), least) if rng.random() < 0.5 else min(size * 1.2, least))
    y, x = rng.integers(height - side + 1), rng.integers(width - side + 1)
    piece = cv2.resize(photo[y : y + side, x : x + side], (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(piece[:, :: rng.choice((-1, 1))] * np.exp(rng.normal(0, 0.15, 3)), np.float32)


def _pose(rng: Rng, rgba: Array, size: int) -> Pose:
    """A subject turned, scaled and shifted into the sample."""
    # Most samples look at an edge: an outline point comes near the middle.
    edge = np.argwhere((rgba[::8, ::8, 3] > 0.05) & (rgba[::8, ::8, 3] < 0.95))
    middle = np.full(2, rgba.shape[0] / 2)
    focus = edge[rng.integers(len(edge))][::-1] * 8.0 if len(edge) and rng.random() < 0.7 else middle
    scale = float(np.exp(rng.uniform(-0.7, 0.6))) * size / 512
    still = cv2.getRotationMatrix2D((float(focus[0]), float(focus[1])), rng.normal(0, 15), scale)
    still[:, 2] += size / 2 - focus + rng.normal(0, size / 6, 2)
    if rng.random() < 0.5:  # mirrored
        still = still @ np.array(((-1, 0, rgba.shape[1]), (0, 1, 0), (0, 0, 1)))
    return Pose(still, rng.normal(0, rng.choice((0.3, 3, 12)), 2), rng.normal(0, 0.7))


def _clothed(rng: Rng, frames: Array, background: Array) -> Array:
    """Subjects ``(T, S, S, 4)`` dressed, in large patches, in the set's own stuff: stone before stone."""
    side = frames.shape[1]
    turned = np.rot90(background, int(rng.integers(4)))[:: rng.choice((-1, 1))]
    stuff = cv2.resize(np.ascontiguousarray(turned), (side, side), interpolation=cv2.INTER_LINEAR)
    patch = np.clip(noise(rng, side, side / 4)[..., None] * 8 + rng.uniform(0, 8), 0, 1)
    rgb, alpha = frames[..., :3].astype(np.float32), frames[..., 3:].astype(np.float32)
    return np.concatenate((rgb + (alpha * stuff - rgb) * patch, alpha), -1)


def _placed(rgba: Array, pose: Pose | None, time: int, size: int) -> Array:
    """``(size, size, 4)``; empty without a pose."""
    if pose is None:
        return np.zeros((size, size, 4), np.float32)
    matrix = pose.at(time, size)
    shrinks = abs(float(np.linalg.det(matrix[:, :2]))) < 0.5
    source = np.asarray(rgba, np.float32)
    if shrinks:
        source = cv2.resize(source, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        matrix = matrix @ np.diag((2.0, 2.0, 1.0))
    placed = cv2.warpAffine(source, matrix, (size, size), flags=cv2.INTER_LINEAR)
    return np.asarray(placed.clip(0, None), np.float32)


def _light(rng: Rng, rgba: Array, background: Array) -> Array:
    """Gain ``(3,)`` that exposes a subject like its surroundings, and sometimes pulls it to their very colour."""
    weight = rgba[..., 3].mean() + 1e-4
    own = rgba[..., :3].mean((0, 1)) / weight + 1e-4
    around = background.mean((0, 1)) + 1e-4
    gain = np.full(3, around.mean() / own.mean() * np.exp(rng.normal(0, 0.7)))
    if rng.random() < 0.35:  # the subject has the background's colour
        gain = (around / own) * np.exp(rng.normal(0, 0.15, 3))
    return np.asarray(gain.clip(1e-3, 1e3), np.float32)


def shadow(rng: Rng, alpha: Array) -> Array:
    """Ratio ``(H, W, 3)`` in 0..1 of a cast shadow, a contact shadow, both or none; soft, slightly coloured."""
    size = alpha.shape[0]
    depth = np.zeros((size, size), np.float32)
    if rng.random() < 0.55:  # the subject's own shape, sheared away by the light
        x, y = rng.normal(0, size / 5, 2)
        shear = np.array(((1, rng.normal(0, 0.5), x), (0, rng.uniform(0.4, 1.3), y)))
        cast = cv2.warpAffine(alpha, shear, (size, size))
        depth = np.maximum(depth, cv2.GaussianBlur(cast, (0, 0), rng.uniform(0.8, 20)) * rng.uniform(0.1, 0.85))
    if rng.random() < 0.25:  # light kept out close to the subject
        near = cv2.GaussianBlur(alpha, (0, 0), rng.uniform(6, 35))
        depth = np.maximum(depth, near * rng.uniform(0.1, 0.7))
    if rng.random() < 0.1:  # somebody else's
        field = noise(rng, size, rng.uniform(80, 300))
        depth = np.maximum(depth, np.clip(field * rng.uniform(1, 8), 0, 1) * rng.uniform(0.1, 0.7))
    tint = 1 + rng.normal(0, 0.06, 3) * (rng.random() < 0.6)
    return (1 - np.clip(depth[..., None] * tint, 0, 0.95)).astype(np.float32)


def reflection(rng: Rng, premultiplied: Array, alpha: Array) -> Array:
    """Light ``(H, W, 3)`` a polished floor adds in one shot of fifteen: the subject upside down, faint and soft."""
    rows = np.flatnonzero(alpha.max(1) > 0.5)
    if rng.random() > 1 / 15 or not len(rows):
        return np.zeros_like(premultiplied)
    floor = 2.0 * min(int(rows[-1]) + 1, alpha.shape[0] * rng.uniform(0.5, 1))
    upside_down = np.array(((1.0, 0.0, 0.0), (0.0, -1.0, floor)))
    mirrored = cv2.warpAffine(premultiplied, upside_down, alpha.shape[::-1])
    return np.asarray(cv2.GaussianBlur(mirrored, (0, 0), rng.uniform(0.5, 8)) * np.float32(rng.uniform(0.02, 0.15)))


def _hint(rng: Rng, alpha: Array) -> Array:
    """A roto of the subject, clumsy as they are, in a quarter of the shots; else nothing."""
    hint = np.zeros((*alpha.shape, 2), np.float32)
    if rng.random() > 0.25:
        return hint
    rough = (alpha > rng.uniform(0.2, 0.8)).astype(np.float32)
    kernel = np.ones((int(rng.integers(1, 15)),) * 2, np.uint8)
    rough = cv2.erode(rough, kernel) if rng.random() < 0.5 else cv2.dilate(rough, kernel)
    hint[..., 0] = cv2.GaussianBlur(rough, (0, 0), rng.uniform(0.5, 8))
    hint[..., 1] = rng.uniform(0.5, 1)
    return hint
