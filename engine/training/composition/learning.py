"""The recipe: the 2020 network's supervised losses, as published."""

from __future__ import annotations

from functools import cached_property
from typing import cast

import torch
from torch import Tensor, nn

from engine.network.bgm2020 import BackgroundMatting2020
from engine.training.compiled import compile_parts
from engine.training.composition.samples import CompositionSource
from engine.training.config import Composition, Run
from engine.training.published import gradient_l1, masked_l1, pasted
from engine.training.recipe import Column, Recipe
from engine.training.stream import Batch

# Batches of held-out samples for validation, and the seed of their numbers.
_VALIDATED, _SEED = 8, 7


class CompositionRecipe(Recipe):
    """``L1(a) + 2 L1(F | a > 0) + L1(I, comp) + Sobel(a)``, by Adam; see `engine.training.recipe.Recipe`."""

    architecture = "bgm2020"

    def __init__(self, run: Run, recipe: Composition) -> None:
        self._linear = recipe.light == "linear"
        self.network, self.others = BackgroundMatting2020(recipe.motion).apply(_begin).to(torch.device(run.device)), {}
        self.optimisers = {"network": torch.optim.Adam(self.network.parameters(), lr=run.rate)}
        self.source = self._cutouts = CompositionSource(recipe, run.seed, held_out=False)
        self._held_out = CompositionSource(recipe, _SEED, held_out=True)
        compile_parts(self.network, run)

    def prepare(self) -> None:
        """Look through the folder."""
        if self._cutouts.cutouts.subjects and self._held_out.cutouts.subjects:
            del self._cutouts.cutouts

    def learn(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """One step."""
        self.network.train()
        terms = supervised_terms(*_ask(self.network, batch), batch, self._linear)
        total = torch.stack(list(terms.values())).sum()
        self.descend("network", total, self.network)
        return {"total": total, **terms}

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, float]:
        """MAD and MSE of alpha on held-out subjects, x1e3; ``band`` is where 0.01 < a < 0.99."""
        sums = {"mad": 0.0, "mse": 0.0, "band": 0.0}
        for number in range(_VALIDATED):
            batch = self._held_out.batch(number, 0.0)
            alpha, truth = (value / 2 + 0.5 for value in (_ask(network, batch)[0], batch["alpha"]))
            error = (alpha - truth).abs()
            soft = error[(truth > 0.01) & (truth < 0.99)]
            sums["mad"] += float(error.mean())
            sums["mse"] += float(error.square().mean())
            sums["band"] += float(soft.mean()) if soft.numel() else 0.0
        return {name: round(1e3 * value / _VALIDATED, 3) for name, value in sums.items()}

    @torch.no_grad()
    def show(self, network: nn.Module) -> list[Column]:
        """Held-out samples: input, truth, answer, error. Colours are shown as if they were linear ACEScg."""
        batch = self._shown
        alpha, colour = _ask(network, batch)
        return [
            *(Column(name, _linear_light(batch[name])) for name in ("image", "plate")),
            Column("segmentation", batch["segmentation"] / 2 + 0.5),
            Column("truth", batch["alpha"] / 2 + 0.5),
            Column("matte", alpha / 2 + 0.5),
            Column("error", (alpha - batch["alpha"]).abs() / 2),
            Column("foreground", _linear_light(torch.where(alpha > -0.99, colour, -1.0))),
        ]

    @cached_property
    def _shown(self) -> Batch:
        return self._held_out.batch(0, 0.0)


def supervised_terms(alpha: Tensor, colour: Tensor, batch: Batch, linear: bool) -> dict[str, Tensor]:
    """The published losses; everything in -1..1.

    Args:
        alpha: ``(N, 1, H, W)``.
        colour: the foreground, ``(N, 3, H, W)``.
        batch: of `CompositionSource`.
        linear: mix in linear light where the paper mixes display-referred colours.
    """
    seen = (batch["alpha"] > -0.99).float()
    own = pasted(batch["image"], colour, alpha)
    cover = alpha / 2 + 0.5
    parts = (own, batch["background"], batch["image"])
    front, behind, image = (_linear_light(part) for part in parts) if linear else parts
    return {
        "alpha": masked_l1(alpha, batch["alpha"]),
        "foreground": 2 * masked_l1(colour, batch["foreground"], seen),
        "composite": masked_l1(front * cover + behind * (1 - cover), image),
        "gradient": gradient_l1(alpha, batch["alpha"]),
    }


def _ask(network: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
    inputs = (batch[name] for name in ("image", "plate", "segmentation", "motion"))
    return cast(tuple[Tensor, Tensor], network(*inputs))


def _linear_light(display: Tensor) -> Tensor:
    """Linear light of sRGB in -1..1 (IEC 61966-2-1); beyond that range the curve goes on straight."""
    value = display / 2 + 0.5
    curve = ((value.clamp(0.04045, 1) + 0.055) / 1.055) ** 2.4
    return torch.where(value > 0.04045, curve + (value - 1).clamp(min=0), value / 12.92)


def _begin(module: nn.Module) -> None:
    """Weights as published: Xavier with a gain of the square root of 2; normalisation about 1, by a fifth."""
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight, gain=2**0.5)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.2)
        nn.init.zeros_(module.bias)
