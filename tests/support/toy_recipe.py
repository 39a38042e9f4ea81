"""A recipe that learns a line in microseconds, so that the loop around it can be tested."""

import os

import torch
from torch import nn

from engine.errors import EngineError
from engine.training.config import Composition, Config, Run
from engine.training.recipe import Column, Recipe
from engine.training.stream import BatchSource, generator
from engine.training.trainer import Trainer


class ToySource(BatchSource):
    """Points of ``y = 3 x + 1``; refuses the batch of one number, and dies of that of another."""

    def __init__(self, seed=1, refused=None, deadly=None):
        self.seed, self.refused, self.deadly = seed, refused, deadly

    def batch(self, number, spent):
        if number == self.deadly:
            os._exit(9)
        if number == self.refused:
            raise EngineError("IMAGE_UNREADABLE", f"Batch {number} is bad.", "Mend it.")
        x = torch.from_numpy(generator(self.seed, number).normal(size=(8, 1))).float()
        return {"x": x, "y": 3 * x + 1, "spent": torch.tensor(spent)}


class ToyRecipe(Recipe):
    """Linear regression by Adam, with dropout, so that torch's own randomness counts too."""

    architecture = "toy"

    def __init__(self, seed=1, width=4, refused=None):
        torch.manual_seed(seed)
        self.network = nn.Sequential(nn.Linear(1, width), nn.BatchNorm1d(width), nn.Dropout(0.2), nn.Linear(width, 1))
        self.others = {}
        self.optimisers = {"network": torch.optim.Adam(self.network.parameters(), lr=1e-2)}
        self.source = ToySource(seed, refused)

    def prepare(self):
        pass

    def learn(self, batch, step):
        self.network.train()
        total = (self.network(batch["x"]) - batch["y"]).square().mean()
        self.descend("network", total, self.network)
        return {"total": total}

    @torch.no_grad()
    def validate(self, network):
        return {"mse": float((network(torch.ones(1, 1)) - 4).square())}

    def show(self, network):
        return [Column("frame", torch.full((2, 3, 8, 8), 0.18)), Column("matte", torch.ones(2, 1, 8, 8))]


def toy_trainer(folder, steps=20, recipe=None, **settings):
    """A trainer of the toy in a folder."""
    config = Config(Run(folder, steps=steps, workers=0, threads=1, rate=1e-2, **settings), Composition(folder))
    return Trainer(config, recipe or ToyRecipe())
