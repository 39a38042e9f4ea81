"""The encoder: EfficientNet-Lite0 up to stride 16, shared by frame and plate.

Architecture: Tan and Le, "EfficientNet", ICML 2019, in the Lite variant of the TensorFlow TPU models (no squeeze and
excitation, ReLU6, fixed stem). Batch normalisation keeps its ImageNet statistics while training, so that crops of a few
pictures do not disturb it.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

# (expansion, channels, blocks, stride, kernel) of stages 1 to 5; the table of the EfficientNet paper.
STAGES = ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5))

CHANNELS = (16, 24, 40, 112)
"""Channels of the returned features, at strides 2, 4, 8 and 16."""

# ImageNet statistics of RGB in 0..1, as the published weights were trained with.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

# Blocks after which the resolution is about to halve, or that are last.
_TAPS = (0, 2, 4, 10)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


class InvertedResidual(nn.Module):
    """Expand, depthwise convolution, project; residual where shapes allow."""

    def __init__(self, cin: int, cout: int, expansion: int, stride: int, kernel: int) -> None:
        super().__init__()
        wide = cin * expansion
        expand = [nn.Conv2d(cin, wide, 1, bias=False), _norm(wide), nn.ReLU6(inplace=True)] if expansion > 1 else []
        self.body = nn.Sequential(
            *expand,
            nn.Conv2d(wide, wide, kernel, stride, kernel // 2, groups=wide, bias=False),
            _norm(wide),
            nn.ReLU6(inplace=True),
            nn.Conv2d(wide, cout, 1, bias=False),
            _norm(cout),
        )
        self.residual = stride == 1 and cin == cout

    def forward(self, x: Tensor) -> Tensor:
        """``(N, cin, H, W)`` to ``(N, cout, H / stride, W / stride)``."""
        return x + self.body(x) if self.residual else self.body(x)


class Encoder(nn.Module):
    """EfficientNet-Lite0, first five stages."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)
        self.stem = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1, bias=False), _norm(32), nn.ReLU6(inplace=True))
        blocks, cin = [], 32
        for expansion, cout, count, stride, kernel in STAGES:
            for index in range(count):
                blocks.append(InvertedResidual(cin, cout, expansion, stride if index == 0 else 1, kernel))
                cin = cout
        self.blocks = nn.ModuleList(blocks)

    def train(self, mode: bool = True) -> Encoder:
        """Switch the mode of everything but batch normalisation, which stays with its statistics."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def forward(self, display: Tensor) -> list[Tensor]:
        """``(N, 3, H, W)`` display-like RGB in 0..1 to four features at strides 2, 4, 8, 16 (`CHANNELS`)."""
        x = self.stem((display - self.mean) / self.std)
        features = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in _TAPS:
                features.append(x)
        return features


def from_imagenet(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the published EfficientNet-Lite0 weights (``_blocks.3._expand_conv.weight`` ...) to `Encoder`'s names.

    Layers that `Encoder` does not have are dropped; both lists run in the order of computation, block by block.

    Raises:
        ValueError: the published weights have other shapes.
    """
    prefixes = ("_conv_stem", "_bn0", *(f"_blocks.{index}." for index in range(_TAPS[-1] + 1)))
    theirs = [value for name, value in published.items() if name.startswith(prefixes)]
    ours = Encoder().state_dict()
    if [value.shape for value in theirs] != [value.shape for value in ours.values()]:
        raise ValueError("these are not the weights of EfficientNet-Lite0")
    return dict(zip(ours, theirs, strict=True))
