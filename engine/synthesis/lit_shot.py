"""A subject that walks and casts a shadow, in light that can be changed: everything about every frame is known.

    frame = light * (P + (1 - a) * s * B) + grain

in linear light. The shadow takes 70 % of the light and a little more of the red, as the sun's does under a blue sky; it
lies on the ground, softer the further it falls, and closes up around the feet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from engine.synthesis.foregrounds import SIZE, Painting, blur, figure
from engine.synthesis.grain import with_grain
from engine.synthesis.held_camera import Pose, frame_photograph
from engine.synthesis.textures import Rng
from engine.synthesis.walk_through import drawn_set
from engine.values import Array

_ISO = 400
"""Sensitivity of an evening indoors: 2.1 % of mid grey is grain."""

_DEPTH = 0.7
"""Part of the light that the deepest shadow takes."""

_SKY = (1.03, 1.0, 0.93)
"""What shadow takes of R, G, B, relative: the light that is left in a shadow of 70 % is a quarter bluer than that which
falls beside it, as under a blue sky."""

_PACE = 0.011
"""Of the picture's width, a frame."""


@dataclass(frozen=True)
class LitShot:
    """A shot and what is true of it; linear, a list entry a frame.

    Attributes:
        clean: ``(H, W, 3)`` B, without grain.
        alphas: ``(H, W)``.
        foregrounds: ``(H, W, 3)`` P.
        shadows: ``(H, W, 3)`` s, 0..1.
        seed: of the grain.
    """

    clean: Array
    alphas: Sequence[Array]
    foregrounds: Sequence[Array]
    shadows: Sequence[Array]
    seed: int

    @property
    def plate(self) -> Array:
        """``(H, W, 3)``: the clean plate as recorded."""
        return with_grain(self.clean, _ISO, np.random.default_rng((self.seed, 1 << 20)))

    def exact(self, index: int, shadowed: bool = True) -> Array:
        """``(H, W, 3)``: a frame without grain, in the plate's light; with its shadow, or without."""
        ratio = self.shadows[index] if shadowed else np.float32(1)
        return np.asarray(
            self.foregrounds[index] + (1 - self.alphas[index][..., None]) * ratio * self.clean, np.float32
        )

    def frame(self, index: int, light: Array | float = 1.0, shadowed: bool = True) -> Array:
        """``(H, W, 3)`` as recorded in a light, which is a factor for all or ``(H, W, 3)``."""
        rng = np.random.default_rng((self.seed, index))
        return with_grain(np.asarray(self.exact(index, shadowed) * light, np.float32), _ISO, rng)


def lit_shot(size: tuple[int, int], count: int, seed: int) -> LitShot:
    """Draw a shot.

    Args:
        size: ``(height, width)`` px.
        count: frames.
        seed: the same seed gives the same shot. Those from 60,000,000 on belong to no training and no validation set.
    """
    rng = np.random.default_rng(seed)
    photo = drawn_set(rng, 2 * max(size))
    clean = frame_photograph(photo, size, rng).picture(Pose())
    painting = Painting(rng, [photo])
    figure(painting)
    rgba = _cropped(blur(rng, painting.rgba))
    gain = clean.mean() / max(float(rgba[..., :3].sum() / (3 * rgba[..., 3].sum() + 1e-3)), 1e-3)
    rgba[..., :3] *= np.float32(gain * np.exp(rng.normal(0, 0.4)))
    shade = _Shade(rng)
    places = [_place(rgba.shape[:2], size, 0.5 + _PACE * (index - (count - 1) / 2)) for index in range(count)]
    placed = [cv2.warpAffine(rgba, place, size[::-1], flags=cv2.INTER_LINEAR) for place in places]
    feet = places[0][1, 2] + places[0][1, 1] * rgba.shape[0]
    alphas = [np.ascontiguousarray(each[..., 3]) for each in placed]
    return LitShot(
        clean, alphas, [each[..., :3] for each in placed], [shade.ratio(alpha, feet) for alpha in alphas], seed
    )


def _cropped(rgba: Array) -> Array:
    """A figure with nothing beside it and its feet on the last row."""
    rows, columns = (np.flatnonzero(rgba[..., 3].max(axis) > 0.05) for axis in (1, 0))
    return np.ascontiguousarray(rgba[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _place(shape: tuple[int, int], size: tuple[int, int], middle: float) -> Array:
    """``(2, 3)``: a figure four fifths as tall as the picture, on the ground."""
    scale = 0.8 * size[0] / max(shape[0], SIZE // 4)
    left = middle * size[1] - scale * shape[1] / 2
    return np.array([[scale, 0, left], [0, scale, 0.92 * size[0] - scale * shape[0]]], np.float32)


class _Shade:
    """Light from one side: where a shadow falls, and how it softens."""

    def __init__(self, rng: Rng) -> None:
        self.lean = float(rng.choice((-1, 1)) * rng.uniform(0.5, 0.9))
        self.flat = float(rng.uniform(0.2, 0.5))
        self.penumbra = float(rng.uniform(0.004, 0.02))

    def ratio(self, alpha: Array, feet: float) -> Array:
        """``(H, W, 3)``: cast shadow and contact shadow of a subject that stands on a row."""
        depth = np.maximum(self._cast(alpha, feet), self._contact(alpha, feet))
        return np.asarray(1 - _DEPTH * depth[..., None] * np.array(_SKY, np.float32), np.float32)

    def _cast(self, alpha: Array, feet: float) -> Array:
        """The subject's shape laid on the ground behind it, 0..1, softer with the distance from the feet."""
        height, width = alpha.shape
        lay = np.array([[1, -self.lean, self.lean * feet], [0, self.flat, (1 - self.flat) * feet]])
        laid = cv2.warpAffine(alpha, lay, (width, height), flags=cv2.INTER_AREA)
        soft = [cv2.GaussianBlur(laid, (0, 0), self.penumbra * width * share + 0.5) for share in (0.2, 1.0)]
        rows = np.arange(height, dtype=np.float32)[:, None]
        far = np.clip((feet - rows) / (self.flat * feet), 0, 1)
        return np.asarray(soft[0] + (soft[1] - soft[0]) * far, np.float32)

    def _contact(self, alpha: Array, feet: float) -> Array:
        """Light kept out near the feet, 0..1."""
        height, width = alpha.shape
        low = alpha * (np.arange(height)[:, None] > feet - 0.06 * height)
        near = cv2.GaussianBlur(low.astype(np.float32), (0, 0), 0.02 * width, sigmaY=0.008 * width)
        return np.asarray(np.minimum(1.6 * near, 1), np.float32)


def ramp(index: int, count: int) -> float:
    """Gain of an automatic exposure that opens by two stops over a shot, from -1 to +1."""
    return float(2 ** (2 * index / max(count - 1, 1) - 1))


def flicker(index: int, share: float, seed: int) -> float:
    """Gain of a light that jumps by up to a share either way from frame to frame."""
    return float(1 + share * np.random.default_rng((seed, index)).uniform(-1, 1))


def bands(size: tuple[int, int], index: int, share: float, seed: int) -> Array:
    """``(H, 1, 3)``: gain of lamps on the mains that a rolling shutter reads, in waves of a share either way.

    Lamps of 100 Hz, a sensor that is read in 1/48 s and 24 frames a second: 2.1 waves a picture, which move by a sixth
    from frame to frame; the channels swing unequally, as phosphors glow on.
    """
    rng = np.random.default_rng(seed)
    phase, swing = rng.uniform(0, 2 * np.pi), share * np.array((0.8, 1.0, 1.0))
    rows = (np.arange(size[0]) + 0.5)[:, None] / size[0]
    wave = np.sin(2 * np.pi * (100 / 48 * rows + 100 / 24 * index) + phase - np.array((0.2, 0.0, 0.0)))
    return (1 + swing * wave)[:, None].astype(np.float32)


def falloff(size: tuple[int, int], index: int, count: int, share: float) -> Array:
    """``(H, W, 3)``: gain of a lens that darkens its corners by a share, and of a warm lamp that fades in."""
    y, x = ((np.arange(length) + 0.5) / length * 2 - 1 for length in size)
    radius = (x[None] ** 2 * size[1] ** 2 + y[:, None] ** 2 * size[0] ** 2) / (size[0] ** 2 + size[1] ** 2)
    lamp = share * index / max(count - 1, 1) * -x[None, :, None] * np.array((1.0, 0.7, 0.3))
    return np.asarray((1 - share * radius[..., None]) * (1 + lamp), np.float32)
