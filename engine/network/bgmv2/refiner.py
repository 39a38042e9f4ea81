"""The refiner: full resolution where the coarse alpha is expected to be wrong.

4x4 px patches are chosen by the error that the coarse network expects; each is computed from features at half
resolution around it, then from the pixels themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.network.bgmv2.decoder import HIDDEN

PATCH = 4
"""px a side of a patch at full resolution."""

# Zeros around features and pixels: two valid 3x3 convolutions at half resolution and two at full one.
_HALF_BORDER, _FULL_BORDER = 3, 2


Mode = Literal["sampling", "thresholding", "full"]


@dataclass(frozen=True)
class Budget:
    """Where to refine.

    Attributes:
        mode: ``sampling``: the ``pixels`` of largest expected error; ``thresholding``: all above ``threshold``;
            ``full``: everywhere, by plain convolutions.
        pixels: of the sampling mode.
        threshold: of the thresholding mode, expected absolute error of alpha.
        forced: refine all of ``pixels`` even where no error is expected; for measuring the largest cost only.
    """

    mode: Mode = "sampling"
    pixels: int = 80_000
    threshold: float = 0.1
    forced: bool = False


@dataclass(frozen=True)
class Coarse:
    """What the coarse network found, each ``(N, C, h, w)``.

    Attributes:
        alpha: 1 channel, 0..1.
        residual: 3, foreground less frame.
        error: 1, expected absolute error of alpha, 0..1.
        hidden: 32 features.
    """

    alpha: Tensor
    residual: Tensor
    error: Tensor
    hidden: Tensor


class Refiner(nn.Module):
    """15,444 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(HIDDEN + 1 + 3 + 6, 24, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(24)
        self.conv2 = nn.Conv2d(24, 16, 3, bias=False)
        self.bn2 = nn.BatchNorm2d(16)
        self.conv3 = nn.Conv2d(16 + 6, 12, 3, bias=False)
        self.bn3 = nn.BatchNorm2d(12)
        self.conv4 = nn.Conv2d(12, 1 + 3, 3)

    def forward(self, pair: Tensor, coarse: Coarse, budget: Budget) -> tuple[Tensor, Tensor]:
        """Refine.

        Args:
            pair: frame and plate, ``(N, 6, H, W)``, H and W multiples of 4.
            coarse: at any lower resolution.
            budget: where.

        Returns:
            Alpha and foreground residual ``(N, 4, H, W)``, not clamped; and the patches that were refined,
            ``(N, H / 4, W / 4)``, true or false.
        """
        height, width = pair.shape[-2:]
        grid = (height // PATCH, width // PATCH)
        if budget.mode == "full":
            features = torch.cat(_at_half(pair, coarse), 1)
            everywhere = torch.ones(len(pair), *grid, dtype=torch.bool, device=pair.device)
            return self._refined(features, _bordered(pair)), everywhere
        chosen = choose(_resize(coarse.error, grid)[:, 0], budget)
        out = _resize(torch.cat((coarse.alpha, coarse.residual), 1), (height, width))
        if bool(chosen.any()):
            features = torch.cat([_patches(part, chosen, 2) for part in _at_half(pair, coarse)], 1)
            pixels = _patches(_bordered(pair), chosen, PATCH)
            _as_patches(out)[chosen] = self._refined(features, pixels).to(out.dtype)
        return out, chosen

    def _refined(self, features: Tensor, pixels: Tensor) -> Tensor:
        """Features ``(P, 42, h + 6, w + 6)`` and pixels ``(P, 6, 2h + 4, 2w + 4)`` to ``(P, 4, 2h, 2w)``."""
        x = functional.relu(self.bn1(self.conv1(features)))
        x = functional.relu(self.bn2(self.conv2(x)))
        x = torch.cat((functional.interpolate(x, scale_factor=2, mode="nearest"), pixels), 1)
        return self.conv4(functional.relu(self.bn3(self.conv3(x))))


def choose(error: Tensor, budget: Budget) -> Tensor:
    """Patches to refine, ``(N, h, w)`` true or false, by the error expected in each, ``(N, h, w)``."""
    if budget.mode == "thresholding":
        return error > budget.threshold
    flat = error.flatten(1)
    count = min(budget.pixels // PATCH**2, flat.shape[1])
    most = flat.topk(count, dim=1, sorted=False).indices
    chosen = torch.zeros_like(flat, dtype=torch.bool).scatter_(1, most, True).view_as(error)
    return chosen if budget.forced else chosen & (error > 0)


def _resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=False)


def _at_half(pair: Tensor, coarse: Coarse) -> tuple[Tensor, Tensor]:
    """What the coarse network found, and the pixels, at half resolution with a border of zeros."""
    half = (pair.shape[-2] // 2, pair.shape[-1] // 2)
    found = torch.cat((coarse.hidden, coarse.alpha, coarse.residual), 1)
    border = [_HALF_BORDER] * 4
    return functional.pad(_resize(found, half), border), functional.pad(_resize(pair, half), border)


def _bordered(pair: Tensor) -> Tensor:
    return functional.pad(pair, [_FULL_BORDER] * 4)


def _patches(padded: Tensor, chosen: Tensor, step: int) -> Tensor:
    """The chosen windows of ``(N, C, H, W)``, 8 px wide and ``step`` apart: ``(P, C, 8, 8)``."""
    windows = padded.permute(0, 2, 3, 1).unfold(1, 8, step).unfold(2, 8, step)
    return windows[chosen]


def _as_patches(picture: Tensor) -> Tensor:
    """A view of ``(N, C, H, W)`` as ``(N, H / 4, W / 4, C, 4, 4)``."""
    batch, channels, height, width = picture.shape
    grid = picture.view(batch, channels, height // PATCH, PATCH, width // PATCH, PATCH)
    return grid.permute(0, 2, 4, 1, 3, 5)
