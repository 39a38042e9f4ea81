"""A shot with its truth, in memory, and its pictures as the pipeline takes them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from engine.pipeline.encode import encode
from engine.settings import Source
from engine.values import Alpha, Array, Frame, Image, Layers, Window


@dataclass(frozen=True)
class Shot:
    """A shot and what is true of it; all pictures have one size, and lists an entry a frame.

    Attributes:
        name: for reports.
        group: shots are averaged by it.
        space: OCIO name of the colours' scene-linear space.
        numbers: of the frames.
        frames: ``(H, W, 3)`` linear.
        plate: ``(H, W, 3)`` linear.
        alphas: the truth, ``(H, W)`` 0..1.
        foregrounds: the truth of P, ``(H, W, 3)`` linear.
        shadows: the truth of s, ``(H, W, 3)``, or None.
        clean: its plate is as good as plates get, so that faults can be added one at a time.
    """

    name: str
    group: str
    space: str
    numbers: tuple[int, ...]
    frames: list[Array]
    plate: Array
    alphas: list[Array]
    foregrounds: list[Array]
    shadows: list[Array] | None
    clean: bool = False


def exr(pixels: Array, half: bool = False) -> bytes:
    """``(H, W, 3)`` or ``(H, W, 4)`` as the bytes of an EXR, float unless ``half``."""
    channels = {name: pixels[..., index] for index, name in enumerate("RGBA"[: pixels.shape[2]])}
    return encode(Layers(channels, half), _frame(pixels), {})


def as_source(pixels: Array, name: str, space: str) -> Source:
    """A picture as a file of a request; not a bit is lost."""
    data = exr(pixels)
    return Source(name, sha256(data).hexdigest(), data, space)


def as_image(pixels: Array, name: str, space: str) -> Image:
    """A picture as the pipeline's stages pass it on."""
    return Image(np.ascontiguousarray(pixels, np.float32), space, None, Alpha.NONE, _frame(pixels), 0, name)


def _frame(pixels: Array) -> Frame:
    window = Window(0, 0, pixels.shape[1], pixels.shape[0])
    return Frame(window, window)
