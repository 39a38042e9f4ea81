"""What a recipe brings to the trainer: networks, samples, losses, and a way to see how it does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from engine.errors import EngineError
from engine.training.stream import Batch, BatchSource

# Largest norm of a step's gradient.
_CLIP = 1.0


@dataclass(frozen=True)
class Column:
    """A column of the picture of samples.

    Attributes:
        title: above it.
        pixels: ``(N, 3, H, W)`` linear ACEScg with mid grey at 0.18, or ``(N, 1, H, W)`` data in 0..1.
    """

    title: str
    pixels: Tensor


class Recipe(ABC):
    """One way to train one network.

    Attributes:
        architecture: name of the network in the table.
        network: what learns, is averaged, validated and exported.
        others: what is kept in the checkpoint beside it, by name.
        optimisers: by name; a parameter group may carry a ``share`` of the run's learning rate.
        source: of the batches.
    """

    architecture: str
    network: nn.Module
    others: Mapping[str, nn.Module]
    optimisers: Mapping[str, Optimizer]
    source: BatchSource

    @abstractmethod
    def prepare(self) -> None:
        """Do what takes long before the first step: paint, register; what is there from an earlier run is kept.

        Raises:
            EngineError: data is missing or cannot be used.
        """

    @abstractmethod
    def learn(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """One step, the optimisers' included; returns the losses by name, their ``total`` among them.

        Raises:
            EngineError: INTERNAL where a loss is not finite.
        """

    @abstractmethod
    def validate(self, network: nn.Module) -> dict[str, float]:
        """Errors of a network, in evaluation mode and on the CPU, on what training never sees."""

    @abstractmethod
    def show(self, network: nn.Module) -> list[Column]:
        """The same few samples every time, for the picture."""

    def descend(self, name: str, loss: Tensor, module: nn.Module) -> None:
        """Go one optimiser's step down a module's gradient, which is clipped to a norm of 1.

        Raises:
            EngineError: INTERNAL where loss or gradient is not finite; no weight has changed then.
        """
        self.optimisers[name].zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(module.parameters(), _CLIP)
        if not bool(torch.isfinite(loss) & torch.isfinite(norm)):
            step = "Go on with another run.seed, or a lower run.rate."
            raise EngineError("INTERNAL", f"The loss of the {name}, or its gradient, is not finite.", step)
        self.optimisers[name].step()
