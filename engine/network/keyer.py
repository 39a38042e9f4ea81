"""What the pipeline asks of a network, whatever its architecture."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from engine.network.platenet import Prediction
from engine.network.platenet.light import Noise

# Beyond 0 and 1, so that `squash` reaches both ends in spite of rounding.
_REACH = 1e-6


class Keyer(Protocol):
    """A network as the pipeline calls it."""

    @property
    def stride(self) -> int:
        """Height and width of the input must be multiples of this."""

    @property
    def margin(self) -> int | None:
        """Pixels that a tile must overlap its neighbour; None where the network must see the whole picture at once."""

    @property
    def bytes_per_pixel(self) -> int:
        """Peak memory for a pixel of input in float32, with a margin."""

    @property
    def takes_hint(self) -> bool:
        """Whether a hint makes a difference."""

    def at(self, height: int, width: int, noise: Noise | None = None) -> Keyer:
        """The network as it is run on pictures of this size and grain (None: not measured)."""

    def __call__(self, frame: Tensor, plate: Tensor, valid: Tensor, hint: Tensor) -> Prediction:
        """Matte a batch; see `engine.network.platenet.PlateNet.forward`."""


def logit_of(alpha: Tensor) -> Tensor:
    """Inverse of `engine.network.platenet.squash`: a logit for alpha 0..1, such that 0 and 1 come back exactly."""
    reached = alpha.float() * (1 + 2 * _REACH) - _REACH
    return torch.logit((reached + 0.05) / 1.1)


def filled(frame: Tensor, plate: Tensor, valid: Tensor, hint: Tensor) -> Tensor:
    """A plate without gaps, for networks that know of none.

    Where the plate saw nothing it becomes the frame, so that no difference is seen there; but black where the hint says
    subject. After the published code of Background Matting, which fills so by its segmentation.

    Args:
        frame: ``(N, 3, H, W)``.
        plate: the same, 0 where invalid.
        valid: ``(N, 1, H, W)``, 0 or 1.
        hint: ``(N, 2, H, W)``: a rough matte, and the trust in it.
    """
    subject = hint[:, :1] * hint[:, 1:]
    return plate * valid + frame * (1 - valid) * (1 - subject)
