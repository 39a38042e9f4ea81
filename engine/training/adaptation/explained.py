"""How much of a frame a matte explains, without knowing the truth.

Where alpha is right, ``I - (1 - a) s B = a F`` with a colour F that hardly changes over a few pixels. So in every
window of `_WINDOW` pixels the F that fits best is found, in linear light, and what it leaves is compared with what
alpha 0 leaves: the frame's departure from its plate. A fog in place of hairs leaves the hairs, and no alpha leaves all.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from engine.training.stream import Batch

_WINDOW = 7
"""Pixels along a window's side: wider than a hair and the gap beside it, smaller than most patterns of cloth."""

_DARK = 0.02
"""Anchored light that is added before errors are taken as shares of it: three stops under mid grey."""


def unexplained(alpha: Tensor, shadow: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """What a matte leaves, and what there is to explain; squared shares of the light, meaned over a window.

    Args:
        alpha: ``(N, 1, H, W)``.
        shadow: ``(N, 3, H, W)`` ratio.
        batch: frames as they are, of `engine.training.adaptation.samples.ClipSource.as_shot`.

    Returns:
        ``(N, 1, H, W)`` each, 0 where the batch's trust says that the model was sure, or the plate never saw the pixel.
    """
    frame, behind = batch["frame"], shadow * batch["plate"]
    scale = batch["valid"] / (frame.clamp(min=0) + behind.clamp(min=0) + _DARK)
    subject = (frame - (1 - alpha) * behind) * scale
    opaque = alpha * scale
    power, product, energy = map(_means, (opaque.square(), opaque * subject, subject.square()))
    left = (energy - product.square() / power.clamp(min=1e-12)).clamp(min=0)
    departure = _means(((frame - behind) * scale).square())
    doubtful = (batch["trust"] == 0) * batch["valid"]
    return left.mean(1, keepdim=True) * doubtful, departure.mean(1, keepdim=True) * doubtful


def _means(planes: Tensor) -> Tensor:
    return functional.avg_pool2d(planes, _WINDOW, stride=1, padding=_WINDOW // 2, count_include_pad=False)
