"""A network as torch compiles it, where the run asks for it."""

from __future__ import annotations

import shutil
from typing import TypeVar

import torch
from torch import nn

from engine.errors import EngineError
from engine.training.config import Run

_Network = TypeVar("_Network", bound=nn.Module)

_COMPILERS = ("c++", "g++", "clang++", "cl")


def compiled(network: _Network, run: Run) -> _Network:
    """The network to call while learning: itself, or compiled. Weights are shared, so save and average the original.

    Raises:
        EngineError: UNSUPPORTED where a CPU's code would need a compiler that is not there.
    """
    if not run.compile:
        return network
    if run.device == "cpu" and not any(map(shutil.which, _COMPILERS)):
        step = "Install one, or set run.compile to false."
        raise EngineError("UNSUPPORTED", "torch.compile needs a C++ compiler, and there is none on the path.", step)
    return torch.compile(network)  # type: ignore[return-value]
