"""Networks as torch compiles them, where the run asks for it."""

from __future__ import annotations

import shutil

from torch import nn

from engine.errors import EngineError
from engine.network.platenet import PlateNet
from engine.training.config import Run

_COMPILERS = ("c++", "g++", "clang++", "cl")


def compile_parts(network: nn.Module, run: Run) -> None:
    """Let torch compile a network's parts at their first call, in place; its state keeps its names.

    Of PlateNet those that see the same few sizes again and again: encoder and base. The refiner's tiles are another
    number at every step, which torch 2.13 fails to compile for a CPU.

    Raises:
        EngineError: UNSUPPORTED where a CPU's code would need a compiler that is not there.
    """
    if not run.compile:
        return
    if run.device == "cpu" and not any(map(shutil.which, _COMPILERS)):
        step = "Install one, or set run.compile to false."
        raise EngineError("UNSUPPORTED", "torch.compile needs a C++ compiler, and there is none on the path.", step)
    for part in (network.base.encoder, network.base) if isinstance(network, PlateNet) else (network,):
        part.compile(dynamic=False)
