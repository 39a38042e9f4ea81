"""Multiply-accumulates of a network."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode


def count_macs(network: Callable[..., object], *inputs: Tensor) -> int:
    """Multiply-accumulates of one call: convolutions and matrix products, as the papers count them.

    Torch's own counter says floating-point operations, two for each. On the ``meta`` device nothing is computed, as
    long as no shape depends on values.

    Args:
        network: to call.
        inputs: to call it with.
    """
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(*inputs)
    return int(counter.get_total_flops()) // 2
