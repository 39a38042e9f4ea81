"""PlateNet: alpha, shadow, uncertainty and foreground of a frame in front of its clean plate.

The base looks at a reduced picture, the same few hundred pixels a side for HD and for 4K, and settles what is where;
it also says where its alpha will be wrong. The refiner corrects those tiles at full resolution, from the log-encoded
pixels, their difference from the plate, and alpha by physics. No layer looks at the whole picture, so large tiles agree
with the whole.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from engine.network.platenet.base import Base, Sketch, View
from engine.network.platenet.light import TYPICAL_NOISE, departure, significance
from engine.network.platenet.refiner import (
    TILE,
    Refiner,
    Tiles,
    apart,
    cut,
    cut_enlarged,
    doubtful_tiles,
    squares,
    tile_pixels,
)
from engine.network.platenet.sampling import enlarged, pooled

# Tiles where the base expects no error above this are left to it. Refining what it expects to be better changed no
# figure of 48 held-out samples by a thousandth, and took twice the tiles.
_REFINE_ABOVE = 0.12

# Tiles refined at once: their intermediate results then stay in a processor's caches.
_AT_ONCE = 64

# Squares of tiles that are refined as one: tiles along a side, and of what number theirs is a multiple.
_SQUARES = ((2, 8), (1, 1))

# Long side of the picture, px, up to which a cell of the base is 2, 4 or 8 px wide: it then sees 240 to 600 cells.
_CELLS = ((1000, 2), (2600, 4), (5200, 8))


class Prediction(NamedTuple):
    """What PlateNet returns, each at full resolution.

    Attributes:
        logit: ``(N, 1, H, W)``, alpha before `squash`.
        shadow: ``(N, 3, H, W)`` ratio, 0.02..1.
        uncertainty: ``(N, 1, H, W)`` 0..1.
        foreground: ``(N, 3, H, W)`` straight colour, log-encoded, smooth: the subject's colour hereabouts.
    """

    logit: Tensor
    shadow: Tensor
    uncertainty: Tensor
    foreground: Tensor


class Pictures(NamedTuple):
    """A batch at full resolution, as `PlateNet.forward` takes it, its grain known."""

    frame: Tensor
    plate: Tensor
    valid: Tensor
    noise: Tensor


def squash(logit: Tensor) -> Tensor:
    """Alpha of a logit: a sigmoid stretched by 5 % at either end, so that exactly 0 and 1 are within easy reach.

    Half a percent of a bright sky left in dark hair is a tint that anybody sees.
    """
    return (torch.sigmoid(logit) * 1.1 - 0.05).clamp(0, 1)


def cell_size(height: int, width: int) -> int:
    """Px along a cell of the base for a picture of this size: 2, 4, 8 or 16."""
    return next((cell for side, cell in _CELLS if max(height, width) <= side), 16)


class PlateNet(nn.Module):
    """The network."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Base()
        self.refiner = Refiner()

    def forward(
        self,
        frame: Tensor,
        plate: Tensor,
        valid: Tensor,
        hint: Tensor,
        cell: int = 0,
        noise: Tensor | None = None,
    ) -> Prediction:
        """Matte a batch; height and width must be multiples of 16 cells.

        Args:
            frame: ``(N, 3, H, W)`` linear ACEScg, exposure-anchored (plate average 0.18), unbounded.
            plate: the same, registered and fitted; 0 where invalid.
            valid: ``(N, 1, H, W)``, 1 where the plate saw the pixel, else 0.
            hint: ``(N, 2, H, W)``: a rough matte 0..1, and how far to trust it 0..1 (0 = none was given).
            cell: px along a cell of the base; 0 for the picture's own (`cell_size`).
            noise: ``(N, 3, 2)`` grain of frame minus plate, as `light.significance` takes it; None: not measured.
        """
        cell = cell or cell_size(*frame.shape[-2:])
        noise = known_noise(noise, frame)
        sketch = self.base(seen(frame, plate, valid, hint, cell, noise))
        return self.finished(sketch, frame, plate, valid, cell, noise)[0]

    def finished(
        self, sketch: Sketch, frame: Tensor, plate: Tensor, valid: Tensor, cell: int, noise: Tensor
    ) -> tuple[Prediction, int]:
        """The base's sketch at full resolution, refined where it is in doubt; and the number of refined tiles."""
        coarse = enlarge(sketch, cell)
        tiles = doubtful_tiles(torch.sigmoid(sketch.doubt), TILE // cell, _REFINE_ABOVE)
        if not len(tiles):
            return coarse, 0
        pictures = Pictures(frame, plate, valid, noise)
        hidden, rest = sketch.hidden.contiguous(), tiles
        index, fine = [], []
        for side, multiple in _SQUARES:
            together, rest = squares(rest, side, multiple)
            for some in together.split(_AT_ONCE // side**2) if len(together) else ():
                index.append(tile_pixels(some, frame, 0, side).flatten())
                fine.append(self.refine(some, pictures, coarse, hidden, cell, side).transpose(0, 1).flatten(1))
        where, (logit, error) = torch.cat(index), torch.cat(fine, 1)
        refined = {
            "logit": pasted(coarse.logit, where, logit),
            "uncertainty": pasted(coarse.uncertainty, where, torch.sigmoid(error)),
        }
        return coarse._replace(**refined), len(tiles)

    def refine(
        self, tiles: Tensor, pictures: Pictures, coarse: Prediction, hidden: Tensor, cell: int, side: int = 1
    ) -> Tensor:
        """Logits of alpha and of the expected error, ``(K, 2, side TILE, side TILE)``, of squares of tiles.

        Args:
            tiles: ``(K, 3)``: batch item, row and column of the first of each square.
            pictures: what `forward` was given.
            coarse: the base's answer, of `enlarge`.
            hidden: its features, of `Sketch`.
            cell: px along a cell.
            side: tiles along a square.
        """
        index = apart(tile_pixels(tiles, pictures.frame, side=side))
        logit = cut(coarse.logit, index)
        remembered = cut_enlarged(hidden, tiles, 2 * cell, 2, side)
        with torch.no_grad():
            frame, plate, valid = (cut(planes, index) for planes in (pictures.frame, pictures.plate, pictures.valid))
            view = Tiles(
                frame=frame,
                plate=plate,
                valid=valid,
                shadow=cut(coarse.shadow, index),
                foreground=cut(coarse.foreground, index),
                logit=logit,
                hidden=remembered,
                departure=departure(frame, plate, valid, pictures.noise[tiles[:, 0]].transpose(0, 1)),
            )
        change = self.refiner(view)
        before = cut(coarse.logit, tile_pixels(tiles, coarse.logit, 0, side))
        return torch.cat((before + change[:, :1], change[:, 1:] - 3), 1)


def known_noise(noise: Tensor | None, frame: Tensor) -> Tensor:
    """Grain ``(N, 3, 2)`` of a batch, the typical where none was measured."""
    return frame.new_tensor(TYPICAL_NOISE).expand(len(frame), 3, 2) if noise is None else noise


def seen(frame: Tensor, plate: Tensor, valid: Tensor, hint: Tensor, cell: int, noise: Tensor) -> View:
    """The picture reduced to one pixel a cell. Significance is found at twice that resolution, where grain is less."""
    half = cell // 2
    frame, plate, valid = (pooled(planes, half) for planes in (frame, plate, valid))
    plate = plate / valid.clamp(min=1e-3)
    sure = significance(frame, plate, valid, noise / half**2)
    frame, whole, seen_share = (pooled(planes, 2) for planes in (frame, plate * valid, valid))
    return View(frame, whole / seen_share.clamp(min=1e-3), seen_share, pooled(hint, cell), sure)


def enlarge(sketch: Sketch, cell: int) -> Prediction:
    """The base's answer at full resolution, bilinear between cells."""
    return Prediction(
        enlarged(sketch.logit, cell),
        enlarged(sketch.shadow, cell),
        torch.sigmoid(enlarged(sketch.doubt, cell)),
        enlarged(sketch.foreground, 2 * cell),
    )


def pasted(plane: Tensor, index: Tensor, values: Tensor) -> Tensor:
    """``plane (N, 1, H, W)`` with the pixels at flat indices ``(K)`` replaced by ``values (K)``.

    In place where no slope is asked for.
    """
    flat = plane.flatten()
    paste = flat.index_copy if torch.is_grad_enabled() else flat.index_copy_
    return paste(0, index, values.to(plane.dtype)).view(plane.shape)
