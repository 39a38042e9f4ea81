"""Shots without truth, registered and exposed as the pipeline would, once, and crops of them by number."""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from engine.errors import EngineError
from engine.evaluation.shot_folder import PLATE, ShotFolder, find_shots
from engine.network.platenet.platenet import cell_size
from engine.pipeline import colour, photometric, registration
from engine.pipeline.decode import decode
from engine.settings import Source
from engine.training.stream import Batch, BatchSource, generator
from engine.values import Array, Image

log = logging.getLogger(__name__)

_FRAME = re.compile(r"frame\.(-?\d+)\.exr")

KEPT = (-0.2, 65504.0)
"""Anchored values that are kept, as the network gets to see them."""

CELLS = 16
"""A picture's sides must be multiples of so many cells of PlateNet's base."""

# Crops that are looked at for one that is taken: the one that departs most from its plate holds some of the subject.
_LOOKED_AT = 4


@dataclass(frozen=True)
class PreparedShot:
    """A shot in the cache; all ACEScg, exposure-anchored, half.

    Attributes:
        name: for reports.
        frames: files of ``(H, W, 7)``: frame, plate registered and fitted to it, validity.
        plate: file of ``(H, W, 3)``: the plate as it was shot.
    """

    name: str
    frames: tuple[Path, ...]
    plate: Path

    @property
    def cell(self) -> int:
        """Px along a cell of PlateNet's base for whole frames of this size: crops are looked at as finely as they."""
        return cell_size(*np.load(self.plate, mmap_mode="r").shape[:2])


def prepare_shots(folder: Path, cache: Path) -> list[PreparedShot]:
    """Register and expose all shots of a folder; what is in the cache is not done again.

    Raises:
        EngineError: FILE_MISSING for a shot without plate or frames, REGISTRATION_FAILED, SIZE_MISMATCH and whatever
            `decode` finds; each names the file.
    """
    return [_prepare(shot, cache) for shot in find_shots(folder)]


def _prepare(shot: ShotFolder, cache: Path) -> PreparedShot:
    plate = shot.path / PLATE
    frames = sorted(path for path in shot.path.iterdir() if _FRAME.fullmatch(path.name))
    if not plate.exists() or not frames:
        missing = f"{plate} is missing." if frames else f"{shot.path} holds no frame.####.exr."
        raise EngineError("FILE_MISSING", missing, "A shot is a folder of frame.####.exr and plate.exr.")
    stamps = [f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in (plate, *frames)]
    key = hashlib.sha256("\n".join((str(shot.path), shot.space, *stamps)).encode()).hexdigest()[:16]
    done = cache / key
    if not done.exists():
        log.info("registering the %d frames of %s", len(frames), shot.name)
        unfinished = cache / f"{key}.part"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _register(unfinished, plate, frames, shot.space)
        unfinished.rename(done)
    return PreparedShot(shot.name, tuple(done / f"{path.stem}.npy" for path in frames), done / "plate.npy")


def _register(folder: Path, plate_file: Path, frame_files: list[Path], space: str) -> None:
    plate = _read(plate_file, space)
    anchor = colour.exposure_anchor(plate.rgb, np.ones(plate.rgb.shape[:2], bool))
    _store(folder / "plate.npy", plate.rgb * np.float32(anchor))
    for file in frame_files:
        frame = _read(file, space)
        _, placed = registration.register(frame, plate, "auto")
        fit = photometric.fit(frame.rgb, placed, "auto")
        fitted = photometric.apply(placed, fit)
        light = np.float32(anchor / float(np.mean(fit.gain)))
        pixels = np.dstack((frame.rgb * light, fitted.rgb * light, fitted.valid.astype(np.float32)))
        _store(folder / f"{file.stem}.npy", pixels)


def _read(path: Path, space: str) -> Image:
    """A picture in ACEScg."""
    data = path.read_bytes()
    image = decode(Source(str(path), hashlib.sha256(data).hexdigest(), data, space))
    return colour.to_space(image, colour.load_config(colour.SHIPPED), "ACEScg")


def _store(path: Path, pixels: Array) -> None:
    np.save(path, np.clip(pixels, *KEPT).astype(np.float16))


class ShotSource(BatchSource):
    """Batches of crops: ``frame``, ``plate``, ``valid``, ``hint`` (none); ``other`` plates; the ``cell`` to look by."""

    def __init__(self, folder: Path, cache: Path, seed: int, size: int, count: int) -> None:
        self._folder, self._cache = folder, cache
        self._seed, self._size, self._count = seed, size, count

    @cached_property
    def shots(self) -> list[PreparedShot]:
        """All shots; prepares those that are not.

        Raises:
            EngineError: as `prepare_shots`; SIZE_MISMATCH for a shot that no crop can be taken of.
        """
        shots = prepare_shots(self._folder, self._cache)
        for shot in shots:
            height, width = np.load(shot.plate, mmap_mode="r").shape[:2]
            step = CELLS * max(shot.cell, 4)
            if min(height, width) < self._size or self._size % step:
                message = f"The shot {shot.name} is {width} x {height}, and a crop {self._size} px."
                most = min(height, width) // step * step
                raise EngineError(
                    "SIZE_MISMATCH", message, f"Set adversarial.size to a multiple of {step}, {most} or less."
                )
        return shots

    def batch(self, number: int, spent: float) -> Batch:
        """Crops of random frames of shots of one size, mirrored half of the time; ``spent`` changes nothing."""
        rng = generator(self._seed, number)
        cell = self.shots[int(rng.integers(len(self.shots)))].cell
        alike = [shot for shot in self.shots if shot.cell == cell]
        pairs = [self._pair(rng, alike) for _ in range(self._count)]
        seen = torch.from_numpy(np.stack([seen for seen, _ in pairs])).permute(0, 3, 1, 2).contiguous()
        other = torch.from_numpy(np.stack([other for _, other in pairs])).permute(0, 3, 1, 2).contiguous()
        frame, plate, valid = seen.split((3, 3, 1), 1)
        hint = torch.zeros_like(seen[:, :2])
        parts = {"frame": frame, "plate": plate, "valid": valid, "hint": hint, "other": other}
        return {**parts, "cell": torch.tensor(cell)}

    def _pair(self, rng: np.random.Generator, shots: list[PreparedShot]) -> tuple[Array, Array]:
        """A crop ``(S, S, 7)``, and one ``(S, S, 3)`` of another shot's plate.

        The random place of the second is the random shift that the 2020 system gives the subject, without its seam.
        """
        index = int(rng.integers(len(shots)))
        shot = shots[index]
        pixels = np.load(shot.frames[int(rng.integers(len(shot.frames)))], mmap_mode="r")
        crops = [self._crop(rng, pixels) for _ in range(_LOOKED_AT)]
        seen = max(crops, key=_departure)
        step = int(rng.integers(1, len(shots))) if len(shots) > 1 else 0
        elsewhere = shots[(index + step) % len(shots)]
        return seen, self._crop(rng, np.load(elsewhere.plate, mmap_mode="r"))

    def _crop(self, rng: np.random.Generator, pixels: np.ndarray) -> Array:
        top, left = (int(rng.integers(length - self._size + 1)) for length in pixels.shape[:2])
        piece = pixels[top : top + self._size, left : left + self._size]
        return np.asarray(piece[:, :: rng.choice((-1, 1))], np.float32)


def _departure(crop: Array) -> float:
    """How far a crop's frame is from its plate, in stops."""
    frame, plate = (np.log2(np.maximum(crop[..., part], 0) + 0.01) for part in (slice(0, 3), slice(3, 6)))
    return float((np.abs(frame - plate).mean(2) * crop[..., 6]).mean())
