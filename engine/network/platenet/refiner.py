"""The refiner: full resolution, spent on the tiles where the base is in doubt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.network.blocks import silent
from engine.network.platenet.base import HIDDEN
from engine.network.platenet.light import BRIGHTEST, decode, encode, unmixing

TILE = 32
"""px, height and width of a tile."""

HALO = 8
"""px that a tile sees beyond its edge: exactly what its convolutions eat."""

_CUES = 3 + 3 + 3 + 1

# Channels at half and at full resolution: a vector register of a CPU holds 16 at once, so that 10 would cost as much.
_HALF, _FULL = 32, 16


class Tiles(NamedTuple):
    """What the refiner sees: ``K`` squares of tiles and their halos, ``S`` px a side.

    The four pixels of each 2 x 2 lie apart, so that half of the resolution needs no rearranging: ``s = S / 2``.

    Attributes:
        frame: ``(4, 3, K, s, s)`` linear, anchored.
        plate: the same.
        valid: ``(4, 1, K, s, s)``.
        shadow: ``(4, 3, K, s, s)`` ratio.
        foreground: ``(4, 3, K, s, s)`` log-encoded.
        logit: ``(4, 1, K, s, s)`` of the base's alpha.
        hidden: ``(HIDDEN, K, s, s)``.
        departure: ``(3, K, s, s)``, of `light.departure`.
    """

    frame: Tensor
    plate: Tensor
    valid: Tensor
    shadow: Tensor
    foreground: Tensor
    logit: Tensor
    hidden: Tensor
    departure: Tensor


class ValidUnit(nn.Sequential):
    """3x3 convolution without padding, batch normalisation, ReLU: two pixels smaller each way."""

    def __init__(self, cin: int, cout: int) -> None:
        super().__init__(nn.Conv2d(cin, cout, 3, bias=False), nn.BatchNorm2d(cout), nn.ReLU(inplace=True))


class Reflection(nn.Module):
    """Residual pointwise perceptron: more thought, no further sight. Begins as nothing."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, 2 * channels, 1, bias=False),
            nn.BatchNorm2d(2 * channels),
            nn.ReLU(inplace=True),
            silent(nn.Conv2d(2 * channels, channels, 1)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(K, C, S, S)`` to the same shape."""
        return x + self.body(x)


class Refiner(nn.Module):
    """Corrects alpha's logit within tiles: three layers at half resolution, two at full."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Conv2d(_CUES, _HALF, 2, stride=2, bias=False)
        self.recall = nn.Conv2d(HIDDEN + 3, _HALF, 1, bias=False)
        self.meet = nn.Sequential(nn.BatchNorm2d(_HALF), nn.ReLU(inplace=True))
        self.deep = nn.Sequential(*(ValidUnit(_HALF, _HALF) for _ in range(3)), Reflection(_HALF))
        self.spread = nn.Conv2d(_HALF, 4 * (_FULL - _CUES), 1)
        self.full = nn.Sequential(ValidUnit(_FULL, _FULL), silent(nn.Conv2d(_FULL, 2, 3)))

    def forward(self, tiles: Tiles) -> Tensor:
        """``(K, 2, S - 2 HALO, S - 2 HALO)``: what to add to the logit, and the logit of the error that is expected."""
        code, plate_code = encode(tiles.frame), encode(tiles.plate)
        colour = decode(tiles.foreground.clamp(max=BRIGHTEST))
        physics = unmixing(tiles.frame, tiles.shadow * tiles.plate, colour) * tiles.valid
        cues = torch.cat((code, (code - plate_code) * tiles.valid, physics, tiles.logit.clamp(-8, 8) / 8), 1)
        half = self.deep(self.meet(self._seen(cues, torch.cat((tiles.hidden, tiles.departure)))))
        return self._corrected(self.full[0](self._rejoined(half, cues[..., 3:-3, 3:-3])))

    def _seen(self, cues: Tensor, recalled: Tensor) -> Tensor:
        """`look` and `recall` as one product, of ``(4, C, K, s, s)`` and ``(C, K, s, s)``: ``(K, C, s, s)``."""
        looking = self.look.weight.permute(0, 2, 3, 1).flatten(1)
        weight = torch.cat((looking, self.recall.weight.flatten(1)), 1)
        planes = torch.cat((cues.flatten(0, 1), recalled))
        pixels = functional.linear(planes.flatten(1).t(), weight)
        return pixels.view(*planes.shape[1:], -1).permute(0, 3, 1, 2)

    def _rejoined(self, half: Tensor, cues: Tensor) -> Tensor:
        """`spread` of ``(K, C, s, s)`` beside cues ``(4, C, K, s, s)``, side by side again: ``(K, C, 2 s, 2 s)``."""
        count, channels, height, width = half.shape
        # Pixel before channel, as the cues lie.
        weight, bias = (part.unflatten(0, (-1, 4)).transpose(0, 1).flatten(0, 1) for part in self.spread.parameters())
        features = functional.linear(half.permute(0, 2, 3, 1).reshape(-1, channels), weight.flatten(1), bias)
        pixels = torch.cat((features.unflatten(1, (4, -1)), cues.flatten(2).permute(2, 0, 1)), 2)
        rows = pixels.view(count, height, width, 2, 2, -1).transpose(2, 3)
        return rows.reshape(count, 2 * height, 2 * width, -1).permute(0, 3, 1, 2)

    def _corrected(self, x: Tensor) -> Tensor:
        """The last layer ``(K, C, S, S)`` to ``(K, 2, S - 2, S - 2)``: nine products at once, moved and added.

        A convolution to two channels would leave most of a vector register empty.
        """
        count, channels, height, width = x.shape
        weight, bias = self.full[1].parameters()
        pixels = x.permute(0, 2, 3, 1).reshape(-1, channels)
        products = functional.linear(weight.permute(2, 3, 0, 1).reshape(-1, channels), pixels)
        total = bias[:, None, None, None]
        for nine, product in enumerate(products.view(9, -1, count, height, width)):
            top, left = divmod(nine, 3)
            total = total + product[..., top : top + height - 2, left : left + width - 2]
        return total.transpose(0, 1)


def doubtful_tiles(doubt: Tensor, cells: int, threshold: float) -> Tensor:
    """Tiles in which the base expects an error.

    Args:
        doubt: ``(N, 1, H, W)`` expected errors 0..1, a cell each.
        cells: cells along the side of a tile.
        threshold: errors below need no refinement.

    Returns:
        ``(K, 3)`` integers: batch item, row and column of each tile, sorted.
    """
    return torch.nonzero(functional.max_pool2d(doubt, cells)[:, 0] > threshold)


def squares(tiles: Tensor, side: int, batch: int) -> tuple[Tensor, Tensor]:
    """Tiles that are neighbours, taken together: their halos then overlap less, and each comes out the same.

    Args:
        tiles: ``(K, 3)``, sorted.
        side: tiles along the side of a square.
        batch: squares come by so many. A CPU's convolutions are made anew for every other number.

    Returns:
        The first tiles ``(K', 3)`` of squares, and the tiles in none of them; both sorted.
    """
    order = [tuple(tile) for tile in tiles.tolist()]
    left, found = set(order), []
    for item, row, column in order:
        square = [(item, row + down, column + right) for down in range(side) for right in range(side)]
        if left.issuperset(square):
            found.append(square)
            left.difference_update(square)
    whole = len(found) // batch * batch
    left.update(*found[whole:])
    return _as_tiles([square[0] for square in found[:whole]], tiles), _as_tiles(sorted(left), tiles)


def _as_tiles(places: Sequence[tuple[int, ...]], like: Tensor) -> Tensor:
    return like.new_tensor(places).view(-1, 3)


def tile_pixels(tiles: Tensor, planes: Tensor, halo: int = HALO, side: int = 1) -> Tensor:
    """Flat indices of pixels in ``(N, C, H, W)``, ``(K, S, S)``, ``S = side TILE + 2 halo``; edges are repeated.

    Args:
        tiles: ``(K, 3)``, the first of squares of ``side`` x ``side`` tiles.
        planes: what to index.
        halo: px around each square.
        side: tiles along it.
    """
    return _lattice(tiles, planes, TILE, torch.arange(-halo, side * TILE + halo, device=tiles.device))


def _lattice(tiles: Tensor, planes: Tensor, pitch: int, reach: Tensor) -> Tensor:
    """Flat indices ``(K, R, R)`` of what lies ``reach (R)`` from tiles ``pitch`` apart."""
    height, width = planes.shape[-2:]
    rows = (tiles[:, 1, None] * pitch + reach).clamp(0, height - 1)
    columns = (tiles[:, 2, None] * pitch + reach).clamp(0, width - 1)
    return (tiles[:, 0, None, None] * height + rows[:, :, None]) * width + columns[:, None, :]


def apart(index: Tensor) -> Tensor:
    """Indices ``(K, S, S)`` as `Tiles` wants its pixels, ``(4, K, S / 2, S / 2)``."""
    count, height, width = index.shape
    return index.view(count, height // 2, 2, width // 2, 2).permute(2, 4, 0, 1, 3).flatten(0, 1)


def cut(planes: Tensor, index: Tensor) -> Tensor:
    """Pixels ``(K, C, ...)`` of ``(N, C, H, W)`` at flat indices ``(K, ...)``, plane by plane in memory."""
    found = [planes[:, channel].flatten().index_select(0, index.flatten()) for channel in range(planes.shape[1])]
    return torch.stack(found).view(-1, *index.shape).transpose(0, 1)


def cut_enlarged(planes: Tensor, tiles: Tensor, cell: int, step: int = 1, side: int = 1) -> Tensor:
    """What tiles and their halos see of a coarse plane, bilinear between its cells, repeated beyond its edge.

    Args:
        planes: ``(N, C, h, w)``.
        tiles: ``(K, 3)``, the first of squares of ``side`` x ``side`` tiles.
        cell: full-resolution px along the side of a coarse cell, a divisor of `TILE`.
        step: full-resolution px from sample to sample.
        side: tiles along a square.

    Returns:
        ``(C, K, S, S)``, ``S = (side TILE + 2 HALO) / step``.
    """
    ends = (step / 2 - HALO, side * TILE + HALO - step / 2)
    first, last = (math.floor(end / cell - 0.5) for end in ends)
    cells = torch.arange(first, last + 2, device=planes.device)
    samples = torch.arange(-HALO, side * TILE + HALO, step, device=planes.device) + step / 2
    place = (samples / cell - 0.5).to(planes.dtype)
    near = (1 - (place[:, None] - cells).abs()).clamp(min=0)
    return near @ cut(planes, _lattice(tiles, planes, TILE // cell, cells)).transpose(0, 1) @ near.t()
