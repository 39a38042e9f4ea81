"""Reading back the layered EXR files that PlateKey delivers, as a compositor's reader would."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import OpenImageIO

from engine.evaluation.layer_errors import Stack
from engine.values import Array, Mask


@dataclass(frozen=True)
class Delivered:
    """One delivered frame.

    Attributes:
        stack: the equation's layers.
        valid: ``(H, W)`` where the clean plate saw the pixel.
        half: the file holds half-precision numbers.
    """

    stack: Stack
    valid: Mask
    half: bool


def read_delivered(path: Path) -> Delivered:
    """Read a frame that was delivered with the layers shadow_ratio, residual, validity and cleanplate."""
    channels, half = read_channels(path)
    rgb = _layer(channels, "")
    stack = Stack(
        premultiplied=rgb,
        alpha=channels["A"],
        shadow_ratio=_layer(channels, "shadow_ratio."),
        plate=_layer(channels, "cleanplate."),
        residual=_layer(channels, "residual."),
    )
    return Delivered(stack, channels["validity.Y"] > 0.5, half)


def read_channels(path: Path) -> tuple[dict[str, Array], bool]:
    """All channels of an EXR, ``(H, W)`` float32 by name, and whether they are stored as half.

    Raises:
        OSError: the file cannot be read.
    """
    image = OpenImageIO.ImageBuf(str(path))
    if image.has_error:
        raise OSError(f"{path.name} cannot be read: {image.geterror()}")
    pixels = np.asarray(image.get_pixels(OpenImageIO.FLOAT), np.float32)
    names = image.spec().channelnames
    planes = {name: np.ascontiguousarray(pixels[..., i]) for i, name in enumerate(names)}
    return planes, image.spec().format == OpenImageIO.HALF


def read_rgb(path: Path) -> Array:
    """The main colour of an EXR, ``(H, W, 3)`` float32 as stored."""
    return _layer(read_channels(path)[0], "")


def _layer(channels: dict[str, Array], prefix: str) -> Array:
    return np.stack([channels[prefix + name] for name in "RGB"], axis=2)
