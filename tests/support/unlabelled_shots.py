"""Small shots on disk, as the adversarial stage finds them: a painted subject over a textured wall."""

import cv2
import numpy as np

from engine.evaluation.shot import exr
from engine.synthesis import foregrounds, textures

SIZE = 128


def wall(seed, size=SIZE):
    """A textured wall, ``(size, size, 3)`` linear."""
    rng = np.random.default_rng(seed)
    grain = sum(textures.noise(rng, size, cell, 3) / (index + 1) for index, cell in enumerate((40, 12, 4)))
    return (0.2 * np.exp(0.5 * grain)).astype(np.float32)


def subject(seed, size=SIZE):
    """A small painted subject, premultiplied ``(size, size, 4)``."""
    painted = foregrounds.foreground(seed, [wall(seed + 1, 300)])
    return cv2.resize(painted, (size // 2, size // 2), interpolation=cv2.INTER_AREA)


def write_unlabelled(folder, seed=0, frames=2, truth=False, size=SIZE):
    """Write a shot of a subject that walks; with ``gt.####.exr`` where its truth is wanted."""
    folder.mkdir(parents=True)
    plate, small = wall(seed, size), subject(seed, size)
    (folder / "plate.exr").write_bytes(exr(plate))
    for number in range(frames):
        rgba = np.zeros((size, size, 4), np.float32)
        left = size // 4 + 4 * number
        rgba[size // 2 :, left : left + size // 2] = small
        frame = rgba[..., :3] + (1 - rgba[..., 3:]) * plate
        (folder / f"frame.{1001 + number:04d}.exr").write_bytes(exr(frame))
        if truth:
            (folder / f"gt.{1001 + number:04d}.exr").write_bytes(exr(rgba))
    return folder
