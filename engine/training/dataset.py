"""Samples for training: subjects painted or rendered once, composed anew every time they are seen."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from engine.errors import EngineError
from engine.pipeline import photometric
from engine.pipeline.colour import exposure_anchor
from engine.synthesis.composites import Sample, shot
from engine.synthesis.faults import linearise
from engine.synthesis.foregrounds import SIZE, foreground
from engine.synthesis.textures import Rng
from engine.training.assets import load_manifest
from engine.values import Array, Plate

log = logging.getLogger(__name__)

# Photographs are reduced to this long side, px: crops then hold a scene, not a wall.
_LONG_SIDE = 1800

# Of the subjects, this share is rendered, where there are renders.
_RENDERED = 0.5

# A composed shot is seen this often, cropped and turned anew each time: composing costs as much as learning (Choi et
# al., "Faster Neural Network Training with Data Echoing", 2019). Shots are shared by so many batches in a row.
_ECHO = 6
_BLOCK = 60

# Of the shots, this share goes through the pipeline's exposure match, as all do in use, unless that went this far wrong
# (a large subject before a plain wall), stops. The others keep the fault that they were given.
_FITTED = 0.8
_FAR = 0.6

# Px along a cell of the base, and the part of a frame's side that is seen: from close up to far away, and from 64 to
# 256 cells of a frame of 512 px, as pictures in use have 240 to 600.
_VIEWS = ((2, 2), (2, 1), (4, 1), (4, 1), (8, 1))

Group = Literal["train", "held-out"]

# The groups share no seed.
_FIRST_SEED: dict[Group, int] = {"train": 0, "held-out": 10_000_000}


def load_photos(folder: Path) -> list[tuple[Array, bool]]:
    """Linear photographs of the manifest, checked against their hashes, each with whether it is held out of training.

    Raises:
        EngineError: FILE_MISSING or BLOB_MISMATCH, naming the photograph.
    """
    photos = []
    for asset in load_manifest():
        picture = np.asarray(cv2.imdecode(np.frombuffer(asset.read(folder), np.uint8), cv2.IMREAD_COLOR))
        scale = _LONG_SIDE / max(picture.shape[:2])
        if scale < 1:
            picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        photos.append((linearise(picture[..., ::-1]), asset.held_out))
    return photos


def load_painted(cache: Path, group: Group, count: int, photos: list[Array]) -> np.memmap:
    """Subjects of a group, painted once and kept; ``(count, SIZE, SIZE, 4)`` half, premultiplied."""
    path = cache / f"{group}-{count}-{SIZE}.npy"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        painted = np.lib.format.open_memmap(unfinished, "w+", np.float16, (count, SIZE, SIZE, 4))
        for seed in range(count):
            painted[seed] = np.minimum(foreground(_FIRST_SEED[group] + seed, photos), 60000)
            if seed % 100 == 99:
                log.info("painted %d of %d subjects", seed + 1, count)
        painted.flush()
        unfinished.rename(path)
    return np.load(path, mmap_mode="r")


class Shot(NamedTuple):
    """Consecutive frames over one plate, and the grain of frame minus plate, ``(3, 2)``, `Photometric.noise`."""

    frames: list[Sample]
    noise: Array


class Subjects:
    """Painted and rendered subjects of a group.

    Args:
        painted: ``(n, S, S, 4)``.
        renders: folder of ``*.npy``, each ``(S, S, 4)`` or ``(T, S, S, 4)``, listed once; may be empty or missing.
    """

    def __init__(self, painted: Sequence[Array] | Array, renders: Path | None) -> None:
        self._painted = painted
        self._renders = sorted(renders.glob("*.npy")) if renders else []

    def draw(self, rng: Rng) -> Array:
        """One subject, a still or a sequence."""
        if self._renders and rng.random() < _RENDERED:
            return _rendered(self._renders[int(rng.integers(len(self._renders)))])
        return np.asarray(self._painted[int(rng.integers(len(self._painted)))])


def _rendered(path: Path) -> Array:
    try:
        return np.asarray(np.load(path, mmap_mode="r"))
    except (OSError, ValueError) as error:
        step = "Start again: the run goes on with the renders that are there."
        raise EngineError("FILE_MISSING", f"The rendered subject {path} cannot be read ({error}).", step) from error


class Batches:
    """Batches by number: the same number gives the same batch.

    Args:
        subjects: to stand before the plates.
        photos: linear photographs.
        size: px of a composed frame, a multiple of 128.
        count: frames of a batch.
        seed: of everything drawn.
        echo: how often a shot is seen.
    """

    def __init__(
        self, subjects: Subjects, photos: list[Array], size: int, count: int, seed: int, echo: int = _ECHO
    ) -> None:
        self._subjects, self._photos = subjects, photos
        self._size, self._count, self._seed = size, count, seed
        self._shots_of_block = max(1, _BLOCK * count // echo)
        self._kept: dict[tuple[int, int], Shot] = {}

    def batch(self, number: int) -> dict[str, Tensor]:
        """One batch; names are those of `Sample`, tensors ``(N, C, H, W)``.

        Four batches of five hold whole pictures, in cells of 2, 4 or 8 px (``cell``), the fifth quarters of them in
        cells of 2 px. In a third of them items 2k and 2k + 1 are consecutive frames of one shot (``pairs``). Colours
        are scaled by the sample's exposure anchor, and so is the grain, ``noise (N, 3, 2)``.
        """
        rng = np.random.default_rng((self._seed, number))
        pairs = bool(rng.random() < 1 / 3)
        cell, part = _VIEWS[int(rng.integers(len(_VIEWS)))]
        items = []
        for _ in range(self._count // 2 if pairs else self._count):
            frames, noise = self._shot(number // _BLOCK, int(rng.integers(self._shots_of_block)))
            view = _view(rng, self._size, self._size // part)
            times = (0, 1) if pairs else (int(rng.integers(2)),)
            items += [(_seen(frames[time], view), noise) for time in times]
        return _batch(items, number) | {"cell": torch.tensor(cell), "pairs": torch.tensor(pairs)}

    def _shot(self, block: int, index: int) -> Shot:
        """A shot of two frames; kept while its block of batches lasts."""
        if (block, index) not in self._kept:
            self._kept = {key: frames for key, frames in self._kept.items() if key[0] == block}
            rng = np.random.default_rng((self._seed, block, index, 0))
            self._kept[block, index] = _exposed(rng, shot(rng, self._subjects.draw(rng), self._photos, self._size, 2))
        return self._kept[block, index]


def _exposed(rng: Rng, frames: list[Sample]) -> Shot:
    """A shot as the pipeline hands it on: its plate exposed as its first frame, where it is, and its grain measured."""
    valid = frames[0].valid[..., 0] > 0
    fit = photometric.fit(frames[0].frame, Plate(frames[0].plate, valid), "auto")
    noise = np.asarray(fit.noise, np.float32)
    if rng.random() > _FITTED or np.abs(np.log2(fit.gain)).max() > _FAR:
        return Shot(frames, noise)
    plate = photometric.apply(Plate(frames[0].plate, valid), fit).rgb
    return Shot([replace(sample, plate=plate) for sample in frames], noise)


def _view(rng: Rng, whole: int, size: int) -> tuple[slice, slice, int, bool]:
    """Where a sample is cropped, how it is turned, and whether it is mirrored."""
    y, x = rng.integers(whole - size + 1, size=2)
    turns = int(rng.choice((0, 0, 0, 1, 2, 3)))
    return slice(y, y + size), slice(x, x + size), turns, bool(rng.random() < 0.5)


def _seen(item: Sample, view: tuple[slice, slice, int, bool]) -> Sample:
    rows, columns, turns, mirrored = view

    def cropped(planes: Array) -> Array:
        turned = np.rot90(planes[rows, columns], turns)
        return turned[:, ::-1] if mirrored else turned

    return Sample(**{name: cropped(planes) for name, planes in vars(item).items()})


def _batch(drawn: list[tuple[Sample, Array]], number: int) -> dict[str, Tensor]:
    items = [sample for sample, _ in drawn]
    scales = torch.tensor([exposure_anchor(item.plate, item.valid[..., 0] > 0) for item in items]).view(-1, 1, 1, 1)
    batch = {
        name: torch.from_numpy(np.stack([getattr(item, name) for item in items])).permute(0, 3, 1, 2)
        for name in ("frame", "plate", "valid", "hint", "alpha", "shadow", "foreground")
    }
    for name in ("frame", "plate", "foreground"):
        batch[name] = (batch[name] * scales).clamp(max=1e4)
    noise = torch.from_numpy(np.stack([noise for _, noise in drawn]))
    batch["noise"] = noise * torch.cat((scales**2, scales), 1)[..., 0].mT
    if not all(bool(torch.isfinite(value.sum())) for value in batch.values()):
        raise EngineError("INTERNAL", "A training sample is not finite.", "Report this.", batch=number)
    return batch
