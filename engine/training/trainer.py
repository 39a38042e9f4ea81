"""A run's state: a recipe's networks and optimisers, the moving average, steps and hours; what a checkpoint holds."""

from __future__ import annotations

from typing import Any

import torch

from engine.errors import EngineError
from engine.training import schedule
from engine.training.average import Average
from engine.training.checkpoint import fill, has_checkpoint, load_checkpoint, save_checkpoint
from engine.training.config import Config, describe
from engine.training.recipe import Recipe
from engine.training.stream import Batch


class Trainer:
    """Takes steps, and can be taken up where it was left.

    Attributes:
        config: of the run.
        recipe: what is learned, and how.
        average: of the recipe's network.
        step: steps taken.
        hours: spent on them and on waiting for samples, over all resumptions.
    """

    def __init__(self, config: Config, recipe: Recipe) -> None:
        self.config, self.recipe = config, recipe
        self.average = Average(recipe.network, config.run.average)
        self.step, self.hours = 0, 0.0

    @property
    def spent(self) -> float:
        """How much of the schedule is spent; 1 is the end."""
        return schedule.progress(self.config.run, self.step, self.hours)

    def spent_at(self, step: int) -> float:
        """`spent` at a later step, as far as it is known now."""
        return schedule.progress(self.config.run, step, self.hours)

    def learn(self, batch: Batch) -> dict[str, float]:
        """One step; returns the losses.

        Raises:
            EngineError: INTERNAL where a loss is not finite.
        """
        rate = schedule.rate(self.config.run, self.spent, self.step)
        for optimiser in self.recipe.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = rate * group.get("share", 1.0)
        device = torch.device(self.config.run.device)
        terms = self.recipe.learn({name: value.to(device) for name, value in batch.items()}, self.step)
        self.step += 1
        self.average.follow(self.recipe.network, self.step)
        return {name: float(value.detach()) for name, value in terms.items()}

    def save(self) -> None:
        """Write the checkpoint.

        Raises:
            OSError: it could not be written; the former one is as it was.
        """
        save_checkpoint(self.config.run.folder, self._state())

    def resume(self) -> bool:
        """Go on from the checkpoint, if there is one; settings come from the configuration, not from it.

        Raises:
            EngineError: BAD_REQUEST where it cannot be read, or is of another recipe or network.
        """
        folder = self.config.run.folder
        if not has_checkpoint(folder):
            return False
        state = load_checkpoint(folder)
        if state.get("recipe") != self.config.name:
            step = "Train into another folder, or begin anew with --fresh."
            message = f"The run in {folder} is of the recipe {state.get('recipe')!r}, not {self.config.name!r}."
            raise EngineError("BAD_REQUEST", message, step)
        fill(self.recipe.network, state["network"], str(folder))
        for name, module in self.recipe.others.items():
            fill(module, state["others"].get(name), f"{folder} ({name})")
        for name, optimiser in self.recipe.optimisers.items():
            groups = optimiser.state_dict()["param_groups"]
            optimiser.load_state_dict({"state": state["optimisers"][name], "param_groups": groups})
        for name, value in self.average.values.items():
            value.copy_(state["average"][name])
        self.step, self.hours = state["step"], state["hours"]
        torch.set_rng_state(state["random"])
        return True

    def _state(self) -> dict[str, Any]:
        return {
            "recipe": self.config.name,
            "architecture": self.recipe.architecture,
            "network": self.recipe.network.state_dict(),
            "others": {name: module.state_dict() for name, module in self.recipe.others.items()},
            "average": self.average.values,
            "optimisers": {name: each.state_dict()["state"] for name, each in self.recipe.optimisers.items()},
            "step": self.step,
            "hours": self.hours,
            "random": torch.get_rng_state(),
            "settings": describe(self.config),
        }
