"""The networks by name, and loading their weights: safetensors only, checked against a hash, never unpickled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load

from engine.errors import EngineError
from engine.network.platenet import PlateNet

WEIGHTS = Path(__file__).parent / "weights"
"""Folder of the shipped weights."""


@dataclass(frozen=True)
class ModelCard:
    """What is known of a network without loading it.

    Attributes:
        name: as the knob "Model" spells it.
        factory: makes it, untrained.
        file: weights in `WEIGHTS`.
        sha256: of that file, hex.
        parameters: number of trained values.
        licence: SPDX name of the weights' licence.
        commercial_use: whether that licence allows it.
        data: where the training data came from, one sentence.
    """

    name: str
    factory: Callable[[], PlateNet]
    file: str
    sha256: str
    parameters: int
    licence: str
    commercial_use: bool
    data: str

    @property
    def path(self) -> Path:
        """The weights file."""
        return WEIGHTS / self.file

    @property
    def size(self) -> int:
        """Bytes of the weights file, 0 where it is missing."""
        return self.path.stat().st_size if self.path.exists() else 0


MODELS: dict[str, ModelCard] = {
    card.name: card
    for card in (
        ModelCard(
            name="platenet",
            factory=PlateNet,
            file="platenet_v1.safetensors",
            sha256="0" * 64,
            parameters=1_073_481,
            licence="Apache-2.0",
            commercial_use=True,
            data="Painted subjects over 13 CC0 and CC-BY photographs; encoder started from EfficientNet-Lite0 (ImageNet).",
        ),
    )
}
"""Every network that can be asked for."""


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
    network = chosen.factory()
    network.load_state_dict({key: value.to(torch.float32) for key, value in load(data).items()})
    return network.eval().to(device, memory_format=torch.channels_last)
