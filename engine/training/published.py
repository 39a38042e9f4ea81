"""Terms of the losses of "Background Matting" (Sengupta et al., CVPR 2020), for every recipe that follows it.

The paper's pictures and alphas are in -1..1, and so are its weights; these functions take them in that scale.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

# Sobel and Feldman's operator, 1968, not normalised.
_SOBEL = ((1.0, 0.0, -1.0), (2.0, 0.0, -2.0), (1.0, 0.0, -1.0))


def masked_l1(estimate: Tensor, truth: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean absolute difference over a mask, picture by picture, then over the pictures that have any of it.

    Args:
        estimate: ``(N, C, H, W)``.
        truth: the same.
        mask: ``(N, 1, H, W)``, 0 or 1; everything where None.
    """
    difference = (estimate - truth).abs().mean(1, keepdim=True)
    if mask is None:
        return difference.mean()
    area = mask.sum((1, 2, 3))
    means = (difference * mask).sum((1, 2, 3)) / area.clamp(min=1)
    return means.sum() / (area > 0).sum().clamp(min=1)


def gradient_l1(estimate: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute difference of the Sobel gradients of two ``(N, 1, H, W)``, without a border."""
    across = estimate.new_tensor(_SOBEL)
    kernels = torch.stack((across, across.T))[:, None]
    return functional.conv2d(estimate - truth, kernels).abs().mean()


def verdict_loss(verdict: Tensor, real: bool) -> Tensor:
    """Least-squares GAN (Mao et al., ICCV 2017): squared distance of the verdicts to 1 for real, 0 for made."""
    return (verdict - float(real)).square().mean()


def pasted(picture: Tensor, foreground: Tensor, alpha: Tensor) -> Tensor:
    """The foreground, replaced by the picture itself where alpha is all but 1 (above 0.95 of -1..1)."""
    return torch.where(alpha > 0.95, picture, foreground)
