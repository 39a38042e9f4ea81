"""`platekey-engine bench`: what networks cost beside one another, as a table and as JSON."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch

from engine.benchmark.contender import Contender, check_names, contender
from engine.benchmark.macs import count_macs
from engine.benchmark.memory import Peak, peak_memory
from engine.benchmark.scene import Scene, scene
from engine.benchmark.timing import Summary, by_turns, lap, run_stage, summary
from engine.errors import EngineError
from engine.network import device as devices

_SIZE = re.compile(r"(\d+)x(\d+)")
_SIDES = 64, 16384


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        models: names of models or architectures.
        sizes: ``(height, width)`` px.
        threads: arithmetic threads; 0 for torch's choice.
        rounds: frames of each model and size, after one that does not count.
        device: torch device, or ``auto``.
    """

    models: list[str]
    sizes: list[tuple[int, int]]
    threads: int = 0
    rounds: int = 5
    device: str = "cpu"


@dataclass(frozen=True)
class Line:
    """One model at one size.

    Attributes:
        model: its name.
        trained: whether it had weights.
        width: px.
        height: px.
        parameters: number of trained values.
        macs: multiply-accumulates of the frame.
        seconds: of the network alone, on a new plate and on one that it knows, and of the matte stage with it.
        memory: peak, bytes.
        refined_share: of the picture, what a sparse refiner computed at full resolution; None for a dense network.
    """

    model: str
    trained: bool
    width: int
    height: int
    parameters: int
    macs: int
    seconds: Summary
    memory: Peak
    refined_share: float | None


def parse_sizes(text: str) -> list[tuple[int, int]]:
    """``1920x1080,3840x2160`` as ``(height, width)``.

    Raises:
        EngineError: BAD_REQUEST.
    """
    sizes = []
    for word in text.split(","):
        match = _SIZE.fullmatch(word.strip())
        width, height = (int(side) for side in match.groups()) if match else (0, 0)
        if not all(_SIDES[0] <= side <= _SIDES[1] for side in (width, height)):
            step = f"Write them as 1920x1080,3840x2160; each side {_SIDES[0]} to {_SIDES[1]} px."
            raise EngineError("BAD_REQUEST", f"{word.strip()!r} is no size to measure at.", step)
        sizes.append((height, width))
    return sizes


def bench(plan: Plan) -> Iterator[Line]:
    """Measure, and give the lines of a size once it is done.

    Raises:
        EngineError: MODEL_UNKNOWN, DEVICE_UNAVAILABLE.
    """
    check_names(plan.models)
    device = devices.choose(plan.device)
    if plan.threads:
        torch.set_num_threads(plan.threads)
    cv2.setNumThreads(torch.get_num_threads())
    entrants = {name: contender(name, device) for name in plan.models}
    for size in plan.sizes:
        yield from _at_size(scene(size), entrants, plan.rounds, device)


def _at_size(picture: Scene, entrants: dict[str, Contender], rounds: int, device: str) -> Iterator[Line]:
    height, width = picture.frame.shape[:2]
    macs = {name: count_macs(partial(run_stage, it.keyer(), picture, device)) for name, it in entrants.items()}
    laps = by_turns({name: partial(lap, it, picture, device) for name, it in entrants.items()}, rounds)
    with tempfile.TemporaryDirectory(prefix="platekey-") as folder:
        stored = Path(folder) / "scene.npz"
        np.savez(stored, frame=picture.frame, plate=picture.plate)
        for name, it in entrants.items():
            yield Line(
                model=name,
                trained=it.trained,
                width=width,
                height=height,
                parameters=it.parameters,
                macs=macs[name],
                seconds=summary(laps[name]),
                memory=peak_memory(name, stored, torch.get_num_threads(), device),
                refined_share=laps[name][-1].refined_share,
            )


_HEADER = (
    "model",
    "size",
    "wall s (least-most)",
    "CPU s",
    "same plate s",
    "stage wall s",
    "GMac",
    "parameters",
    "peak MB (frame)",
    "refined",
    "weights",
)


def as_table(lines: list[Line]) -> str:
    """The lines as a table in markdown."""
    rows: list[tuple[str, ...]] = [_HEADER, *(_row(line) for line in lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    rule = ["-" * width for width in widths]
    return "\n".join(f"| {' | '.join(row)} |" for row in (padded[0], rule, *padded[1:]))


def _row(line: Line) -> tuple[str, ...]:
    seconds, memory = line.seconds, line.memory
    return (
        line.model,
        f"{line.width}x{line.height}",
        f"{seconds.wall:.3f} ({seconds.wall_least:.3f}-{seconds.wall_most:.3f})",
        f"{seconds.cpu:.3f}",
        f"{seconds.again_wall:.3f}",
        f"{seconds.stage_wall:.3f}",
        f"{line.macs / 1e9:.2f}",
        f"{line.parameters:,}",
        f"{memory.whole / 1e6:.0f} ({memory.frame / 1e6:.0f})",
        "all" if line.refined_share is None else f"{line.refined_share:.1%}",
        "trained" if line.trained else "random",
    )


def as_json(lines: list[Line], plan: Plan) -> str:
    """The lines and what they were measured on; times in seconds, memory in bytes."""
    device = devices.choose(plan.device)
    machine = {"device": devices.name(device), "threads": torch.get_num_threads(), "torch": torch.__version__}
    told = {**machine, "rounds": plan.rounds, "lines": [asdict(line) for line in lines]}
    return json.dumps(told, indent=2) + "\n"
