"""A set that moves behind a camera that stands still: foliage in the wind over water, known at any time."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engine.synthesis.textures import Rng, noise
from engine.values import Array

_PERIODS = (17.0, 23.7, 31.3)
"""Frames of three swings that no shot hears the end of together."""


@dataclass(frozen=True)
class MovingSet:
    """Foliage above, water below.

    Attributes:
        far, leaves: ``(H, W, 3)`` linear: what is behind, and what sways before it.
        cover: ``(H, W)`` 0..1, where leaves are.
        swing: ``(3, 2, H, W)`` px by which things move at the height of each swing, x and y.
        phase: ``(3, H, W)`` radians.
    """

    far: Array
    leaves: Array
    cover: Array
    swing: Array
    phase: Array

    def at(self, time: float) -> Array:
        """``(H, W, 3)`` linear, at a time in frames."""
        waves = np.sin(2 * np.pi * time / np.array(_PERIODS)[:, None, None] + self.phase)
        x, y = (self.swing * waves[:, None]).sum(0).astype(np.float32)
        height, width = self.cover.shape
        rows, columns = np.mgrid[:height, :width].astype(np.float32)
        far = _moved(self.far, columns + x / 3, rows + y / 3)
        leaves, cover = (_moved(layer, columns + x, rows + y) for layer in (self.leaves, self.cover))
        return np.asarray(cover[..., None] * leaves + (1 - cover[..., None]) * far, np.float32)


def moving_set(size: tuple[int, int], seed: int, reach: float = 4.0) -> MovingSet:
    """Draw a set.

    Args:
        size: ``(height, width)`` px.
        seed: the same seed gives the same set.
        reach: px that leaves move each way, about.
    """
    rng = np.random.default_rng(seed)
    side = max(size)
    far = _tones(rng, side, (0.12, 0.2, 0.3), (side / 3, side / 12, 10))
    leaves = _tones(rng, side, (0.1, 0.22, 0.05), (side / 8, 12, 5))
    cover = np.clip(3 * noise(rng, side, 14) + 0.5 + 2 * noise(rng, side, side / 3), 0, 1)
    swing = np.stack([np.stack([noise(rng, side, side / 4) + 0.6 for _ in range(2)]) for _ in _PERIODS])
    swing[:, 1] *= 0.5
    swing = np.asarray(swing * reach / 2, np.float32)
    phase = np.stack([2 * np.pi * noise(rng, side, 24) for _ in _PERIODS]).astype(np.float32)
    rows, columns = slice(size[0]), slice(size[1])
    view = np.s_[rows, columns]
    return MovingSet(far[view], leaves[view], cover[view], swing[:, :, rows, columns], phase[:, rows, columns])


def _tones(rng: Rng, side: int, colour: tuple[float, float, float], cells: tuple[float, ...]) -> Array:
    stops = sum(noise(rng, side, cell, 3) + noise(rng, side, cell)[..., None] for cell in cells)
    return np.asarray(np.array(colour) * np.exp(0.5 * stops), np.float32)


def _moved(layer: Array, x: Array, y: Array) -> Array:
    return np.asarray(cv2.remap(layer, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101), np.float32)
