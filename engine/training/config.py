"""What a training run is told: what every run has, and what one recipe needs. `config_file` reads it from TOML."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias


@dataclass(frozen=True)
class Range:
    """Bounds of a number, both included, and what it must be a multiple of; 0 for nothing."""

    low: float
    high: float = math.inf
    step: int = 0


Count: TypeAlias = Annotated[int, Range(1)]
Steps: TypeAlias = Annotated[int, Range(0)]
Amount: TypeAlias = Annotated[float, Range(0)]
Minutes: TypeAlias = Annotated[float, Range(0.01)]
Rate: TypeAlias = Annotated[float, Range(1e-9, 1)]


@dataclass(frozen=True)
class Run:
    """What every training has.

    Attributes:
        folder: checkpoint, log, pictures and cached data; a run there goes on.
        hours: length of the schedule in hours of steps and waiting for samples, over all resumptions: a machine that is
            busy with other things still ends with a low rate.
        steps: length of the schedule in steps, instead of hours: the same steps give the same weights.
        seed: of weights and samples.
        rate: peak learning rate; a recipe may give its parts shares of it.
        decay: how the rate comes down, see `engine.training.schedule`.
        warm_up: steps until the rate is up.
        average: share that the moving average of the weights keeps at every step.
        threads: arithmetic threads on a CPU.
        workers: processes that make samples; 0 makes them between the steps.
        device: torch device.
        compile: let torch compile the network (needs a C++ compiler; minutes at the start).
        save_minutes: between checkpoints.
        report_minutes: between validations, with their pictures.
    """

    folder: Path
    hours: Amount = 0.0
    steps: Steps = 0
    seed: Annotated[int, Range(0)] = 1
    rate: Rate = 1e-3
    decay: Literal["cosine", "constant"] = "cosine"
    warm_up: Steps = 100
    average: Annotated[float, Range(0, 1)] = 0.995
    threads: Count = 2
    workers: Annotated[int, Range(0, 64)] = 1
    device: str = "cpu"
    compile: bool = False
    save_minutes: Minutes = 4.0
    report_minutes: Minutes = 15.0


@dataclass(frozen=True)
class Supervised:
    """PlateNet from painted and rendered subjects over photographs, with every truth known.

    Attributes:
        assets: folder of the manifest's photographs.
        renders: folder of rendered subjects, with ``train`` and ``held-out`` in it; None does without.
        subjects: painted subjects.
        size: px of a sample, a multiple of 128.
        batch: samples of a step, an even number.
        encoder: published EfficientNet-Lite0 weights (``.pth``) to begin from; None begins from nothing.
        weights: weights of PlateNet (``.safetensors``) to begin from, of today's shape or with fewer inputs to a layer.
    """

    assets: Path
    renders: Path | None = None
    subjects: Count = 1200
    size: Annotated[int, Range(128, 2048, 128)] = 384
    batch: Annotated[int, Range(2, 1024, 2)] = 4
    encoder: Path | None = None
    weights: Path | None = None


@dataclass(frozen=True)
class Adversarial:
    """The self-supervised stage of Sengupta et al., CVPR 2020, on shots without truth.

    Weights, rates and periods are those published, where this says nothing else.

    Attributes:
        shots: folder of shots, each a folder of ``frame.####.exr`` and ``plate.exr``.
        space: scene-linear colour space of the shots, by its name in the shipped colour configuration.
        network: model that teaches, by name, and whose architecture learns.
        teacher: folder of the run that teaches, instead of the model's shipped weights.
        start: whether the student begins as the teacher, or from nothing as published.
        labelled: folder of shots that have ``gt.####.exr`` (premultiplied RGBA) too, to measure on; None measures how
            far the student has gone from the teacher only.
        size: px of a crop, a multiple of 64; of 16 cells of PlateNet's base, for frames beyond 2600 px.
        batch: crops of a step.
        discriminator_rate: its learning rate.
        discriminate_every: steps between its updates.
        halve_steps: steps after which the teacher's weight has halved (published: every 2 epochs).
        adversarial: weight of the discriminator's verdict.
        supervision: weight of teacher and recomposition together, before it is halved.
    """

    shots: Path
    space: str = "ACEScg"
    network: str = "platenet"
    teacher: Path | None = None
    start: Literal["teacher", "scratch"] = "teacher"
    labelled: Path | None = None
    size: Annotated[int, Range(64, 2048, 64)] = 256
    batch: Count = 4
    discriminator_rate: Rate = 1e-5
    discriminate_every: Count = 5
    halve_steps: Count = 2000
    adversarial: Amount = 1.0
    supervision: Amount = 1.0


@dataclass(frozen=True)
class Composition:
    """The 2020 network from cut-out subjects, as published: layout and facts of Composition-1k.

    Attributes:
        data: folder with ``fg/``, ``alpha/`` (of the same names) and ``bg/``.
        light: where subject and background are mixed: ``display`` as published, ``linear`` as light mixes.
        plate_shift: px that the plate may lie aside; 0 as published.
        motion: whether the network's motion cue has an effect; as published it has none.
        held_out: subjects, the last by name, that training never sees.
        held_out_backgrounds: the same of backgrounds; 0 validates over those of training.
        size: px of a sample.
        batch: samples of a step.
    """

    data: Path
    light: Literal["display", "linear"] = "display"
    plate_shift: Amount = 0.0
    motion: Literal["published", "wired"] = "published"
    held_out: Count = 11
    held_out_backgrounds: Steps = 0
    size: Annotated[int, Range(64, 2048, 4)] = 512
    batch: Annotated[int, Range(2, 1024)] = 4


Recipe: TypeAlias = Supervised | Adversarial | Composition

RECIPES: dict[str, type[Recipe]] = {
    "supervised": Supervised,
    "adversarial": Adversarial,
    "composition": Composition,
}
"""Recipes by the name of their table."""


@dataclass(frozen=True)
class Config:
    """A run and its recipe."""

    run: Run
    recipe: Recipe

    @property
    def name(self) -> str:
        """Of the recipe."""
        return next(name for name, kind in RECIPES.items() if isinstance(self.recipe, kind))


def describe(config: Config) -> dict[str, str]:
    """The settings as text, without paths: for checkpoints and for the card of the weights."""
    settings = {"recipe": config.name, **asdict(config.run), **asdict(config.recipe)}
    return {name: str(value) for name, value in settings.items() if not isinstance(value, Path)}
