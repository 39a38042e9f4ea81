"""The recipe: a student between the teacher that it began as and a discriminator that it must deceive."""

from __future__ import annotations

import copy
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from engine.evaluation.shot_folder import find_shots, read_shot
from engine.network.platenet.platenet import cell_size
from engine.network.table import FACTORIES, card, load_network
from engine.training.adversarial.composites import (
    READERS,
    Matted,
    discriminator_loss,
    over_other,
    require_reader,
    student_terms,
)
from engine.training.adversarial.discriminator import PatchDiscriminator
from engine.training.adversarial.shots import CELLS, ShotSource, prepare_shots
from engine.training.checkpoint import fill, load_checkpoint
from engine.training.compiled import compile_parts
from engine.training.config import Adversarial, Run
from engine.training.recipe import Column, Recipe
from engine.training.stream import Batch
from engine.values import Array

# px: of each frame the middle of this size is validated.
_VALIDATED = 768

# Frames validated at most, of all shots in turn.
_FRAMES = 24


class AdversarialRecipe(Recipe):
    """The stage; see `engine.training.recipe.Recipe`.

    A student that begins as its teacher keeps its batch statistics: crops of a few shots would disturb them. The
    teacher is part of the checkpoint, so that a run goes on with the one it began with.
    """

    def __init__(self, run: Run, recipe: Adversarial) -> None:
        self._recipe = recipe
        self.architecture, teacher = _teacher(recipe)
        self._read = READERS[self.architecture]
        from_nothing = recipe.start == "scratch"
        student = FACTORIES[self.architecture]() if from_nothing else copy.deepcopy(teacher)
        device = torch.device(run.device)
        self.network = student.to(device).train(from_nothing)
        self._teacher = teacher.to(device).eval().requires_grad_(False)
        self._discriminator = PatchDiscriminator().to(device)
        self.others = {"teacher": self._teacher, "discriminator": self._discriminator}
        critic = {"params": list(self._discriminator.parameters()), "share": recipe.discriminator_rate / run.rate}
        self.optimisers = {
            "network": torch.optim.Adam(self.network.parameters(), lr=run.rate),
            "discriminator": torch.optim.Adam([critic], lr=recipe.discriminator_rate),
        }
        self._cache = run.folder / "cache" / "shots"
        self.source = self._crops = ShotSource(recipe.shots, self._cache, run.seed, recipe.size, recipe.batch)
        compile_parts(self.network, run)

    def prepare(self) -> None:
        """Register all shots."""
        if self._crops.shots and self._recipe.labelled is not None:
            prepare_shots(self._recipe.labelled, self._cache)

    def learn(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """One step of the student and, every few, one of the discriminator."""
        with torch.no_grad():
            taught = self._read(self._teacher, batch)
        said = self._read(self.network, batch)
        self._discriminator.requires_grad_(False)
        supervision = self._recipe.supervision * 0.5 ** (step // self._recipe.halve_steps)
        terms = student_terms(said, taught, batch, self._discriminator, (self._recipe.adversarial, supervision))
        total = torch.stack(list(terms.values())).sum()
        self.descend("network", total, self.network)
        self._discriminator.requires_grad_(True)
        if step % self._recipe.discriminate_every == 0:
            made = over_other(Matted(*(value.detach() for value in said)), batch)
            terms["discriminator"] = discriminator_loss(self._discriminator, batch["frame"], made)
            self.descend("discriminator", terms["discriminator"], self._discriminator)
        return {"total": total, **terms}

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, float]:
        """``moved``: mean distance of the student's alpha to the teacher's; with labelled shots the errors of both.

        All x1e3; ``band`` is where 0.01 < a < 0.99.
        """
        teacher = copy.deepcopy(self._teacher).cpu()
        frames = [file for shot in self._crops.shots for file in shot.frames]
        batches = [_middle(file) for file in frames[:: -(-len(frames) // _FRAMES)]]
        moved = [float((self._alpha(network, batch) - self._alpha(teacher, batch)).abs().mean()) for batch in batches]
        figures = {"moved": float(np.mean(moved))}
        if self._labelled:
            figures |= self._errors(network)
            figures |= {f"teacher_{name}": value for name, value in self._errors(teacher).items()}
        return {name: round(1e3 * value, 3) for name, value in figures.items()}

    def _errors(self, network: nn.Module) -> dict[str, float]:
        sums = {"mad": 0.0, "mse": 0.0, "band": 0.0}
        for file, truth in self._labelled:
            batch = _middle(file)
            true = torch.from_numpy(_cut(truth, int(batch["cell"])))[None, None]
            error = (self._alpha(network, batch) - true).abs()
            soft = error[(true > 0.01) & (true < 0.99)]
            sums["mad"] += float(error.mean())
            sums["mse"] += float(error.square().mean())
            sums["band"] += float(soft.mean()) if soft.numel() else 0.0
        return {name: value / len(self._labelled) for name, value in sums.items()}

    def _alpha(self, network: nn.Module, batch: Batch) -> Tensor:
        return self._read(network, batch).alpha

    @cached_property
    def _labelled(self) -> list[tuple[Path, Array]]:
        """Frames of the labelled shots, prepared, and their true alpha."""
        if self._recipe.labelled is None:
            return []
        prepared = prepare_shots(self._recipe.labelled, self._cache)
        truths = [read_shot(shot).alphas for shot in find_shots(self._recipe.labelled)]
        pairs = [pair for shot, alphas in zip(prepared, truths, strict=True) for pair in zip(shot.frames, alphas)]  # noqa: B905
        return pairs[:: -(-len(pairs) // _FRAMES)]

    @torch.no_grad()
    def show(self, network: nn.Module) -> list[Column]:
        """A batch of crops: teacher and student, and the composite that the discriminator gets to see."""
        batch = self._crops.batch(0, 0.0)
        said, taught = self._read(network, batch), self._read(copy.deepcopy(self._teacher).cpu(), batch)
        return [
            Column("frame", batch["frame"]),
            Column("clean plate", batch["plate"]),
            Column("teacher's matte", taught.alpha),
            Column("matte", said.alpha),
            Column("difference x 4", 4 * (said.alpha - taught.alpha).abs()),
            Column("shadow", said.shadow.mean(1, keepdim=True)),
            Column("over another plate", over_other(said, batch)),
        ]


def _teacher(recipe: Adversarial) -> tuple[str, nn.Module]:
    """Architecture and network of the teacher.

    Raises:
        EngineError: MODEL_UNKNOWN; UNSUPPORTED for a network that this stage cannot train; what `load_checkpoint`
            finds.
    """
    state = load_checkpoint(recipe.teacher) if recipe.teacher else None
    architecture = str(state.get("architecture")) if state else card(recipe.network).architecture
    options = state.get("settings", {}) if state else card(recipe.network).options
    require_reader(architecture, options, str(recipe.teacher or recipe.network))
    if state is None:
        return architecture, load_network(recipe.network, "cpu")
    network = FACTORIES[architecture]()
    fill(network, state["average"], str(recipe.teacher))
    return architecture, network


def _middle(file: Path) -> Batch:
    """A prepared frame's middle as a batch of one."""
    whole = np.load(file, mmap_mode="r")
    cell = cell_size(*whole.shape[:2])
    pixels = torch.from_numpy(_cut(whole, cell)).permute(2, 0, 1)[None]
    frame, plate, valid = pixels.split((3, 3, 1), 1)
    hint = torch.zeros_like(pixels[:, :2])
    return {"frame": frame, "plate": plate, "valid": valid, "hint": hint, "cell": torch.tensor(cell)}


def _cut(pixels: np.ndarray, cell: int) -> Array:
    """The middle of an ``(H, W, ...)`` array, at most `_VALIDATED` px a side, in multiples of 16 cells."""
    step = CELLS * cell
    sizes = [min(length, _VALIDATED) // step * step for length in pixels.shape[:2]]
    top, left = ((length - size) // 2 for length, size in zip(pixels.shape[:2], sizes, strict=True))
    return np.ascontiguousarray(pixels[top : top + sizes[0], left : left + sizes[1]], np.float32)
