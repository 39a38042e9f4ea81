"""A small folder of cut-out subjects in the layout ``fg/ alpha/ bg/``, painted."""

import cv2
import numpy as np
from unlabelled_shots import subject, wall

from engine.synthesis.faults import srgb


def write_cutouts(folder, subjects=3, size=96):
    """Write subjects ``s0`` and up, of other sizes than the two backgrounds."""
    for name in ("fg", "alpha", "bg"):
        (folder / name).mkdir(parents=True)
    for number in range(subjects):
        rgba = subject(number, 2 * size)
        straight = rgba[..., :3] / np.maximum(rgba[..., 3:], 1e-4)
        _write(folder / "fg" / f"s{number}.png", srgb(straight)[..., ::-1])
        _write(folder / "alpha" / f"s{number}.png", rgba[..., 3])
    for number in range(2):
        _write(folder / "bg" / f"b{number}.jpg", srgb(wall(number, size + 16))[..., ::-1])
    return folder


def _write(path, values):
    cv2.imwrite(str(path), np.round(np.clip(values, 0, 1) * 255).astype(np.uint8))
