"""The network on a frame: pad, tile where it is large, run, and return numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import torch
from torch.nn import functional

from engine.errors import EngineError
from engine.network import device as devices
from engine.network.keyer import Keyer
from engine.network.platenet import decode, squash
from engine.network.platenet.light import Noise
from engine.settings import Knobs
from engine.values import Array, Matte, Plate

# Anchored values that the network gets to see. Its curve is linear below the toe, where a deep negative would drown its
# surroundings: -0.2 is as far below black as mid grey is above. Delivered pixels are not clipped.
_SEEN = (-0.2, 65504.0)

# Smallest tile that is tried before memory is declared short, px a side, margins not counted.
_SMALLEST_TILE = 256

# The sensitivity knob's ends, in units of the network's logit: an alpha of 0.5 becomes 0.05 or 0.95.
_SENSITIVITY_LOGIT = 3.0


@dataclass(frozen=True)
class Tile:
    """A piece of the picture: what is kept, and the larger part that is computed. Rows and columns as slices."""

    keep: tuple[slice, slice]
    see: tuple[slice, slice]


def matte(
    frame: Array,
    plate: Plate,
    hint: Array | None,
    anchor: float,
    network: Keyer,
    knobs: Knobs,
    device: str,
    check: Callable[[], None],
    noise: Noise | None = None,
) -> Matte:
    """Run the network.

    Args:
        frame: ``(H, W, 3)`` linear ACEScg.
        plate: registered and fitted, linear ACEScg.
        hint: ``(H, W)`` 0..1 or None.
        anchor: exposure factor that brings the plate's average to mid grey.
        network: on ``device``.
        knobs: quality, sensitivity, hint strength, precision.
        device: torch device.
        check: called before every tile; raises to cancel.
        noise: variance of ``frame - plate`` a channel, `Photometric.noise`; None where it was not measured.

    Returns:
        The matte; its foreground is linear ACEScg at the frame's exposure.

    Raises:
        EngineError: OUT_OF_MEMORY where even the smallest tiles do not fit.
    """
    height, width = frame.shape[:2]
    inputs = _inputs(frame, plate, hint, anchor, knobs)
    if knobs.quality == "draft":
        inputs = _resized(inputs, (max(height // 2, 1), max(width // 2, 1)), "area")
    # A draft's pixels are means of four.
    seen = noise and _anchored(noise, anchor, 0.25 if knobs.quality == "draft" else 1.0)
    outputs, tiles = _tiled(inputs, network.at(inputs.shape[1], inputs.shape[2], seen), knobs, device, check)
    if knobs.quality == "draft":
        outputs = _resized(outputs, (height, width), "bilinear")
    return Matte(
        alpha=outputs[0],
        shadow=outputs[1:4].transpose(1, 2, 0),
        uncertainty=outputs[4],
        foreground=cv2.merge(tuple(outputs[5:])) / np.float32(anchor),
        tiles=tiles,
    )


def _anchored(noise: Noise, anchor: float, share: float) -> Noise:
    """A variance model in anchored light. That of a space other than ACEScg is taken for ACEScg's."""
    return tuple((a * share * anchor**2, b * share * anchor) for a, b in noise)


def _inputs(frame: Array, plate: Plate, hint: Array | None, anchor: float, knobs: Knobs) -> Array:
    """``(9, H, W)``: frame, plate, valid, hint, trust in the hint. Plane by plane, as the network reads them."""
    planes = np.zeros((9, *frame.shape[:2]), np.float32)
    for first, pixels in ((0, frame), (3, plate.rgb)):
        seen = planes[first : first + 3]
        np.multiply(pixels.transpose(2, 0, 1), np.float32(anchor), out=seen)
        np.clip(seen, *_SEEN, out=seen)
    planes[6] = plate.valid
    if hint is not None and knobs.hint_strength > 0:
        planes[7], planes[8] = hint, knobs.hint_strength
    return planes


def _resized(planes: Array, size: tuple[int, int], mode: Literal["area", "bilinear"]) -> Array:
    """``(C, H, W)`` to ``(C, *size)``."""
    return np.asarray(functional.interpolate(torch.from_numpy(planes)[None], size=size, mode=mode)[0].numpy())


def _tiled(inputs: Array, network: Keyer, knobs: Knobs, device: str, check: Callable[[], None]) -> tuple[Array, int]:
    """Run in as few tiles as memory allows; ``(8, H, W)`` and the number of tiles."""
    for tiles in _layouts(inputs.shape[1], inputs.shape[2], network, device):
        try:
            return _run_tiles(inputs, tiles, network, knobs, device, check), len(tiles)
        except RuntimeError as error:
            if not devices.is_out_of_memory(error):
                raise
        devices.release(device)
    step = "Close other programs that use the device, or set Quality to Draft, or use the CPU."
    least = (
        f"a tile of {_SMALLEST_TILE} px" if network.margin is not None else "the whole frame, which this model needs"
    )
    raise EngineError("OUT_OF_MEMORY", f"{device} has too little memory for {least}.", step, device=device)


def _layouts(height: int, width: int, network: Keyer, device: str) -> Iterator[list[Tile]]:
    """The tilings to try, each of smaller tiles than the one before; a network that must see everything has but one."""
    if network.margin is None:
        everything = slice(0, height), slice(0, width)
        yield [Tile(everything, everything)]
        return
    side = int(devices.tile_pixels(device, network.bytes_per_pixel) ** 0.5)
    side = max(height, width) if height * width <= side * side else max(side - 2 * network.margin, _SMALLEST_TILE)
    while side >= min(_SMALLEST_TILE, height, width):
        yield list(layout(height, width, side, network.margin, network.stride))
        side //= 2


def layout(height: int, width: int, side: int, margin: int, stride: int) -> Iterator[Tile]:
    """Tiles of about ``side`` px that cover the picture, each seeing ``margin`` px more, on a grid of ``stride``."""
    side = -(-side // stride) * stride
    for top in range(0, height, side):
        for left in range(0, width, side):
            bottom, right = min(top + side, height), min(left + side, width)
            rows = slice(max(top - margin, 0), min(bottom + margin, height))
            columns = slice(max(left - margin, 0), min(right + margin, width))
            yield Tile((slice(top, bottom), slice(left, right)), (rows, columns))


def _run_tiles(
    inputs: Array, tiles: list[Tile], network: Keyer, knobs: Knobs, device: str, check: Callable[[], None]
) -> Array:
    outputs = np.empty((8, *inputs.shape[1:]), np.float32)
    for tile in tiles:
        check()
        seen = _run(inputs[(slice(None), *tile.see)], network, knobs, device)
        top, left = (kept.start - saw.start for kept, saw in zip(tile.keep, tile.see, strict=True))
        height, width = (kept.stop - kept.start for kept in tile.keep)
        outputs[(slice(None), *tile.keep)] = seen[:, top : top + height, left : left + width]
    return outputs


@torch.inference_mode()
def _run(inputs: Array, network: Keyer, knobs: Knobs, device: str) -> Array:
    """One tile: ``(9, H, W)`` to ``(8, H, W)``: alpha, shadow, uncertainty, foreground."""
    height, width = inputs.shape[1:]
    below, right = -height % network.stride, -width % network.stride
    padded = np.pad(inputs, ((0, 0), (0, below), (0, right)), mode="edge")
    batch = torch.from_numpy(padded).to(device)[None]
    with torch.autocast(torch.device(device).type, torch.float16, enabled=knobs.precision == "half"):
        predicted = network(*batch.split((3, 3, 1, 2), 1))
    alpha = squash(predicted.logit.float() + _SENSITIVITY_LOGIT * knobs.sensitivity)
    colour = decode(predicted.foreground.float())
    joined = torch.cat((alpha, predicted.shadow.float(), predicted.uncertainty.float(), colour), 1)
    return np.asarray(joined[0, :, :height, :width].cpu().numpy())
