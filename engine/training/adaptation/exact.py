"""The recipe with exact targets: few weights, learned from a clip's own subject over its own set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from engine.errors import EngineError
from engine.network.platenet import PlateNet
from engine.training.adaptation.clip import Clip
from engine.training.adaptation.samples import ClipSource
from engine.training.config import Config, Run
from engine.training.losses import step_losses
from engine.training.recipe import Column, Recipe
from engine.training.stream import Batch

ARCHITECTURES = ("platenet",)
"""Whose losses there are."""


_PLAIN = 0.25
"""Share of the samples that are frames as they are, so that what the model was sure of there stays."""


@dataclass(frozen=True)
class Exact:
    """The recipe's own settings.

    Attributes:
        batch: samples of a step.
    """

    batch: int


@dataclass(frozen=True)
class ExactConfig(Config):
    """A run of this recipe; it stands in no file, so it has no table."""

    recipe: Exact  # type: ignore[assignment]

    @property
    def name(self) -> str:
        """Of the recipe."""
        return "exact"


class ExactRecipe(Recipe):
    """Learns the scales and offsets of all normalisations, and the last layers; the rest stays as it was trained.

    Batch statistics are frozen: those of a few pictures would disturb them.

    Args:
        run: its rate is that of all learned weights.
        clip: whose learned frames are learned from.
        network: the present model, of `ARCHITECTURES`, in evaluation mode; changed in place.
        count: samples of a step.
    """

    architecture = "platenet"

    def __init__(self, run: Run, clip: Clip, network: PlateNet, count: int) -> None:
        self.network, self.others = network.to(torch.device(run.device)).eval().requires_grad_(False), {}
        learned = list(_learned(network))
        for parameter in learned:
            parameter.requires_grad_(True)
        self.optimisers = {"network": torch.optim.Adam(learned, lr=run.rate)}
        self.source = ClipSource(clip, clip.learned, run.seed, count, _PLAIN)

    def prepare(self) -> None:
        """Nothing: the clip is there."""

    def learn(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """One step; the draw of tiles is the step's own, so that a resumed run goes on as it would have."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(step)
            terms = step_losses(cast(PlateNet, self.network), batch)
        total = torch.stack(list(terms.values())).sum()
        self.descend("network", total, self.network)
        return {"total": total, **terms}

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Nothing: `engine.training.adaptation.held_out` measures every method alike."""
        del network
        return {}

    def show(self, network: nn.Module) -> list[Column]:
        """Nothing."""
        del network
        return []


def require_exact(architecture: str) -> None:
    """Refuse a network that has no losses for exact targets.

    Raises:
        EngineError: UNSUPPORTED.
    """
    if architecture not in ARCHITECTURES:
        message = f"A model of {architecture} cannot be adapted with exact targets."
        raise EngineError("UNSUPPORTED", message, f"Choose one of: {', '.join(ARCHITECTURES)}.")


def _learned(network: PlateNet) -> Iterator[nn.Parameter]:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            yield from module.parameters()
    yield from network.base.heads.parameters()
    yield from network.refiner.full[-1].parameters()
