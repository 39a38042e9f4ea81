"""The networks by name, and loading their weights: safetensors only, checked against a hash, never unpickled."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load
from torch import nn

from engine.errors import EngineError
from engine.network.architectures import ARCHITECTURES, FACTORIES
from engine.network.keyer import Keyer
from engine.network.options import options_in

__all__ = [
    "FACTORIES",
    "MODELS",
    "PERMISSIVE",
    "WEIGHTS",
    "ModelCard",
    "card",
    "home",
    "load_keyer",
    "load_network",
    "models",
]

WEIGHTS = Path(__file__).parent / "weights"
"""Folder of the shipped weights."""

PERMISSIVE = frozenset(
    {"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CC-BY-4.0", "ISC", "MIT", "Unlicense"}
)
"""SPDX names of licences that allow commercial use; any other is taken not to."""

_log = logging.getLogger(__name__)


def home() -> Path:
    """Folder of the weights that the user added: ``models`` in ``$PLATEKEY_HOME``, or in ``~/.platekey``."""
    chosen = os.environ.get("PLATEKEY_HOME")
    return (Path(chosen).expanduser().absolute() if chosen else Path.home() / ".platekey") / "models"


@dataclass(frozen=True)
class ModelCard:
    """What is known of a network without loading it: the JSON file beside its weights.

    Attributes:
        name: as the knob "Model" spells it.
        architecture: a name of `ARCHITECTURES`.
        file: weights, in `WEIGHTS` or in `home`.
        sha256: of that file, hex.
        parameters: number of trained values.
        licence: SPDX name of the weights' licence.
        commercial_use: whether that licence allows it.
        data: where the training data came from, one sentence.
        sources: packages and works behind it, with their licences.
        training: settings and figures of the run.
        origin: where the weights are to be had.
        shipped: they are part of PlateKey; else the user added them.
    """

    name: str
    architecture: str
    file: str
    sha256: str
    parameters: int
    licence: str
    commercial_use: bool
    data: str
    sources: list[dict[str, str]] = field(default_factory=list)
    training: dict[str, str] = field(default_factory=dict)
    origin: str = "shipped with PlateKey"
    shipped: bool = True

    @property
    def path(self) -> Path:
        """The weights file."""
        return (WEIGHTS if self.shipped else home()) / self.file

    @property
    def size(self) -> int:
        """Bytes of the weights file, 0 where it is missing."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def options(self) -> dict[str, str]:
        """How the network is run, as its weights file says."""
        return options_in(self.path)

    def intact_bytes(self) -> bytes:
        """The weights file, with the hash that this card promises.

        Raises:
            EngineError: MODEL_UNKNOWN for a file that is missing, unreadable or another.
        """
        try:
            data = self.path.read_bytes()
        except OSError:
            data = b""
        if hashlib.sha256(data).hexdigest() != self.sha256:
            step = "Install PlateKey again" if self.shipped else "Add it again with `platekey-engine models add`"
            message = f"The weights {self.file} of model {self.name!r} fail their checksum."
            raise EngineError("MODEL_UNKNOWN", message, f"{step}: the file is missing or was changed.")
        return data


def _cards(folder: Path) -> Iterator[ModelCard]:
    for path in sorted(folder.glob("*.json")):
        try:
            found = ModelCard(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            _log.warning("%s is no model's card: %s", path, error)
            continue
        if found.architecture in ARCHITECTURES:
            yield found


MODELS: dict[str, ModelCard] = {shipped.name: shipped for shipped in _cards(WEIGHTS)}
"""The shipped networks, by name."""


def models() -> dict[str, ModelCard]:
    """Every network that can be asked for now, by name: the shipped ones, and those that the user added."""
    return {**{added.name: added for added in _cards(home()) if not added.shipped}, **MODELS}


def card(name: str) -> ModelCard:
    """The card of a name.

    Raises:
        EngineError: MODEL_UNKNOWN, listing the names, or saying where a known network's weights are to be had.
    """
    known = models()
    if name in known:
        return known[name]
    if name in ARCHITECTURES:
        step = f"Get {ARCHITECTURES[name].origin}, and run `platekey-engine models add FILE` on the engine's machine."
        raise EngineError("MODEL_UNKNOWN", f"The weights of model {name!r} are not on this machine.", step)
    step = f"Choose one of: {', '.join(known)}."
    raise EngineError("MODEL_UNKNOWN", f"There is no model {name!r}.", step)


def load_network(name: str, device: str) -> Any:  # noqa: ANN401 - each architecture has its own inputs
    """A network with its weights in float32, on a device, in evaluation mode; of the architecture's own class.

    Raises:
        EngineError: MODEL_UNKNOWN where the name, the file or its hash is not known.
    """
    return _loaded(card(name), device)


def load_keyer(name: str, device: str) -> Keyer:
    """The same, wrapped so that the pipeline can call it."""
    chosen = card(name)
    return ARCHITECTURES[chosen.architecture].keyer(_loaded(chosen, device), chosen.options)


def _loaded(chosen: ModelCard, device: str) -> nn.Module:
    network: nn.Module = FACTORIES[chosen.architecture]()
    weights = load(chosen.intact_bytes())
    network.load_state_dict(
        {key: value.to(torch.float32) if value.is_floating_point() else value for key, value in weights.items()}
    )
    return network.eval().to(torch.device(device)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
