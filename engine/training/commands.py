"""What `platekey-engine train` and `export` do."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from engine.network.device import choose
from engine.network.table import WEIGHTS
from engine.training.adversarial import AdversarialRecipe
from engine.training.checkpoint import put_aside
from engine.training.composition import CompositionRecipe
from engine.training.config import Adversarial, Config, Supervised
from engine.training.config_file import load_config
from engine.training.export import export, export_guest, trains
from engine.training.interruption import Interruption
from engine.training.loop import run
from engine.training.recipe import Recipe
from engine.training.supervised import SupervisedRecipe
from engine.training.trainer import Trainer

log = logging.getLogger(__name__)


def run_training(file: Path, overrides: Sequence[str], fresh: bool) -> None:
    """Train, or go on training, until the schedule is spent or a signal asks to stop.

    Args:
        file: the run's configuration, as `load_config` takes it.
        overrides: of its keys.
        fresh: put an earlier run in the folder aside and begin anew.

    Raises:
        EngineError: what is wrong with configuration, data, checkpoint or disk.
    """
    config = load_config(file, overrides)
    config = replace(config, run=replace(config.run, device=choose(config.run.device)))
    folder = config.run.folder
    folder.mkdir(parents=True, exist_ok=True)
    aside = put_aside(folder) if fresh else None
    if aside:
        log.info("The earlier run was put aside into %s.", aside)
    trainer = begin(config)
    if trainer.spent >= 1:
        log.info("The run in %s is done: its schedule is spent. Raise run.hours or run.steps to go on.", folder)
        return
    trainer.recipe.prepare()
    with Interruption() as stopped:
        done = run(trainer, stopped)
    ending = "Done" if done else "Stopped as asked; the same command goes on from here"
    log.info("%s: step %d after %.2f hours, saved in %s.", ending, trainer.step, trainer.hours, folder)


def begin(config: Config) -> Trainer:
    """A run's trainer, taken up where it was left.

    Raises:
        EngineError: BAD_REQUEST for a checkpoint of another recipe or network.
    """
    torch.manual_seed(config.run.seed)
    torch.set_num_threads(config.run.threads)
    trainer = Trainer(config, make_recipe(config))
    if trainer.resume():
        log.info("Going on at step %d, after %.2f hours.", trainer.step, trainer.hours)
    return trainer


def make_recipe(config: Config) -> Recipe:
    """The recipe that a configuration asks for, its networks as they begin."""
    if isinstance(config.recipe, Supervised):
        return SupervisedRecipe(config.run, config.recipe)
    if isinstance(config.recipe, Adversarial):
        return AdversarialRecipe(config.run, config.recipe)
    return CompositionRecipe(config.run, config.recipe)


def run_export(run_folder: Path, folder: Path | None) -> None:
    """Write a run's averaged weights and their card into a folder; by default those that ship.

    Of another network than PlateNet, only the weights: a file for `platekey-engine models add`.
    """
    if folder is not None and trains(run_folder) != "platenet":
        file = export_guest(run_folder, folder)
        log.info("%s. Add it: platekey-engine models add %s --licence NAME", file, file)
        return
    card = export(run_folder, folder or WEIGHTS)
    log.info("%s, %s", card.file, card.sha256)
