"""PlateNet: alpha, shadow, uncertainty and foreground of a frame in front of its clean plate.

One shared encoder looks at frame and plate at half resolution; context switches join them from coarse to fine; the last
two levels see the log-encoded pixels themselves, their difference, and the smallest difference within a pixel's reach,
which forgives a plate that is off by a pixel. No layer looks at the whole picture, so tiles agree with the whole.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.network.blocks import ContextSwitch, ContextUnit, ConvUnit, UpUnit
from engine.network.encoder import CHANNELS, Encoder

STRIDE = 32
"""Height and width of the input must be multiples of this."""

MARGIN = 256
"""px that a tile must overlap its neighbour; see `tests/unit/test_matte.py` for the difference that remains."""

# ACEScct, S-2016-001: linear below the toe, logarithmic above, so that negatives and highlights both survive.
_TOE, _SLOPE, _INTERCEPT = 0.0078125, 10.5402377416545, 0.0729055341958355

# Log code of 65504, the largest half: no subject is taken for brighter while its colour is being guessed.
_BRIGHTEST = (16 + 9.72) / 17.52

# Anchored light below which a ratio is noise: six and a half stops under mid grey.
_DARK = 0.002

# The mid grey that the exposure anchor brings the plate's average to.
_MID_GREY = 0.18


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


def encode(linear: Tensor) -> Tensor:
    """ACEScct curve (S-2016-001) of linear values; any shape, unbounded; mid grey 0.18 becomes 0.414."""
    log = (torch.log2(linear.clamp(min=_TOE)) + 9.72) / 17.52
    return torch.where(linear > _TOE, log, _SLOPE * linear + _INTERCEPT)


def decode(code: Tensor) -> Tensor:
    """Inverse of `encode`."""
    toe = (code - _INTERCEPT) / _SLOPE
    return torch.where(toe > _TOE, torch.exp2(code * 17.52 - 9.72), toe)


def squash(logit: Tensor) -> Tensor:
    """Alpha of a logit: a sigmoid stretched by 5 % at either end, so that exactly 0 and 1 are within easy reach.

    Half a percent of a bright sky left in dark hair is a tint that anybody sees.
    """
    return (torch.sigmoid(logit) * 1.1 - 0.05).clamp(0, 1)


def tolerant_difference(frame: Tensor, plate: Tensor) -> Tensor:
    """Smallest mean absolute difference of a pixel to the plate's 3x3 around it.

    Args:
        frame: ``(N, 3, H, W)`` log-encoded.
        plate: the same.

    Returns:
        ``(N, 1, H, W)``, 0 and up.
    """
    height, width = frame.shape[-2:]
    padded = functional.pad(plate, (1, 1, 1, 1), mode="replicate")
    shifts = (padded[..., y : y + height, x : x + width] for y in range(3) for x in range(3))
    smallest = (frame - plate).abs().mean(1, keepdim=True)
    for shifted in shifts:
        smallest = torch.minimum(smallest, (frame - shifted).abs().mean(1, keepdim=True))
    return smallest


def unmixing(frame: Tensor, behind: Tensor, foreground: Tensor) -> Tensor:
    """Alpha by physics, if the colours before and behind were known: the frame's place on the line between the two.

    ``a = <I - sB, F - sB> / |F - sB|^2`` in linear light, least squares over the channels; and the separation of the
    two colours, which says how far that can be trusted.

    Args:
        frame: ``(N, 3, H, W)`` linear.
        behind: shadowed plate, the same.
        foreground: the same.

    Returns:
        ``(N, 2, H, W)``: alpha -0.5..1.5, and separation 0..1.
    """
    span = foreground - behind
    power = span.square().sum(1, keepdim=True)
    scale = (foreground.abs() + behind.abs()).square().sum(1, keepdim=True) + 1e-6
    alpha = ((frame - behind) * span).sum(1, keepdim=True) / (power + 1e-3 * scale)
    return torch.cat((alpha.clamp(-0.5, 1.5), torch.sqrt(power / scale)), 1)


def light_ratio(frame: Tensor, plate: Tensor, valid: Tensor) -> Tensor:
    """How much of the plate's light arrives, if all of the difference were shadow: sums over 6x6 px, one by the other.

    Args:
        frame: ``(N, 3, H, W)`` linear.
        plate: the same.
        valid: ``(N, 1, H, W)``, 0 where the plate knows nothing.

    Returns:
        ``(N, 3, H / 2, W / 2)``, 0.02..1; 1 where the plate knows nothing.
    """
    pair = torch.cat((frame * valid, plate * valid), 1).clamp(min=0)
    with_subject, without = functional.avg_pool2d(functional.avg_pool2d(pair, 2), 3, stride=1, padding=1).chunk(2, 1)
    return ((with_subject + _DARK) / (without + _DARK)).clamp(0.02, 1)


def _display(linear: Tensor) -> Tensor:
    """Display-like 0..1 of linear values: x / (x + mid grey), the Naka-Rushton response; bounded for any highlight."""
    positive = linear.clamp(min=0)
    return positive / (positive + _MID_GREY)


class PlateNet(nn.Module):
    """The network; 1.1 million parameters. It is called by the pipeline as it is: see `engine.network.keyer.Keyer`."""

    stride = STRIDE
    margin = MARGIN
    # Measured by tests/bench/network_memory.py on a CPU: 610 at 1920x1088, 730 at 960x544; with a margin.
    bytes_per_pixel = 800
    takes_hint = True

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        c4, c8, c16, c32 = CHANNELS
        self.switch32 = ContextSwitch(c32, 96, extra=2)
        self.context = nn.Sequential(ContextUnit(96), ContextUnit(96), ContextUnit(96))
        self.switch16 = ContextSwitch(c16, 48)
        self.switch8 = ContextSwitch(c8, 40)
        self.switch4 = ContextSwitch(c4, 32)
        self.up16 = UpUnit(96, 48, 80)
        self.up8 = UpUnit(80, 40, 64)
        self.up4 = UpUnit(64, 32, 48)
        self.pixels = ConvUnit(34, 24)
        self.up2 = UpUnit(48, 24, 40)
        self.refine2 = ConvUnit(40, 32)
        self.coarse = nn.Conv2d(32, 1 + 3 + 3, 1)
        self.hidden = nn.Conv2d(32, 12 * 4, 1)
        self.fine = nn.Sequential(ConvUnit(12 + 7 + 2, 24), ConvUnit(24, 16), nn.Conv2d(16, 2, 3, padding=1))

    def forward(self, frame: Tensor, plate: Tensor, valid: Tensor, hint: Tensor) -> Prediction:
        """Matte a batch.

        Args:
            frame: ``(N, 3, H, W)`` linear ACEScg, exposure-anchored (plate average 0.18), unbounded.
            plate: the same, registered and fitted; 0 where invalid.
            valid: ``(N, 1, H, W)``, 1 where the plate saw the pixel, else 0.
            hint: ``(N, 2, H, W)``: a rough matte 0..1, and how far to trust it 0..1 (0 = none was given).
        """
        code, plate_code = encode(frame), encode(plate)
        departure = (code - plate_code) * valid
        tolerant = tolerant_difference(code, plate_code) * valid
        cues = torch.cat((code, departure, tolerant), 1)
        hidden = self._coarse_to_fine(frame, plate, torch.cat((cues, valid), 1), hint)
        coarse = self.coarse(hidden)
        darkening = torch.sigmoid(coarse[:, 1:4]) * (1 - light_ratio(frame, plate, valid))
        coarse = torch.cat((coarse[:, :1], 1 - darkening, coarse[:, 4:]), 1)
        coarse = functional.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)
        shadow, foreground = coarse[:, 1:4], coarse[:, 4:]
        physics = unmixing(frame, shadow.detach() * plate, decode(foreground.detach().clamp(max=_BRIGHTEST))) * valid
        fine = self.fine(torch.cat((functional.pixel_shuffle(self.hidden(hidden), 2), cues, physics), 1))
        uncertainty = torch.sigmoid(fine[:, 1:] - 3)
        return Prediction(coarse[:, :1] + fine[:, :1], shadow, uncertainty, foreground)

    def _coarse_to_fine(self, frame: Tensor, plate: Tensor, cues: Tensor, hint: Tensor) -> Tensor:
        """Features ``(N, 32, H / 2, W / 2)`` from everything the network sees."""
        half = functional.avg_pool2d(torch.cat((_display(frame), _display(plate))), 2)
        features = [level.chunk(2) for level in self.encoder(half)]
        x = self.switch32(*features[3], functional.avg_pool2d(hint, 32))
        x = self.up16(self.context(x), self.switch16(*features[2]))
        x = self.up8(x, self.switch8(*features[1]))
        x = self.up4(x, self.switch4(*features[0]))
        pixels = torch.cat((functional.pixel_unshuffle(cues, 2), functional.avg_pool2d(hint, 2)), 1)
        return self.refine2(self.up2(x, self.pixels(pixels)))
