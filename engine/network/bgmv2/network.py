"""Encoder, pyramid pooling, decoder and refiner, joined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.network.bgmv2.decoder import HIDDEN, Aspp, Decoder
from engine.network.bgmv2.mobilenet import MobileNetV2
from engine.network.bgmv2.refiner import Budget, Coarse, Refiner
from engine.network.bgmv2.resnet import ResNet

Backbone = Literal["mobilenetv2", "resnet50", "resnet101"]


@dataclass(frozen=True)
class Matted:
    """What the network returns; display-referred 0..1.

    Attributes:
        alpha: ``(N, 1, H, W)``.
        foreground: ``(N, 3, H, W)``, straight.
        error: ``(N, 1, h, w)`` at the backbone's resolution: expected absolute error of the coarse alpha.
        refined: ``(N, H / 4, W / 4)``, true where a 4x4 px patch was refined.
    """

    alpha: Tensor
    foreground: Tensor
    error: Tensor
    refined: Tensor


def _backbone(name: Backbone) -> MobileNetV2 | ResNet:
    if name == "mobilenetv2":
        return MobileNetV2()
    return ResNet((3, 4, 6, 3) if name == "resnet50" else (3, 4, 23, 3))


class BackgroundMattingV2(nn.Module):
    """The network; 5.0, 40.2 or 59.2 million parameters by backbone."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = _backbone(backbone)
        self.aspp = Aspp(self.backbone.channels)
        self.decoder = Decoder(self.backbone.skips)
        self.refiner = Refiner()

    def forward(self, frame: Tensor, plate: Tensor, scale: float, budget: Budget) -> Matted:
        """Matte a batch.

        Args:
            frame: ``(N, 3, H, W)`` display-referred 0..1; H and W multiples of 4.
            plate: the same.
            scale: of the picture that the backbone sees, at most 0.5.
            budget: of the refiner.
        """
        pair = torch.cat((frame, plate), 1)
        size = [int(length * scale) for length in pair.shape[-2:]]
        coarse = self.coarse(functional.interpolate(pair, size=size, mode="bilinear", align_corners=False))
        fine, refined = self.refiner(pair, coarse, budget)
        return Matted(fine[:, :1].clamp(0, 1), (frame + fine[:, 1:]).clamp(0, 1), coarse.error, refined)

    def coarse(self, pair: Tensor) -> Coarse:
        """Frame and plate ``(N, 6, h, w)`` to what the refiner begins from, at that resolution."""
        half, quarter, eighth, deep = self.backbone(pair)
        out = self.decoder(self.aspp(deep), eighth, quarter, half, pair)
        alpha, residual, error, hidden = out.split((1, 3, 1, HIDDEN), 1)
        return Coarse(alpha.clamp(0, 1), residual, error.clamp(0, 1), functional.relu(hidden))
