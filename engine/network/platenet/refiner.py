"""The refiner: full resolution, spent on the tiles where the base is in doubt."""

from __future__ import annotations

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
    """What the refiner sees: ``K`` tiles and their halos, ``S = TILE + 2 HALO`` px a side.

    Attributes:
        frame: ``(K, 3, S, S)`` linear, anchored.
        plate: the same.
        valid: ``(K, 1, S, S)``.
        shadow: ``(K, 3, S, S)`` ratio.
        foreground: ``(K, 3, S, S)`` log-encoded.
        logit: ``(K, 1, S, S)`` of the base's alpha.
        hidden: ``(K, HIDDEN, S / 2, S / 2)``.
        departure: ``(K, 3, S / 2, S / 2)``, of `light.departure`.
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
        """``(K, 2, TILE, TILE)``: what to add to the logit, and the logit of the error that is expected."""
        code, plate_code = encode(tiles.frame), encode(tiles.plate)
        colour = decode(tiles.foreground.clamp(max=BRIGHTEST))
        physics = unmixing(tiles.frame, tiles.shadow * tiles.plate, colour) * tiles.valid
        cues = torch.cat((code, (code - plate_code) * tiles.valid, physics, tiles.logit.clamp(-8, 8) / 8), 1)
        half = self.deep(self.meet(self.look(cues) + self.recall(torch.cat((tiles.hidden, tiles.departure), 1))))
        inner = cues[..., 6:-6, 6:-6]
        return self.full(torch.cat((functional.pixel_shuffle(self.spread(half), 2), inner), 1))


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


def tile_pixels(tiles: Tensor, planes: Tensor, halo: int = HALO) -> Tensor:
    """Flat indices ``(K, S, S)``, ``S = TILE + 2 halo``, of tiles' pixels in ``(N, C, H, W)``; edges are repeated."""
    height, width = planes.shape[-2:]
    reach = torch.arange(-halo, TILE + halo, device=tiles.device)
    rows = (tiles[:, 1, None] * TILE + reach).clamp(0, height - 1)
    columns = (tiles[:, 2, None] * TILE + reach).clamp(0, width - 1)
    return (tiles[:, 0, None, None] * height + rows[:, :, None]) * width + columns[:, None, :]


def cut(planes: Tensor, index: Tensor) -> Tensor:
    """Pixels ``(K, C, S, S)`` of ``(N, C, H, W)`` at flat indices ``(K, S, S)``, plane by plane in memory."""
    found = [planes[:, channel].flatten().index_select(0, index.flatten()) for channel in range(planes.shape[1])]
    return torch.stack(found).view(-1, *index.shape).transpose(0, 1)


def cut_enlarged(planes: Tensor, tiles: Tensor, cell: float, step: int = 1) -> Tensor:
    """What tiles and their halos see of a coarse plane, bilinear between its cells, repeated beyond its edge.

    Args:
        planes: ``(N, C, h, w)``.
        tiles: ``(K, 3)``, sorted by batch item.
        cell: full-resolution px along the side of a coarse cell.
        step: full-resolution px from sample to sample.

    Returns:
        ``(K, C, S, S)``, ``S = (TILE + 2 HALO) / step``.
    """
    height, width = planes.shape[-2:]
    centres = torch.arange(-HALO, TILE + HALO, step, device=planes.device) + step / 2
    rows = (tiles[:, 1, None] * TILE + centres) * (2 / (cell * height)) - 1
    columns = (tiles[:, 2, None] * TILE + centres) * (2 / (cell * width)) - 1
    side = len(centres)
    lattice = (columns[:, None, :].expand(-1, side, -1), rows[:, :, None].expand(-1, -1, side))
    grid = torch.stack(lattice, -1).to(planes.dtype)
    parts = []
    for item in range(planes.shape[0]):
        own = grid[tiles[:, 0] == item].reshape(1, -1, side, 2)
        part = functional.grid_sample(planes[item : item + 1], own, padding_mode="border", align_corners=False)
        parts.append(part[0].view(planes.shape[1], -1, side, side).transpose(0, 1))
    return torch.cat(parts)
