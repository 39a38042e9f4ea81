"""A moving average of a network's weights: what is validated and shipped (Polyak and Juditsky, 1992)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

# Steps over which the average forgets the beginning, however long its memory.
_YOUTH = 20


class Average:
    """The averaged state of a network, with its batch statistics.

    Attributes:
        values: name -> averaged value, as in the network's state.
    """

    def __init__(self, network: nn.Module, keep: float) -> None:
        self.values: dict[str, Tensor] = {name: value.detach().clone() for name, value in network.state_dict().items()}
        self._keep = keep

    @torch.no_grad()
    def follow(self, network: nn.Module, step: int) -> None:
        """Take in the network after a step, counted from 1; whole numbers are copied."""
        keep = min(self._keep, step / (step + _YOUTH))
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                self.values[name].lerp_(value, 1 - keep)
            else:
                self.values[name].copy_(value)
