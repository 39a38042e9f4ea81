"""MobileNetV2 (Sandler et al., CVPR 2018) as an encoder of frame and plate."""

from __future__ import annotations

from torch import Tensor, nn

# (expansion, channels, blocks, stride, dilation) of the stages; table 2 of the paper. The last stride of 2 is traded
# for a dilation, so that the deepest feature stays at stride 16 (Chen et al., DeepLabV3, section 3.1).
_STAGES = (
    (1, 16, 1, 1, 1),
    (6, 24, 2, 2, 1),
    (6, 32, 3, 2, 1),
    (6, 64, 4, 2, 1),
    (6, 96, 3, 1, 1),
    (6, 160, 3, 1, 2),
    (6, 320, 1, 1, 2),
)

# Blocks whose output goes to the decoder: the last ones at strides 2, 4, 8 and 16.
_TAPS = (1, 3, 6, 17)


def _unit(cin: int, cout: int, kernel: int, stride: int = 1, dilation: int = 1, groups: int = 1) -> nn.Sequential:
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.Conv2d(cin, cout, kernel, stride, padding, dilation, groups, bias=False),
        nn.BatchNorm2d(cout),
        nn.ReLU6(inplace=True),
    )


class _InvertedResidual(nn.Module):
    """Expand, depthwise convolution, project; residual where shapes allow."""

    def __init__(self, cin: int, cout: int, expansion: int, stride: int, dilation: int) -> None:
        super().__init__()
        wide = cin * expansion
        self.conv = nn.Sequential(
            *([_unit(cin, wide, 1)] if expansion > 1 else []),
            _unit(wide, wide, 3, stride, dilation, groups=wide),
            nn.Conv2d(wide, cout, 1, bias=False),
            nn.BatchNorm2d(cout),
        )
        self.residual = stride == 1 and cin == cout

    def forward(self, x: Tensor) -> Tensor:
        """``(N, cin, H, W)`` to ``(N, cout, H / stride, W / stride)``."""
        return x + self.conv(x) if self.residual else self.conv(x)


def _blocks() -> list[nn.Module]:
    blocks: list[nn.Module] = [_unit(6, 32, 3, stride=2)]
    cin = 32
    for expansion, cout, count, stride, dilation in _STAGES:
        for index in range(count):
            first = index == 0
            # The first of a stage that traded its stride still sees undilated input.
            spread = 1 if first and cin == 96 else dilation
            blocks.append(_InvertedResidual(cin, cout, expansion, stride if first else 1, spread))
            cin = cout
    return blocks


class MobileNetV2(nn.Module):
    """The encoder.

    Attributes:
        channels: of the deepest feature.
        skips: channels of the features at strides 8, 4 and 2.
    """

    channels = 320
    skips = (32, 24, 16)

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(*_blocks())

    def forward(self, x: Tensor) -> list[Tensor]:
        """``(N, 6, H, W)`` to features at strides 2, 4, 8 and 16."""
        taps = []
        for index, block in enumerate(self.features):
            x = block(x)
            if index in _TAPS:
                taps.append(x)
        return taps
