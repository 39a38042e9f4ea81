"""Four encoders, the context switching block, a residual trunk, and decoders of alpha and foreground.

Figures 2 and 3 of the paper; channels as in the published weights.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

Motion = Literal["published", "wired"]

_FEATURES = 64
_DEEP = _FEATURES * 4
_SELECTED = 64


def _conv(cin: int, cout: int, kernel: int = 3, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    padding = 0 if kernel == 7 else kernel // 2
    return nn.Conv2d(cin, cout, kernel, stride, padding, bias=bias)


def _norm(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]


def _shallow(cin: int) -> list[nn.Module]:
    """Seven by seven, then down to half: ``cin`` to 128 channels."""
    wide = [nn.ReflectionPad2d(3), _conv(cin, _FEATURES, 7), *_norm(_FEATURES)]
    return [*wide, _conv(_FEATURES, _FEATURES * 2, stride=2), *_norm(_FEATURES * 2)]


def _deep() -> list[nn.Module]:
    """Down to a quarter: 128 to 256 channels."""
    return [_conv(_FEATURES * 2, _DEEP, stride=2), *_norm(_DEEP)]


def _selector() -> nn.Sequential:
    """Features of image and cue, to what of the cue is worth having beside the image."""
    return nn.Sequential(_conv(_DEEP * 2, _SELECTED, 1, bias=False), *_norm(_SELECTED))


def _up(cin: int, cout: int) -> list[nn.Module]:
    up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
    return [up, _conv(cin, cout), *_norm(cout)]


def _head(cout: int) -> list[nn.Module]:
    return [nn.ReflectionPad2d(3), _conv(_FEATURES, cout, 7)]


class _ResidualBlock(nn.Module):
    """Two 3x3 convolutions over reflected borders, added to their input."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(_DEEP, _DEEP, 3),
            *_norm(_DEEP),
            nn.ReflectionPad2d(1),
            nn.Conv2d(_DEEP, _DEEP, 3),
            nn.BatchNorm2d(_DEEP),
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(N, 256, H, W)`` to the same shape."""
        return x + self.conv_block(x)


class BackgroundMatting2020(nn.Module):
    """The network; 17,908,420 parameters with 7 shared residual blocks and 3 for each decoder.

    The public code never used the motion cue: its selector was given the plate's features instead (its authors confirm
    that the paper's results were made so, issues 36 and 38 of their repository). ``motion`` chooses between that and
    what the paper describes; the parameters are the same.
    """

    def __init__(self, motion: Motion = "published") -> None:
        super().__init__()
        self.motion: Motion = motion
        self.model_enc1 = nn.Sequential(*_shallow(3))
        self.model_enc2 = nn.Sequential(*_deep())
        self.model_enc_back = nn.Sequential(*_shallow(3), *_deep())
        self.model_enc_seg = nn.Sequential(*_shallow(1), *_deep())
        self.model_enc_multi = nn.Sequential(*_shallow(4), *_deep())
        self.comb_back = _selector()
        self.comb_seg = _selector()
        self.comb_multi = _selector()
        combinator = [_conv(_DEEP + 3 * _SELECTED, _DEEP, 1, bias=False), *_norm(_DEEP)]
        self.model_res_dec = nn.Sequential(*combinator, *(_ResidualBlock() for _ in range(7)))
        self.model_res_dec_al = nn.Sequential(*(_ResidualBlock() for _ in range(3)))
        self.model_res_dec_fg = nn.Sequential(*(_ResidualBlock() for _ in range(3)))
        ups = _up(_DEEP, _FEATURES * 2) + _up(_FEATURES * 2, _FEATURES)
        self.model_al_out = nn.Sequential(*ups, *_head(1), nn.Tanh())
        self.model_dec_fg1 = nn.Sequential(*_up(_DEEP, _FEATURES * 2))
        self.model_fg_out = nn.Sequential(*_up(_FEATURES * 4, _FEATURES), *_head(3))

    def forward(self, image: Tensor, plate: Tensor, segmentation: Tensor, motion: Tensor) -> tuple[Tensor, Tensor]:
        """Matte a batch.

        Args:
            image: ``(N, 3, H, W)`` display-referred, -1..1; H and W multiples of 4.
            plate: the same.
            segmentation: ``(N, 1, H, W)`` soft, -1..1.
            motion: ``(N, 4, H, W)``: grey neighbour frames, -1..1; without effect as published.

        Returns:
            Alpha ``(N, 1, H, W)`` -1..1, and foreground ``(N, 3, H, W)`` on the scale -1..1, unbounded.
        """
        skip = self.model_enc1(image)
        seen = self.model_enc2(skip)
        behind = self.model_enc_back(plate)
        moved = self.model_enc_multi(motion) if self.motion == "wired" else behind
        cues = (
            (self.comb_back, behind),
            (self.comb_seg, self.model_enc_seg(segmentation)),
            (self.comb_multi, moved),
        )
        selected = [selector(torch.cat((seen, cue), 1)) for selector, cue in cues]
        trunk = self.model_res_dec(torch.cat((seen, *selected), 1))
        alpha = self.model_al_out(self.model_res_dec_al(trunk))
        colour = self.model_dec_fg1(self.model_res_dec_fg(trunk))
        return alpha, self.model_fg_out(torch.cat((colour, skip), 1))
