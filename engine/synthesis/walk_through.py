"""A subject that walks through a shot: set, subject and grain are known of every frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from engine.synthesis.demo.camera import opencv
from engine.synthesis.foregrounds import foreground
from engine.synthesis.grain import with_grain
from engine.synthesis.held_camera import HeldCamera, Pose, frame_photograph, hold
from engine.synthesis.textures import Rng, collage, noise
from engine.values import Array

_ISO = 400
"""Sensitivity of an evening indoors: 2.1 % of mid grey is grain."""

_FLICKER = 0.02
"""Of the light, from frame to frame."""


@dataclass(frozen=True)
class WalkThrough:
    """A shot.

    Attributes:
        camera: the set as it is seen.
        poses: of the camera, frame by frame.
        subject: ``(S, S, 4)`` premultiplied linear.
        light: gain of every frame.
        seed: of the grain.
    """

    camera: HeldCamera
    poses: Sequence[Pose]
    subject: Array
    light: Sequence[float]
    seed: int

    def clean(self, index: int) -> Array:
        """``(H, W, 3)``: the set from a frame's pose, without subject, grain and flicker."""
        return self.camera.picture(self.poses[index])

    def alpha(self, index: int, seen_from: int | None = None) -> Array:
        """``(H, W)``: the subject's coverage of a frame; on the grid of the frame ``seen_from``."""
        return self._placed(index, index if seen_from is None else seen_from)[..., 3]

    def frame(self, index: int) -> Array:
        """``(H, W, 3)`` as recorded."""
        rgba = self._placed(index, index)
        picture = (rgba[..., :3] + (1 - rgba[..., 3:]) * self.clean(index)) * np.float32(self.light[index])
        return with_grain(picture, _ISO, np.random.default_rng((self.seed, index)))

    def _placed(self, index: int, seen_from: int) -> Array:
        """The subject a step further in every frame: in from the left, out to the right."""
        height, width = self.camera.size
        side = self.subject.shape[0]
        scale = 0.9 * height / side
        share = index / max(len(self.poses) - 1, 1)
        place = np.array([[scale, 0, -scale * side + share * (width + scale * side)], [0, scale, 0.1 * height]])
        moved = self.poses[seen_from].matrix(self.camera.size) @ np.vstack((place, (0, 0, 1)))
        flags, target = cv2.INTER_LINEAR, (width, height)
        return np.asarray(cv2.warpPerspective(self.subject, opencv(moved), target, flags=flags), np.float32)


def walk_through(size: tuple[int, int], count: int, seed: int, held: bool = False) -> WalkThrough:
    """Draw a shot.

    Args:
        size: ``(height, width)`` px.
        count: frames.
        seed: the same seed gives the same shot.
        held: the camera is held by hand.
    """
    rng = np.random.default_rng(seed)
    photo = drawn_set(rng, 2 * max(size))
    camera = frame_photograph(photo, size, rng)
    poses = hold(rng, count) if held else [Pose()] * count
    light = np.exp(rng.normal(0, _FLICKER, count))
    light[count // 2] = 1
    return WalkThrough(camera, poses, foreground(seed, [photo]), [float(gain) for gain in light], seed)


def drawn_set(rng: Rng, side: int) -> Array:
    """``(side, side, 3)`` linear, 0..1: walls, boxes and marks of every size, in place of a photograph."""
    cells = (side / 4, side / 16, side / 64, 6)
    tones = [np.exp(sum(noise(rng, side, cell, 3) * 0.5 for cell in cells) - 1.7) for _ in range(2)]
    return np.minimum(collage(rng, [np.asarray(tone, np.float32) for tone in tones], side), 1)
