"""Light as PlateNet sees it: curves, differences, and what physics alone can say about alpha and shadow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from engine.network.platenet.sampling import blurred, pooled

# ACEScct, S-2016-001: linear below the toe, logarithmic above, so that negatives and highlights both survive.
# The slope is the standard's; its intercept, 0.0729055341958355, follows from the two branches meeting at the toe.
_TOE, _SLOPE, _BEND = 0.0078125, 10.5402377416545, (-7 + 9.72) / 17.52

BRIGHTEST = (16 + 9.72) / 17.52
"""Log code of 65504, the largest half: no subject is taken for brighter while its colour is being guessed."""

# Anchored light below which a ratio is noise: six and a half stops under mid grey.
_DARK = 0.002

# The mid grey that the exposure anchor brings the plate's average to.
_MID_GREY = 0.18


def encode(linear: Tensor) -> Tensor:
    """ACEScct curve (S-2016-001) of linear values; any shape, unbounded; mid grey 0.18 becomes 0.414."""
    log = torch.log2(linear.clamp(min=_TOE)).add_(9.72).div_(17.52)
    return log.add_(linear.clamp(max=_TOE).sub_(_TOE), alpha=_SLOPE)


def decode(code: Tensor) -> Tensor:
    """Inverse of `encode`."""
    straight = code.clamp(max=_BEND).sub_(_BEND).div_(_SLOPE)
    return straight.add_(torch.exp2(code.clamp(min=_BEND).mul_(17.52).sub_(9.72)))


def display(linear: Tensor) -> Tensor:
    """Display-like 0..1 of linear values: x / (x + mid grey), the Naka-Rushton response; bounded for any highlight."""
    positive = linear.clamp(min=0)
    return positive / (positive + _MID_GREY)


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


Noise: TypeAlias = Sequence[tuple[float, float]]
"""Grain of frame minus plate: of each channel ``(a, b)``, the variance of a pixel being ``a + b * plate``."""

TYPICAL_NOISE: Noise = ((1e-5, 1e-3),) * 3
"""Grain where none was measured, ``(a, b)`` of each channel in anchored light: a camera at base sensitivity."""

# Deviations beyond which a difference is no surer.
_SURE = 30.0

SIGNIFICANCE = 7
"""Channels of `significance`."""


def significance(frame: Tensor, plate: Tensor, valid: Tensor, noise: Tensor) -> Tensor:
    """How unlikely it is that grain alone made the frame differ from the plate, by cells of 2 x 2 pixels.

    Differences are divided by the grain's deviation. Their mean square is 1 where there is nothing but white grain, and
    so is the square of their mean times its count, which finds a difference that is small but everywhere; both of the
    cell, and of 5 x 5 cells around it (a chi-square test, Aach, Kaup & Mester, Signal Processing 31, 1993).

    Args:
        frame: ``(N, 3, H, W)`` linear.
        plate: the same.
        valid: ``(N, 1, H, W)`` share of pixels that the plate saw.
        noise: ``(N, 3, 2)``: variance of the difference of two pixels is ``a + b * plate``.

    Returns:
        ``(N, 7, H / 2, W / 2)``: the four statistics as ``log(1 + x) / 4``, and the signed mean of each channel,
        squashed to -1..1.
    """
    deviations = _deviations(frame, plate, valid, noise)
    energy = pooled(deviations.square().mean(1, keepdim=True), 2)
    mean = pooled(deviations, 2) * 2
    around = blurred(torch.cat((energy, mean), 1), 5)
    squares = (energy, mean.square(), around[:, :1], (around[:, 1:] * 5).square())
    statistics = torch.cat([square.mean(1, keepdim=True) for square in squares], 1)
    return torch.cat((torch.log1p(statistics) / 4, mean / (3 + mean.abs())), 1)


def departure(frame: Tensor, plate: Tensor, valid: Tensor, noise: Tensor) -> Tensor:
    """The difference as the grain sees it: signed deviations of 2 x 2 pixels' mean, squashed.

    Args:
        frame: ``(4, 3, K, h, w)`` linear, the four pixels apart.
        plate: the same.
        valid: ``(4, 1, K, h, w)`` share of pixels that the plate saw.
        noise: ``(3, K, 2)``: variance of the difference of two pixels is ``a + b * plate``.

    Returns:
        ``(3, K, h, w)``, -1..1: half where the mean lies three deviations off.
    """
    mean = _deviations(frame, plate, valid, noise).mean(0) * 2
    return mean / (3 + mean.abs())


def _deviations(frame: Tensor, plate: Tensor, valid: Tensor, noise: Tensor) -> Tensor:
    """The difference divided by the grain's deviation, ``(N, 3, ...)``, within `_SURE`; 0 where invalid."""
    constant, slope = noise.to(frame.dtype)[..., None, None, :].unbind(-1)
    sure = torch.rsqrt((slope * plate.clamp(min=0)).add_(constant + 1e-9))
    return (frame - plate).mul_(valid).mul_(sure).clamp_(-_SURE, _SURE)


def unmixing(frame: Tensor, behind: Tensor, foreground: Tensor) -> Tensor:
    """Alpha by physics, if the colours before and behind were known: the frame's place on the line between the two.

    ``a = <I - sB, F - sB> / |F - sB|^2`` in linear light, least squares over the channels; the separation of the two
    colours, which says how far that can be trusted; and the least alpha that leaves no negative foreground,
    ``max_c(1 - I_c / sB_c)``.

    Args:
        frame: ``(N, 3, H, W)`` linear.
        behind: shadowed plate, the same.
        foreground: the same.

    Returns:
        ``(N, 3, H, W)``: alpha -0.5..1.5, separation 0..1, least alpha 0..1.
    """
    span = foreground - behind
    power = span.square().sum(1, keepdim=True)
    scale = (foreground.abs() + behind.abs()).square().sum(1, keepdim=True) + 1e-6
    alpha = ((frame - behind) * span).sum(1, keepdim=True) / (power + 1e-3 * scale)
    least = (1 - (frame + _DARK) / (behind.clamp(min=0) + _DARK)).amax(1, keepdim=True)
    return torch.cat((alpha.clamp(-0.5, 1.5), torch.sqrt(power / scale), least.clamp(0, 1)), 1)


def light_ratio(frame: Tensor, plate: Tensor) -> Tensor:
    """How much of the plate's light arrives, if all of the difference were shadow: sums over 3x3, one by the other.

    Args:
        frame: ``(N, 3, H, W)`` linear.
        plate: the same.

    Returns:
        ``(N, 3, H, W)``, 0.02..1.
    """
    smooth = blurred(torch.cat((frame, plate), 1).clamp(min=0), 3)
    with_subject, without = smooth.chunk(2, 1)
    return ((with_subject + _DARK) / (without + _DARK)).clamp(0.02, 1)
