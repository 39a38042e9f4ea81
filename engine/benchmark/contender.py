"""A network to measure: with its weights where they are here, else untrained, which costs the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from engine.errors import EngineError
from engine.network.architectures import ARCHITECTURES
from engine.network.bgmv2.keyer import Bgmv2Keyer
from engine.network.keyer import Keyer
from engine.network.table import card, load_network, models


@dataclass(frozen=True)
class Contender:
    """A network on a device.

    Attributes:
        name: of the model or architecture.
        architecture: a name of `ARCHITECTURES`.
        trained: whether it has weights.
        parameters: number of trained values.
        network: itself, without what the pipeline needs around it.
        options: how it is run.
    """

    name: str
    architecture: str
    trained: bool
    parameters: int
    network: nn.Module
    options: Mapping[str, str]

    def keyer(self) -> Keyer:
        """As the pipeline calls it, with nothing remembered from earlier pictures.

        An untrained BackgroundMattingV2 refines its whole budget: its expected errors mean nothing, and a trained one
        spends the budget wherever edges abound.
        """
        keyer = ARCHITECTURES[self.architecture].keyer(self.network, self.options)
        if isinstance(keyer, Bgmv2Keyer):
            keyer.whole_budget = not self.trained
        return keyer


def check_names(names: list[str]) -> None:
    """Accept models and architectures.

    Raises:
        EngineError: MODEL_UNKNOWN for another name, or for none.
    """
    known = sorted({*models(), *ARCHITECTURES})
    for name in names or [""]:
        if name not in known:
            raise EngineError("MODEL_UNKNOWN", f"There is no model {name!r}.", f"Choose from: {', '.join(known)}.")


def contender(name: str, device: str) -> Contender:
    """Load a model, or build an untrained one of that architecture.

    Raises:
        EngineError: MODEL_UNKNOWN.
    """
    trained = name in models()
    architecture = card(name).architecture if trained else name
    network: nn.Module = load_network(name, device) if trained else _untrained(architecture, device)
    parameters = sum(value.numel() for value in network.parameters())
    options = card(name).options if trained else {}
    return Contender(name, architecture, trained, parameters, network, options)


def _untrained(architecture: str, device: str) -> nn.Module:
    torch.manual_seed(0)
    network: nn.Module = ARCHITECTURES[architecture].build()
    return network.eval().to(torch.device(device)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
