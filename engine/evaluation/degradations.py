"""Faults of a clean plate and of footage, one at a time: pure functions of a shot, a level and a seed, linear light.

Each returns a shot whose truth is exact; without a fault, the very shot. They ask for a clean one: its plate on the
frames' grid and at their exposure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from engine.evaluation.shot import Shot
from engine.synthesis.faults import coded
from engine.synthesis.grain import with_grain
from engine.values import Array

LARGEST_SHIFT = 8.0
"""px; farther off lie other takes, not shaky ones."""

_KERNEL = 4
"""px that Lanczos resampling of order 4 reaches."""

_WHITE = 99.5
"""Percentile of the plate's light that becomes the code's white: cameras are exposed so that highlights just hold."""


def shifted_plate(shot: Shot, pixels: float, seed: int) -> Shot:
    """Move the plate by a distance in px, in a direction of its own; to 1/32 px, the grid of OpenCV's resampling.

    Frames, plate and truth lose a margin of `LARGEST_SHIFT` and some, the same one for every distance, so that what
    moves into the picture is the real set.
    """
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi)
    move = np.array(((1, 0, pixels * np.cos(angle)), (0, 1, pixels * np.sin(angle))))
    size = shot.plate.shape[1::-1]
    moved = cv2.warpAffine(shot.plate, move, size, flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT_101)
    margin = int(np.ceil(LARGEST_SHIFT)) + _KERNEL
    return _cropped(replace(shot, plate=np.asarray(moved if pixels else shot.plate, np.float32)), margin)


def exposed_plate(shot: Shot, stops: float, seed: int) -> Shot:
    """Expose the plate by a number of stops more than the frames. Every seed gives the same."""
    del seed
    return replace(shot, plate=np.asarray(shot.plate * np.float32(2**stops), np.float32)) if stops else shot


def with_shadow(shot: Shot, percent: float, seed: int) -> Shot:
    """Let the subject cast a shadow that takes that much of the set's light: ``I + (1 - a) (s' - 1) s B``, B the plate.

    The shadow falls on the background only, and its ratio multiplies the one that is there.
    """
    if not percent:
        return shot
    clean = shot.shadows or [np.ones_like(frame) for frame in shot.frames]
    cast = [(1 - np.float32(percent / 100) * cast_shadow(alpha, seed))[..., None] for alpha in shot.alphas]
    parts = zip(shot.frames, shot.alphas, cast, clean, strict=True)
    frames = [frame + (1 - a[..., None]) * (s - 1) * s0 * shot.plate for frame, a, s, s0 in parts]
    return replace(shot, frames=frames, shadows=[s * s0 for s, s0 in zip(cast, clean, strict=True)])


def with_more_grain(shot: Shot, iso: float, seed: int) -> Shot:
    """Add the grain of a sensitivity to frames and plate, drawn for each apart; 0 adds none."""
    if not iso:
        return shot
    frames = [with_grain(frame, iso, np.random.default_rng((seed, 1 + i))) for i, frame in enumerate(shot.frames)]
    return replace(shot, frames=frames, plate=with_grain(shot.plate, iso, np.random.default_rng((seed, 0))))


def compressed(shot: Shot, quality: float, seed: int) -> Shot:
    """Code frames and plate as 8-bit sRGB JPEG with 4:2:0 chroma, at one exposure; quality 100 leaves them as they are.

    Light above the plate's 99.5th percentile clips. Every seed gives the same.
    """
    del seed
    if quality >= 100:
        return shot
    white = np.float32(max(float(np.percentile(shot.plate, _WHITE)), 1e-6))
    frames = [coded(frame / white, int(quality)) * white for frame in shot.frames]
    return replace(shot, frames=frames, plate=coded(shot.plate / white, int(quality)) * white)


def cast_shadow(alpha: Array, seed: int) -> Array:
    """Where a subject keeps the light from a set, ``(H, W)`` 0..1, at most 1: its shape, leant over and soft.

    Args:
        alpha: ``(H, W)`` of the subject.
        seed: of the light's direction, which is one for a whole shot.
    """
    rng = np.random.default_rng(seed)
    height, width = alpha.shape
    side = rng.choice((-1, 1)) * rng.uniform(0.08, 0.2) * width
    lean, flat = rng.uniform(0.1, 0.4) * np.sign(side), rng.uniform(0.6, 1.0)
    # About the frame's lower edge, so that a standing subject's shadow begins near its feet.
    tilt = np.array(((1, -lean, side + lean * height), (0, flat, (1 - flat) * height)))
    leant = cv2.warpAffine(alpha, tilt, (width, height), flags=cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(leant, (0, 0), rng.uniform(0.004, 0.015) * width)
    peak = float(soft.max(initial=0))
    return np.asarray(soft / peak if peak > 0 else soft, np.float32)


def _cropped(shot: Shot, margin: int) -> Shot:
    def crop(pictures: Sequence[Array]) -> list[Array]:
        return [np.ascontiguousarray(picture[margin:-margin, margin:-margin]) for picture in pictures]

    return replace(
        shot,
        frames=crop(shot.frames),
        plate=crop([shot.plate])[0],
        alphas=crop(shot.alphas),
        foregrounds=crop(shot.foregrounds),
        shadows=crop(shot.shadows) if shot.shadows is not None else None,
    )
