"""ResNet-50 and ResNet-101 (He et al., CVPR 2016) as encoders of frame and plate.

The variant with the stride in the 3x3 convolution (torchvision's, "v1.5"), whose last stage trades its stride for a
dilation, so that the deepest feature stays at stride 16 (Chen et al., DeepLabV3, section 3.1).
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

_EXPANSION = 4


class _Bottleneck(nn.Module):
    """1x1 to fewer channels, 3x3, 1x1 to four times as many; residual."""

    def __init__(self, cin: int, width: int, stride: int, dilation: int) -> None:
        super().__init__()
        cout = width * _EXPANSION
        self.conv1 = nn.Conv2d(cin, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, cout, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(cout)
        if cin != cout:
            self.downsample = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x: Tensor) -> Tensor:
        """``(N, cin, H, W)`` to ``(N, 4 width, H / stride, W / stride)``."""
        kept = self.downsample(x) if hasattr(self, "downsample") else x
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.relu(self.bn2(self.conv2(x)))
        return functional.relu(self.bn3(self.conv3(x)) + kept)


def _layer(cin: int, width: int, count: int, stride: int, dilation: int) -> nn.Sequential:
    """A stage. Its first block is not dilated: where the stride was traded, its input still has the old spacing."""
    first = _Bottleneck(cin, width, stride, 1)
    return nn.Sequential(first, *(_Bottleneck(width * _EXPANSION, width, 1, dilation) for _ in range(count - 1)))


class ResNet(nn.Module):
    """The encoder.

    Attributes:
        channels: of the deepest feature.
        skips: channels of the features at strides 8, 4 and 2.
    """

    channels = 2048
    skips = (512, 256, 64)

    def __init__(self, counts: tuple[int, int, int, int]) -> None:
        """Build it.

        Args:
            counts: blocks of each stage: ``(3, 4, 6, 3)`` for ResNet-50, ``(3, 4, 23, 3)`` for ResNet-101 (table 1).
        """
        super().__init__()
        self.conv1 = nn.Conv2d(6, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = _layer(64, 64, counts[0], stride=1, dilation=1)
        self.layer2 = _layer(256, 128, counts[1], stride=2, dilation=1)
        self.layer3 = _layer(512, 256, counts[2], stride=2, dilation=1)
        self.layer4 = _layer(1024, 512, counts[3], stride=1, dilation=2)

    def forward(self, x: Tensor) -> list[Tensor]:
        """``(N, 6, H, W)`` to features at strides 2, 4, 8 and 16."""
        half = functional.relu(self.bn1(self.conv1(x)))
        quarter = self.layer1(functional.max_pool2d(half, 3, 2, 1))
        eighth = self.layer2(quarter)
        return [half, quarter, eighth, self.layer4(self.layer3(eighth))]
