"""Seconds a frame, the contenders by turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

import numpy as np

from engine.benchmark.contender import Contender
from engine.benchmark.scene import Scene
from engine.benchmark.stopwatch import Notes, Seconds, Stopwatch, now, since
from engine.network.keyer import Keyer
from engine.pipeline.matte import matte
from engine.settings import Knobs
from engine.values import Plate

Value = TypeVar("Value")


@dataclass(frozen=True)
class Lap:
    """Two frames, one after the other.

    Attributes:
        network: the network, on a plate that it has not seen before.
        again: the same with that plate once more, as where the camera is locked off.
        stage: the whole matte stage around the first.
        refined_share: of the picture; see `Notes`.
    """

    network: Seconds
    again: Seconds
    stage: Seconds
    refined_share: float | None


@dataclass(frozen=True)
class Summary:
    """Laps of one contender, seconds: medians, and the spread of ``wall``."""

    wall: float
    wall_least: float
    wall_most: float
    cpu: float
    again_wall: float
    again_cpu: float
    stage_wall: float
    stage_cpu: float


def summary(laps: list[Lap]) -> Summary:
    """Medians and spread of some laps, at least one."""
    walls = [lap.network.wall for lap in laps]
    return Summary(
        wall=median(walls),
        wall_least=min(walls),
        wall_most=max(walls),
        cpu=median(lap.network.cpu for lap in laps),
        again_wall=median(lap.again.wall for lap in laps),
        again_cpu=median(lap.again.cpu for lap in laps),
        stage_wall=median(lap.stage.wall for lap in laps),
        stage_cpu=median(lap.stage.cpu for lap in laps),
    )


def by_turns(calls: Mapping[str, Callable[[], Value]], rounds: int) -> dict[str, list[Value]]:
    """Call everyone once a round, so that what disturbs the machine disturbs all alike.

    Each round begins with another, so that nobody always follows the same one.
    """
    order = list(calls)
    results: dict[str, list[Value]] = {name: [] for name in order}
    for turn in range(rounds):
        first = turn % len(order)
        for name in order[first:] + order[:first]:
            results[name].append(calls[name]())
    return results


def run_stage(keyer: Keyer, picture: Scene, device: str) -> None:
    """Matte a picture, whose plate saw everything, as the engine does."""
    valid = np.ones(picture.frame.shape[:2], bool)
    matte(picture.frame, Plate(picture.plate, valid), None, 1.0, keyer, Knobs(), device, _go_on)


def lap(entrant: Contender, picture: Scene, device: str) -> Lap:
    """Time two frames."""
    keyer = entrant.keyer()
    first, stage = _noted(keyer, entrant, picture, device)
    second, _ = _noted(keyer, entrant, picture, device)
    return Lap(first.network, second.network, stage, first.refined_share)


def _noted(keyer: Keyer, entrant: Contender, picture: Scene, device: str) -> tuple[Notes, Seconds]:
    watch = Stopwatch(keyer, entrant, device)
    start = now(device)
    run_stage(watch, picture, device)
    return watch.notes, since(start, device)


def _go_on() -> None:
    """Nobody cancels."""
