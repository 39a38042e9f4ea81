"""Samples for training: painted subjects cached on disk, composed anew every time they are seen."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch
from torch import Tensor

from engine.errors import EngineError
from engine.pipeline.colour import exposure_anchor
from engine.synthesis.composites import linearise, sample
from engine.synthesis.foregrounds import SIZE, foreground
from engine.training.assets import load_manifest
from engine.values import Array

log = logging.getLogger(__name__)

# Photographs are reduced to this long side, px: crops then hold a scene, not a wall.
_LONG_SIDE = 1800

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


def load_subjects(cache: Path, group: Group, count: int, photos: list[Array]) -> np.memmap:
    """Subjects of a group, painted once and kept; ``(count, SIZE, SIZE, 4)`` half, premultiplied."""
    path = cache / f"{group}-{count}.npy"
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


def batches(subjects: np.memmap, photos: list[Array], size: int, count: int, seed: int) -> Iterator[dict[str, Tensor]]:
    """Endless batches of ``count`` samples of ``size`` px; names are those of `Sample`, tensors ``(N, C, H, W)``.

    Colours are scaled by the sample's exposure anchor.
    """
    rng = np.random.default_rng(seed)
    while True:
        items = [sample(rng, subjects, photos, size) for _ in range(count)]
        scales = torch.tensor([exposure_anchor(item.plate, item.valid[..., 0] > 0) for item in items]).view(-1, 1, 1, 1)
        batch = {
            name: torch.from_numpy(np.stack([getattr(item, name) for item in items])).permute(0, 3, 1, 2)
            for name in ("frame", "plate", "valid", "hint", "alpha", "shadow", "foreground")
        }
        for name in ("frame", "plate", "foreground"):
            batch[name] = (batch[name] * scales).clamp(max=1e4)
        if not all(bool(torch.isfinite(value).all()) for value in batch.values()):
            raise EngineError("INTERNAL", "A training sample is not finite.", "Report this.", seed=seed)
        yield batch
