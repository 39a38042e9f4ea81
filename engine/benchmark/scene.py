"""A picture to measure with: the painted demo.

On noise a network that refines where it doubts would have no honest cost.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engine.synthesis.demo.shot import FIRST_FRAME, GRAIN, DemoShot
from engine.synthesis.textures import Rng
from engine.values import Array

# px: painted no wider than this. Larger pictures are enlarged and given their own grain: soft from pixel to pixel, as
# lenses leave real ones.
_WIDEST = 1920

# The woman is in mid stride and in the middle.
_FRAME = FIRST_FRAME + 6


@dataclass(frozen=True)
class Scene:
    """A locked-off pair, each ``(H, W, 3)`` scene-linear ACEScg.

    Attributes:
        frame: with subject, hair, motion blur and a cast shadow.
        plate: the same without the subject, with grain of its own.
    """

    frame: Array
    plate: Array


def scene(size: tuple[int, int]) -> Scene:
    """The demo's woman in her room at any size ``(height, width)``; takes seconds."""
    height, width = size
    covering = max(width, -(-height * 16 // 9))
    painted = min(covering, _WIDEST)
    truth = DemoShot((-(-painted * 9 // 16), painted)).frame(_FRAME)
    clean = truth.premultiplied + (1 - truth.alpha[..., None]) * truth.shadow_ratio * truth.background
    rng = np.random.default_rng(0)
    return Scene(*(_recorded(_cut(picture, size), rng) for picture in (clean, truth.background)))


def _cut(picture: Array, size: tuple[int, int]) -> Array:
    """The middle of a picture, enlarged to cover ``size``."""
    height, width = size
    scale = max(height / picture.shape[0], width / picture.shape[1], 1.0)
    whole = (max(round(picture.shape[1] * scale), width), max(round(picture.shape[0] * scale), height))
    large = cv2.resize(picture, whole, interpolation=cv2.INTER_LINEAR) if scale > 1 else picture
    top, left = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
    return np.asarray(large[top : top + height, left : left + width], np.float32)


def _recorded(light: Array, rng: Rng) -> Array:
    deviation = np.sqrt(GRAIN[0] + GRAIN[1] * np.maximum(light, 0))
    return np.asarray(light + deviation * rng.standard_normal(light.shape, np.float32), np.float32)
