"""Scene-linear to the display-referred pictures that other people's networks were trained on, and back.

They learned from 8-bit sRGB photographs and video: Rec.709 primaries, the sRGB curve (IEC 61966-2-1), white at 1. The
exposure anchor has brought the picture's average to mid grey, where such footage has it. What is brighter than half of
white is not clipped, as a cheap camera would, but rolled off: two highlights that differ still differ, and a subject
before a window is not lost. Below, linear light is reproduced as it is.
"""

from __future__ import annotations

import torch
from torch import Tensor

# ACEScg (AP1, ACES white) to linear Rec.709 (D65), Bradford adaptation: the matrix of the ACES OCIO configurations.
_TO_REC709 = (
    (1.7050509, -0.6217921, -0.0832588),
    (-0.1302564, 1.1408047, -0.0105483),
    (-0.0240034, -0.1289690, 1.1529724),
)
_TO_ACESCG = (
    (0.6130974, 0.3395231, 0.0473795),
    (0.0701937, 0.9163539, 0.0134524),
    (0.0206156, 0.1095698, 0.8698147),
)

# Where the roll-off 1 - 1 / (4 x) leaves the straight line, with the same slope.
_KNEE = 0.5

# The brightest rolled-off value that an 8-bit picture can tell from white; it stands for 64 times white's light.
_BRIGHTEST = 255 / 256


def to_display(linear: Tensor) -> Tensor:
    """Anchored linear ACEScg ``(N, 3, H, W)``, unbounded, to sRGB 0..1; colours beyond Rec.709 lose their negatives."""
    light = _matrix(_TO_REC709, linear).clamp(min=0)
    light = torch.where(light > _KNEE, 1 - 0.25 / light.clamp(min=_KNEE), light)
    return torch.where(light > 0.0031308, 1.055 * light.clamp(min=0.0031308) ** (1 / 2.4) - 0.055, 12.92 * light)


def from_display(display: Tensor) -> Tensor:
    """Inverse of `to_display`, for 0..1; white comes back as 64."""
    shown = display.float().clamp(0, 1)
    light = torch.where(shown > 0.04045, ((shown + 0.055) / 1.055) ** 2.4, shown / 12.92)
    light = torch.where(light > _KNEE, 0.25 / (1 - light.clamp(max=_BRIGHTEST)), light)
    return _matrix(_TO_ACESCG, light)


def _matrix(rows: tuple[tuple[float, ...], ...], rgb: Tensor) -> Tensor:
    """Multiply each pixel, in its own precision: a matrix product would be half under autocast, and overflow."""
    red, green, blue = rgb.split(1, 1)
    return torch.cat([row[0] * red + row[1] * green + row[2] * blue for row in rows], 1)
