"""The networks by name, and loading their weights: safetensors only, checked against a hash, never unpickled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load

from engine.errors import EngineError
from engine.network.platenet import PlateNet

WEIGHTS = Path(__file__).parent / "weights"
"""Folder of the shipped weights."""


FACTORIES: dict[str, Callable[[], PlateNet]] = {"platenet": PlateNet}
"""Architectures by name, each made untrained."""


@dataclass(frozen=True)
class ModelCard:
    """What is known of a network without loading it: the JSON file beside its weights.

    Attributes:
        name: as the knob "Model" spells it.
        architecture: a name of `FACTORIES`.
        file: weights in `WEIGHTS`.
        sha256: of that file, hex.
        parameters: number of trained values.
        licence: SPDX name of the weights' licence.
        commercial_use: whether that licence allows it.
        data: where the training data came from, one sentence.
        sources: packages and works behind it, with their licences.
        training: settings and figures of the run.
    """

    name: str
    architecture: str
    file: str
    sha256: str
    parameters: int
    licence: str
    commercial_use: bool
    data: str
    sources: list[dict[str, str]]
    training: dict[str, str]

    @property
    def path(self) -> Path:
        """The weights file."""
        return WEIGHTS / self.file

    @property
    def size(self) -> int:
        """Bytes of the weights file, 0 where it is missing."""
        return self.path.stat().st_size if self.path.exists() else 0


def _cards() -> dict[str, ModelCard]:
    cards = (ModelCard(**json.loads(path.read_text(encoding="utf-8"))) for path in sorted(WEIGHTS.glob("*.json")))
    return {card.name: card for card in cards}


MODELS: dict[str, ModelCard] = _cards()
"""Every network that can be asked for, by name."""


def card(name: str) -> ModelCard:
    """The card of a name.

    Raises:
        EngineError: MODEL_UNKNOWN, listing the names.
    """
    if name not in MODELS:
        step = f"Choose one of: {', '.join(MODELS)}."
        raise EngineError("MODEL_UNKNOWN", f"There is no model {name!r}.", step)
    return MODELS[name]


def load_network(name: str, device: str) -> PlateNet:
    """A network with its weights in float32, on a device, ready to matte.

    Raises:
        EngineError: MODEL_UNKNOWN where the name, the file or its hash is not known.
    """
    chosen = card(name)
    data = chosen.path.read_bytes() if chosen.path.exists() else b""
    if hashlib.sha256(data).hexdigest() != chosen.sha256:
        step = "Install PlateKey again: the file is missing or was changed."
        raise EngineError("MODEL_UNKNOWN", f"The weights {chosen.file} of model {name!r} fail their checksum.", step)
    network = FACTORIES[chosen.architecture]()
    network.load_state_dict({key: value.to(torch.float32) for key, value in load(data).items()})
    return network.eval().to(torch.device(device)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
