"""The trainers of both methods."""

from __future__ import annotations

import copy
from typing import cast

import torch
from torch import nn

from engine.network.table import ModelCard, load_network
from engine.training.adaptation.clip import Clip
from engine.training.adaptation.exact import Exact, ExactConfig, ExactRecipe, require_exact
from engine.training.adaptation.samples import sample_size
from engine.training.adaptation.wish import Method, Wish
from engine.training.adversarial import AdversarialRecipe
from engine.training.adversarial.composites import require_reader
from engine.training.adversarial.shots import ShotSource
from engine.training.config import Adversarial, Config, Run
from engine.training.trainer import Trainer

_EXACT_RATE = 1e-3
"""Peak learning rate of scales, offsets and last layers: as in training, whose schedule begins there too."""

_ADVERSARIAL_RATE = 1e-5
"""As in ``configs/platenet_adversarial.toml``."""

_AVERAGE = 0.97
"""Share that the moving average keeps at every step: a few minutes are a few hundred steps."""

_COUNT, _LARGE = 4, 300
"""Samples of a step, and px, sample side above which it has half as many."""


def require_method(method: Method, base: ModelCard) -> None:
    """Refuse a method for a model that it cannot teach.

    Raises:
        EngineError: UNSUPPORTED.
    """
    if method == "exact":
        require_exact(base.architecture)
    else:
        require_reader(base.architecture, base.options, base.name)


def make_trainer(wish: Wish, clip: Clip, model: str, seconds: float) -> Trainer:
    """A method's trainer, its network as the model is now, its state in the wish's folder.

    Args:
        wish: method, seed, device and folder.
        clip: keyed.
        model: to begin from.
        seconds: length of its schedule.
    """
    exact = wish.method == "exact"
    size = sample_size(clip)
    count = _COUNT // 2 if size > _LARGE else _COUNT
    run = Run(
        folder=wish.folder,
        hours=seconds / 3600,
        seed=wish.seed,
        rate=_EXACT_RATE if exact else _ADVERSARIAL_RATE,
        decay="cosine" if exact else "constant",
        warm_up=10 if exact else 0,
        average=_AVERAGE,
        workers=0,
        device=wish.job.device,
    )
    if exact:
        network = load_network(model, run.device)
        return Trainer(ExactConfig(run, Exact(count)), ExactRecipe(run, clip, network, count))
    settings = Adversarial(shots=clip.folder, network=model, size=size, batch=count)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(wish.seed)
        recipe = AdversarialRecipe(run, settings)
    cast(ShotSource, recipe.source).shots = [clip.as_shot()]
    return Trainer(Config(run, settings), recipe)


def averaged(trainer: Trainer) -> nn.Module:
    """A trainer's network with its averaged weights, on the same device."""
    network = copy.deepcopy(trainer.recipe.network)
    network.load_state_dict(trainer.average.values)
    return network.eval()
