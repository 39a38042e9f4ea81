"""How good a network is on frames of the clip that nothing was learned from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.training.adaptation.clip import Clip
from engine.training.adaptation.samples import ClipSource
from engine.training.adversarial.composites import READERS
from engine.training.stream import Batch

_BATCHES, _COUNT, _SEED = 5, 4, 7
"""Measured samples of either kind: batches, samples of each, and the seed they are drawn by, the same every time."""

_GAIN = 0.98
"""Share of the base's error that an adapted model's must lie below."""

_CONTRADICTION = 1.0
"""Error x 1e3 where the base's matte is certain, up to which an adapted model may depart from it further."""

_SELF_CONTRADICTION = 6.0
"""The base's own error x 1e3 there, seen through a window instead of whole, above which its certainty means nothing."""


@dataclass(frozen=True)
class Measured:
    """Figures on held-out frames.

    Attributes:
        exact: mean absolute error of alpha x 1e3 on their subjects over their sets, with exact truth.
        certain: the same on the frames as they are, where their matte is certain.
    """

    exact: float
    certain: float

    def helps(self, before: Measured) -> bool:
        """Whether a network with these figures is to be kept instead of the base, whose figures are ``before``."""
        kept = self.certain < before.certain + _CONTRADICTION and before.certain < _SELF_CONTRADICTION
        return kept and self.exact < _GAIN * before.exact


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
        exact, certain = _Mean(), _Mean()
        for number in range(_BATCHES):
            self._measure(network, self._source.batch(number, 0.0), device, exact)
            yield None
            self._measure(network, self._source.as_shot(number), device, certain)
            yield None
        yield Measured(round(1e3 * exact.value, 3), round(1e3 * certain.value, 3))

    @torch.no_grad()
    def _measure(self, network: nn.Module, batch: Batch, device: torch.device, mean: _Mean) -> None:
        there = {name: value.to(device) for name, value in batch.items()}
        mean.add((self._read(network, there).alpha - there["alpha"]).abs(), there["trust"])


class _Mean:
    """A weighted mean over batches."""

    def __init__(self) -> None:
        self._sum, self._weight = 0.0, 0.0

    def add(self, values: Tensor, weights: Tensor) -> None:
        """Add values and their weights, of the same shape."""
        self._sum += float((values * weights).sum())
        self._weight += float(weights.sum())

    @property
    def value(self) -> float:
        """0 where nothing had any weight."""
        return self._sum / self._weight if self._weight > 0 else 0.0
