"""Losses. Alpha is judged at every scale, colour where it can be seen."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from engine.network.platenet import Prediction, encode, squash


@dataclass(frozen=True)
class Truth:
    """What a sample knows: ``alpha (N, 1, H, W)``, ``shadow`` and premultiplied ``foreground (N, 3, H, W)``."""

    alpha: Tensor
    shadow: Tensor
    foreground: Tensor


def laplacian(difference: Tensor, levels: int = 5) -> Tensor:
    """L1 of the Laplacian pyramid of a difference, level k weighted 2**k (Hou and Liu, ICCV 2019)."""
    total = difference.new_zeros(())
    for level in range(levels):
        small = functional.avg_pool2d(difference, 2)
        up = functional.interpolate(small, size=difference.shape[-2:], mode="bilinear", align_corners=False)
        total = total + (difference - up).abs().mean() * 2**level
        difference = small
    return total


def losses(prediction: Prediction, truth: Truth) -> dict[str, Tensor]:
    """Weighted terms; their sum is what training lowers.

    * ``alpha``: L1, three times as much in the soft band (0 < a < 1), where the picture is decided.
    * ``detail``: L1 of the Laplacian pyramid of alpha.
    * ``shadow``: L1 of the ratio where the background shows, four times as much where there is a shadow.
    * ``foreground``: L1 of the log-encoded straight colour, weighted by alpha.
    * ``uncertainty``: L1 to the error that alpha has just made.
    """
    alpha = squash(prediction.logit)
    error = alpha - truth.alpha
    band = ((truth.alpha > 0.01) & (truth.alpha < 0.99)).float()
    clear = 1 - truth.alpha
    straight = encode(truth.foreground / truth.alpha.clamp(min=0.02))
    seen = truth.alpha * (truth.alpha > 0.05)
    shaded = (truth.shadow < 0.97).float()
    shadow = (prediction.shadow - truth.shadow).abs() * (1 + 3 * shaded)
    colour = (prediction.foreground - straight).abs()
    return {
        "alpha": (error.abs() * (1 + 2 * band)).mean(),
        "detail": laplacian(error) * 0.25,
        "shadow": (shadow * clear).mean() * 2.0,
        "foreground": (colour * seen).mean() * 1.0,
        "uncertainty": (prediction.uncertainty - error.abs().detach()).abs().mean() * 0.1,
    }
