"""Light as PlateNet sees it: curves, differences, and what physics alone can say about alpha and shadow."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

# ACEScct, S-2016-001: linear below the toe, logarithmic above, so that negatives and highlights both survive.
_TOE, _SLOPE, _INTERCEPT = 0.0078125, 10.5402377416545, 0.0729055341958355

BRIGHTEST = (16 + 9.72) / 17.52
"""Log code of 65504, the largest half: no subject is taken for brighter while its colour is being guessed."""

# Anchored light below which a ratio is noise: six and a half stops under mid grey.
_DARK = 0.002

# The mid grey that the exposure anchor brings the plate's average to.
_MID_GREY = 0.18


def encode(linear: Tensor) -> Tensor:
    """ACEScct curve (S-2016-001) of linear values; any shape, unbounded; mid grey 0.18 becomes 0.414."""
    log = (torch.log2(linear.clamp(min=_TOE)) + 9.72) / 17.52
    return torch.where(linear > _TOE, log, _SLOPE * linear + _INTERCEPT)


def decode(code: Tensor) -> Tensor:
    """Inverse of `encode`."""
    toe = (code - _INTERCEPT) / _SLOPE
    return torch.where(toe > _TOE, torch.exp2(code * 17.52 - 9.72), toe)


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
    smooth = functional.avg_pool2d(torch.cat((frame, plate), 1).clamp(min=0), 3, stride=1, padding=1)
    with_subject, without = smooth.chunk(2, 1)
    return ((with_subject + _DARK) / (without + _DARK)).clamp(0.02, 1)
