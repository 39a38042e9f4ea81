"""What is inside the node: its inputs, its menu of outputs, the channels of its layers."""

from __future__ import annotations

from typing import Dict, List, Tuple

from ..core.knobs import LAYERS

INPUTS: Dict[str, str] = {
    "Frame": "frame",
    "CleanPlate": "clean plate",
    "Garbage": "garbage matte",
    "Core": "core matte",
    "Hint": "hint",
    "Background": "background",
}
"""Name of each Input node, which Nuke draws at its arrow, and what it is in a sentence; in the order of the inputs."""

EXPORTS: Dict[str, str] = {"Frame": "rgba", "CleanPlate": "rgb", "Garbage": "alpha", "Core": "alpha", "Hint": "alpha"}
"""The inputs that are keyed with, and the channels that count. The background only serves the preview."""

MATTES: Dict[str, str] = {"Garbage": "garbage", "Core": "core", "Hint": "hint"}
"""Optional mattes, and the option of a run that each becomes."""

RESULTS = "Results"
"""The Read that plays the layers back."""

RANGE = "Range"
"""The node that tells the script how long the clip is; the Read itself answers for every frame, or fails."""

OUTPUTS: Tuple[str, ...] = ("key", "key with shadow", "over background", "frame", *LAYERS)
"""The menu of outputs. The first is premultiplied RGBA, ready for an `over`, with every layer beside it."""

_COLOUR = ("red", "green", "blue")
_LETTERS: Dict[str, Tuple[str, ...]] = {
    "shadow": (*_COLOUR, "alpha"),
    "residual": (*_COLOUR, "alpha"),
    "shadow_ratio": _COLOUR,
    "uncertainty": ("Y",),
    "difference": ("Y",),
    "validity": ("Y",),
    "fg": _COLOUR,
    "cleanplate": _COLOUR,
}
_SHOWN = ("rgba.red", "rgba.green", "rgba.blue", "rgba.alpha")


def export_name(name: str) -> str:
    """The Write that exports an input."""
    return "Export{}".format(name)


def channels(layer: str) -> List[str]:
    """A layer's channels as Nuke's EXR reader names them: R, G, B, A by their long names, others as they are.

    Source: ``ExrChannelNameToNuke``, which Foundry publishes with its plug-in examples.
    """
    return ["{}.{}".format(layer, letter) for letter in _LETTERS[layer]]


def shown_as(layer: str) -> List[Tuple[str, str]]:
    """Which channel of a layer is shown where in RGBA; a layer of one channel fills all four.

    The clean plate is as opaque as it is valid.
    """
    own = channels(layer)
    if len(own) == 1:
        own = own * 4
    if layer == "cleanplate":
        own = own + channels("validity")
    return [(channel, _SHOWN[index]) for index, channel in enumerate(own)]
