"""Who computes: what of the engine belongs into a node's state."""

from __future__ import annotations

from typing import Any, Dict, Mapping, NamedTuple

from .errors import LinkError
from .link import LinkClient

ADAPTED = "shot-"
"""Begins the name of a model that was adapted to a node's shot; it is known where it was adapted."""

_ENGINE_OPTIONS = ("device", "engine", "token_file", "tls_ca")
"""The options of a run that say who computes it."""


class Facts(NamedTuple):
    """An engine as a node knows it.

    Attributes:
        engine: version and build.
        device: what it computes on, as an artist knows it.
        weights: hash of the weights, by model.
        commercial: whether the weights may be used commercially, by model.
    """

    engine: str
    device: str
    weights: Dict[str, str]
    commercial: Dict[str, bool]

    def weights_of(self, model: str) -> str:
        """Hash of a model's weights.

        Raises:
            LinkError: ``MODEL_UNKNOWN``.
        """
        if model not in self.weights:
            step = "Choose one of {}.".format(", ".join(sorted(self.weights)) or "none")
            if model.startswith(ADAPTED):
                command = "'platekey-engine models add FILE --as {}'".format(model)
                step = "Run {} with the node's adapted.safetensors. Or c{}".format(command, step[1:])
            raise LinkError("MODEL_UNKNOWN", "The engine has no model '{}'.".format(model), step)
        return self.weights[model]


def ask_facts(link: LinkClient, options: Mapping[str, Any]) -> Facts:
    """Ask who would compute a run; an engine is started for that where none runs.

    Args:
        link: a connection.
        options: the run's; only device, engine, token_file and tls_ca count.

    Raises:
        LinkError: no engine can be had, or it has no such device.
    """
    told = link.call("describe", **{name: options[name] for name in _ENGINE_OPTIONS if options.get(name)})
    models = told["models"]
    return Facts(
        engine="{} {}".format(told["version"], told["build"]),
        device="{} ({})".format(told["device"], told["device_name"]),
        weights={model["name"]: model["weights"] for model in models},
        commercial={model["name"]: model["commercial_use"] for model in models},
    )
