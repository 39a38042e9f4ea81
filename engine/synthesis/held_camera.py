"""A photograph seen by a camera that stands still or is held by hand: the sets of synthetic shots."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from engine.synthesis.demo.camera import opencv
from engine.synthesis.textures import Rng
from engine.values import Array

MARGIN = 16
"""px of the photograph around the view, for the hand's movements."""

_SCALE = 2
"""Samples a pixel and direction; more makes no visible difference to a photograph."""

_SOFTEST = 0.8
"""Photograph px a frame px: below it a set would be softer than any lens in focus."""


@dataclass(frozen=True)
class Pose:
    """Where the camera looks, from its resting view: shift in px, roll in radians, zoom as a factor."""

    x: float = 0.0
    y: float = 0.0
    roll: float = 0.0
    zoom: float = 1.0

    def matrix(self, size: tuple[int, int]) -> npt.NDArray[np.float64]:
        """``(3, 3)``: pixel of the resting view -> pixel of this one, for pictures of ``(height, width)``."""
        centre = np.array([[1, 0, size[1] / 2], [0, 1, size[0] / 2], [0, 0, 1.0]])
        cosine, sine = self.zoom * np.cos(self.roll), self.zoom * np.sin(self.roll)
        move = np.array([[cosine, -sine, self.x], [sine, cosine, self.y], [0, 0, 1.0]])
        return centre @ move @ np.linalg.inv(centre)


@dataclass(frozen=True)
class HeldCamera:
    """A view of a photograph.

    Attributes:
        view: ``(H + 2 m, W + 2 m, 3) * _SCALE`` linear, the resting view with its margin.
        size: ``(height, width)`` px of its pictures.
    """

    view: Array
    size: tuple[int, int]

    def picture(self, pose: Pose) -> Array:
        """``(H, W, 3)`` linear: what it sees from a pose. Each pixel averages `_SCALE` squared samples."""
        height, width = self.size
        fine = np.diag([_SCALE, _SCALE, 1.0])
        rest = np.array([[1, 0, -MARGIN], [0, 1, -MARGIN], [0, 0, 1.0]])
        mapping = fine @ pose.matrix(self.size) @ rest @ np.linalg.inv(fine)
        target = (width * _SCALE, height * _SCALE)
        border = cv2.BORDER_REFLECT_101
        samples = cv2.warpPerspective(self.view, opencv(mapping), target, flags=cv2.INTER_LINEAR, borderMode=border)
        return np.asarray(cv2.resize(samples, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def frame_photograph(photo: Array, size: tuple[int, int], rng: Rng) -> HeldCamera:
    """Choose a piece of a photograph, and light it.

    The piece is of any scale that keeps it sharp. Its log-average lies within a stop of mid grey; three in ten get
    highlights far above 1.

    Args:
        photo: ``(H, W, 3)`` linear, 0..1.
        size: ``(height, width)`` px of the camera's pictures.
        rng: source of randomness.
    """
    height, width = (length + 2 * MARGIN for length in size)
    widest = min(photo.shape[0] / height, photo.shape[1] / width)
    scale = float(rng.uniform(min(_SOFTEST, widest), min(widest, 3 * _SOFTEST)))
    rows, columns = int(height * scale), int(width * scale)
    top, left = (int(rng.integers(room + 1)) for room in (photo.shape[0] - rows, photo.shape[1] - columns))
    piece = np.ascontiguousarray(photo[top : top + rows, left : left + columns][:, :: rng.choice((-1, 1))])
    shrinks = scale > _SCALE
    view = cv2.resize(
        piece, (width * _SCALE, height * _SCALE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    )
    view = np.maximum(view, 0)
    if rng.random() < 0.3:
        view = view / (1.03 - np.minimum(view, 1))
    average = np.exp(np.log(view.mean(2) + 1e-3).mean())
    return HeldCamera((view * np.float32(0.18 / average * 2 ** rng.uniform(-1, 1))).astype(np.float32), size)


def hold(rng: Rng, count: int) -> list[Pose]:
    """Poses of a camera held by hand, frame by frame: within 2 px and 0.1 degrees, never quite repeating."""
    speeds, phases = rng.uniform(0.5, 1.3, 3), rng.uniform(0, 2 * np.pi, 3)
    waves = np.sin(np.arange(count)[:, None] * speeds + phases)
    return [Pose(2 * x, 2 * y, np.radians(0.1) * roll) for x, y, roll in waves]


def second_take(rng: Rng, pose: Pose) -> Pose:
    """The pose of the clean plate: up to 8 px off, rolled by up to 0.3 degrees, zoomed by up to 0.4 %."""
    x, y = rng.uniform(-8, 8, 2) / np.sqrt(2)
    turn, zoom = rng.uniform(-0.3, 0.3), rng.uniform(-0.004, 0.004)
    return replace(pose, x=pose.x + x, y=pose.y + y, roll=pose.roll + np.radians(turn), zoom=1 + zoom)
