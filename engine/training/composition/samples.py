"""Batches of composites by number, in the names and the scale of the 2020 network: everything in -1..1."""

from __future__ import annotations

from functools import cached_property
from typing import TypeVar

import numpy as np
import torch

from engine.errors import EngineError
from engine.synthesis.textures import Rng
from engine.training.composition import augment
from engine.training.composition.cutouts import Cutouts, find_cutouts, read_colour
from engine.training.config import Composition
from engine.training.stream import Batch, BatchSource, generator
from engine.values import Array

_T = TypeVar("_T")


class CompositionSource(BatchSource):
    """In go ``image``, ``plate``, ``segmentation``, ``motion``; true are ``alpha``, ``foreground``, ``background``."""

    def __init__(self, recipe: Composition, seed: int, held_out: bool) -> None:
        """Begin with nothing read.

        Args:
            recipe: folder and sizes.
            seed: of the samples.
            held_out: take the subjects that training never sees, instead of the others.
        """
        self._recipe, self._seed, self._held_out = recipe, seed, held_out

    @cached_property
    def cutouts(self) -> Cutouts:
        """The folder's subjects and backgrounds, those of training or those held out of it.

        Raises:
            EngineError: as `find_cutouts`; FILE_MISSING where none is left to train with.
        """
        found, recipe = find_cutouts(self._recipe.data), self._recipe
        subjects = self._part(found.subjects, recipe.held_out, "fg", "held_out")
        aside = recipe.held_out_backgrounds
        backgrounds = self._part(found.backgrounds, aside, "bg", "held_out_backgrounds") if aside else found.backgrounds
        return Cutouts(subjects, backgrounds)

    def _part(self, found: tuple[_T, ...], aside: int, folder: str, key: str) -> tuple[_T, ...]:
        """Those held out, the last by name, or the others."""
        if len(found) <= aside:
            kind = "subjects" if folder == "fg" else "backgrounds"
            message = f"{self._recipe.data / folder} has {len(found)} {kind}, and {aside} are held out."
            raise EngineError("FILE_MISSING", message, f"Add {kind}, or lower composition.{key}.")
        return found[-aside:] if self._held_out else found[:-aside]

    def batch(self, number: int, spent: float) -> Batch:
        """Random subjects over random backgrounds; ``spent`` changes nothing."""
        rng = generator(self._seed, number)
        items = [self._sample(rng) for _ in range(self._recipe.batch)]
        stacked = {name: np.stack([item[name] for item in items]) for name in items[0]}
        return {name: torch.from_numpy(value).permute(0, 3, 1, 2) * 2 - 1 for name, value in stacked.items()}

    def _sample(self, rng: Rng) -> dict[str, Array]:
        subjects, backgrounds = self.cutouts.subjects, self.cutouts.backgrounds
        whole, matte = subjects[int(rng.integers(len(subjects)))].read()
        behind = read_colour(backgrounds[int(rng.integers(len(backgrounds)))])
        colour, alpha, background = augment.crop(rng, (whole, matte, behind), matte, self._recipe.size)
        alpha = alpha[..., None]
        image = augment.over(colour, alpha, background, self._recipe.light == "linear")
        plate = augment.shifted(rng, augment.faulty_plate(rng, background), self._recipe.plate_shift)
        return {
            "image": image,
            "plate": plate,
            "segmentation": augment.segmentation(rng, alpha[..., 0])[..., None],
            "motion": augment.motion(rng, colour, alpha, plate),
            "alpha": alpha,
            "foreground": colour,
            "background": background,
        }
