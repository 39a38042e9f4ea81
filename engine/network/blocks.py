"""Parts that the networks are built from."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def silent(layer: nn.Conv2d) -> nn.Conv2d:
    """The layer, answering 0 until it has learned, so that what it corrects begins as it is."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


class ConvUnit(nn.Sequential):
    """Convolution, batch normalisation, ReLU. ``(N, cin, H, W) -> (N, cout, H, W)``."""

    def __init__(self, cin: int, cout: int, kernel: int = 3, groups: int = 1) -> None:
        super().__init__(
            nn.Conv2d(cin, cout, kernel, padding=kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(cout),
            nn.ReLU(inplace=True),
        )


class ContextUnit(nn.Module):
    """Residual depthwise 5x5 and pointwise convolution: context at little cost. Shape is kept."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.spread = ConvUnit(channels, channels, kernel=5, groups=channels)
        self.mix = nn.Sequential(nn.Conv2d(channels, channels, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, H, W)`` to the same shape."""
        return functional.relu(x + self.mix(self.spread(x)))


class ContextSwitch(nn.Module):
    """Weighs frame against plate at one scale, after the context-switching block of Sengupta et al., CVPR 2020.

    One selector sees what is in the frame, the other how it departs from the plate; the combinator joins them, so that
    where plate and subject look alike the frame's own content can decide.
    """

    def __init__(self, channels: int, out: int, extra: int = 0) -> None:
        super().__init__()
        self.content = ConvUnit(channels, out, kernel=1)
        self.departure = ConvUnit(channels * 2, out, kernel=1)
        self.combinator = ConvUnit(out * 2 + extra, out, kernel=1)

    def forward(self, frame: Tensor, plate: Tensor, *extra: Tensor) -> Tensor:
        """Features ``(N, C, H, W)`` of frame and plate, and further cues, to ``(N, out, H, W)``."""
        departure = self.departure(torch.cat((frame, frame - plate), 1))
        return self.combinator(torch.cat((self.content(frame), departure, *extra), 1))


class UpUnit(nn.Module):
    """Doubles the resolution and joins a skip connection."""

    def __init__(self, cin: int, skip: int, cout: int, kernel: int = 3) -> None:
        super().__init__()
        self.join = ConvUnit(cin + skip, cout, kernel)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """``(N, cin, H, W)`` and ``(N, skip, 2H, 2W)`` to ``(N, cout, 2H, 2W)``."""
        up = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        return self.join(torch.cat((up, skip), 1))
