"""How the learning rate goes up and comes down."""

from __future__ import annotations

import math

from engine.training.config import Run


def progress(run: Run, step: int, hours: float) -> float:
    """How much of the schedule is spent, 0 and up; 1 is the end."""
    return step / run.steps if run.steps else hours / run.hours


def rate(run: Run, spent: float, step: int) -> float:
    """The learning rate of a step: a linear warm-up, then a cosine to 1 % (Loshchilov and Hutter, SGDR, 2017), or none.

    Args:
        run: peak rate, warm-up and decay.
        spent: of `progress`.
        step: number of the step, from 0.
    """
    warm = min(1.0, (step + 1) / run.warm_up) if run.warm_up else 1.0
    if run.decay == "constant":
        return run.rate * warm
    return run.rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(spent, 1.0))))
