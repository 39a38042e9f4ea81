"""How good a network is on frames of the clip that nothing was learned from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from engine.training.adaptation.clip import Clip
from engine.training.adaptation.samples import ClipSource
from engine.training.adversarial.composites import READERS
from engine.training.stream import Batch

_BATCHES, _COUNT, _SEED = 5, 4, 7
"""Measured samples of either kind: batches, samples of each, and the seed they are drawn by, the same every time."""


@dataclass(frozen=True)
class Measured:
    """Errors on held-out frames, x 1e3.

    Attributes:
        exact: mean absolute error of alpha on the held-out frames' subjects over their sets, with exact truth.
        certain: the same on the held-out frames as they are, where their matte is certain.
    """

    exact: float
    certain: float


class HeldOut:
    """The measured samples of a clip; the same for every network.

    Args:
        clip: its held-out frames are used.
        architecture: of the networks, a name of `READERS`.
    """

    def __init__(self, clip: Clip, architecture: str) -> None:
        self._source = ClipSource(clip, clip.held_out, _SEED, _COUNT)
        self._read = READERS[architecture]

    def measure(self, network: nn.Module) -> Iterator[Measured | None]:
        """Measure batch by batch; yields None after each, and at last what was found."""
        device = next(network.parameters()).device
        exact, certain = [], []
        for number in range(_BATCHES):
            exact.append(self._error(network, self._source.batch(number, 0.0), device))
            yield None
            certain.append(self._error(network, self._source.as_shot(number), device))
            yield None
        yield Measured(round(1e3 * float(np.mean(exact)), 3), round(1e3 * float(np.mean(certain)), 3))

    @torch.no_grad()
    def _error(self, network: nn.Module, batch: Batch, device: torch.device) -> float:
        there = {name: value.to(device) for name, value in batch.items()}
        off = (self._read(network, there).alpha - there["alpha"]).abs()
        counted = there.get("certain", torch.ones_like(off))
        return float((off * counted).sum() / counted.sum().clamp(min=1))
