"""Stage 7: the solution's arrays under the channel names of one EXR."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.settings import LayerName
from engine.values import Array, Layers, Solution


def assemble(solution: Solution, names: tuple[LayerName, ...]) -> Layers:
    """Name the channels of the main layer and of the layers asked for.

    ``shadow``, the main layer and ``residual``, merged in this order with plain overs over ``cleanplate``, return the
    frame. With a coloured shadow ratio ``shadow.A`` holds the mean of its channels and is for looking; multiply with
    ``shadow_ratio``.

    Args:
        solution: pixels, already rounded as they will be stored.
        names: layers beside the main one, in the order they are to have.

    Returns:
        ``R G B A`` first, then each layer's channels. Arrays are the solution's own where they can be.
    """
    channels = _colour("", solution.premultiplied) | {"A": solution.alpha}
    for name in names:
        channels |= _LAYERS[name](solution)
    return Layers(channels, solution.half)


def _shadow(solution: Solution) -> dict[str, Array]:
    black = np.broadcast_to(np.zeros_like(solution.alpha)[..., None], solution.shadow_ratio.shape)
    return _colour("shadow.", black) | {"shadow.A": np.float32(1) - _grey(solution.shadow_ratio)}


def _residual(solution: Solution) -> dict[str, Array]:
    return _colour("residual.", solution.residual) | {"residual.A": np.zeros_like(solution.alpha)}


def _grey(ratio: Array) -> Array:
    """Mean of three channels; the very same number where they are equal, which a sum and a division would not keep."""
    red, green, blue = (ratio[..., channel] for channel in range(3))
    return np.where((red == green) & (red == blue), red, ratio.mean(-1))


def _colour(prefix: str, rgb: Array) -> dict[str, Array]:
    return {f"{prefix}{name}": rgb[..., index] for index, name in enumerate("RGB")}


_LAYERS: dict[LayerName, Callable[[Solution], dict[str, Array]]] = {
    "shadow": _shadow,
    "residual": _residual,
    "shadow_ratio": lambda solution: _colour("shadow_ratio.", solution.shadow_ratio),
    "uncertainty": lambda solution: {"uncertainty.Y": solution.uncertainty},
    "difference": lambda solution: {"difference.Y": solution.difference},
    "validity": lambda solution: {"validity.Y": solution.valid.astype(np.float32)},
    "fg": lambda solution: _colour("fg.", solution.foreground),
    "cleanplate": lambda solution: _colour("cleanplate.", solution.plate),
}
