"""Between encoder and refiner: pyramid pooling (ASPP) and the decoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

HIDDEN = 32
"""Channels of the features that the decoder hands to the refiner."""

_ASPP_CHANNELS = 256
_RATES = (3, 6, 9)


def _pooled_unit(cin: int, cout: int, kernel: int, rate: int) -> nn.Sequential:
    conv = nn.Conv2d(cin, cout, kernel, padding=rate * (kernel // 2), dilation=rate, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(cout), nn.ReLU(inplace=True))


class _Mean(nn.Sequential):
    """The whole picture's mean, through a 1x1 convolution, everywhere."""

    def __init__(self, cin: int, cout: int) -> None:
        super().__init__(nn.AdaptiveAvgPool2d(1), *_pooled_unit(cin, cout, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """``(N, cin, H, W)`` to ``(N, cout, H, W)``."""
        return super().forward(x).expand(-1, -1, *x.shape[-2:])


class Aspp(nn.Module):
    """Atrous spatial pyramid pooling, Chen et al., DeepLabV3, 2017, section 3.3; ``(N, cin, H, W)`` to 256 channels."""

    def __init__(self, cin: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            [
                _pooled_unit(cin, _ASPP_CHANNELS, 1, 1),
                *(_pooled_unit(cin, _ASPP_CHANNELS, 3, rate) for rate in _RATES),
                _Mean(cin, _ASPP_CHANNELS),
            ]
        )
        joined = _ASPP_CHANNELS * len(self.convs)
        self.project = nn.Sequential(*_pooled_unit(joined, _ASPP_CHANNELS, 1, 1), nn.Dropout(0.5))

    def forward(self, x: Tensor) -> Tensor:
        """``(N, cin, H, W)`` to ``(N, 256, H, W)``."""
        return self.project(torch.cat([conv(x) for conv in self.convs], 1))


class Decoder(nn.Module):
    """Four times: up to the next skip's size, join, convolve."""

    def __init__(self, skips: tuple[int, int, int]) -> None:
        """Build it.

        Args:
            skips: channels of the skips at strides 8, 4 and 2; the last one is the input itself.
        """
        super().__init__()
        deep, middle, shallow = skips
        self.conv1 = nn.Conv2d(_ASPP_CHANNELS + deep, 128, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(128)
        self.conv2 = nn.Conv2d(128 + middle, 64, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(64)
        self.conv3 = nn.Conv2d(64 + shallow, 48, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(48)
        self.conv4 = nn.Conv2d(48 + 6, 1 + 3 + 1 + HIDDEN, 3, padding=1)

    def forward(self, x: Tensor, eighth: Tensor, quarter: Tensor, half: Tensor, whole: Tensor) -> Tensor:
        """Deepest feature, skips and input ``(N, 6, H, W)`` to ``(N, 37, H, W)``: alpha, foreground, error, hidden."""
        x = functional.relu(self.bn1(self.conv1(_join(x, eighth))))
        x = functional.relu(self.bn2(self.conv2(_join(x, quarter))))
        x = functional.relu(self.bn3(self.conv3(_join(x, half))))
        return self.conv4(_join(x, whole))


def _join(x: Tensor, skip: Tensor) -> Tensor:
    up = functional.interpolate(x, size=skip.shape[-2:], mode="bilinear", align_corners=False)
    return torch.cat((up, skip), 1)
