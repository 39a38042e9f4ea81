"""The validation set: shots of subjects and photographs that training never sees, rebuilt from seeds at any time."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.errors import EngineError
from engine.evaluation.shot import Shot
from engine.evaluation.shot_folder import SPACE, write_shot
from engine.synthesis.faults import linearise
from engine.synthesis.foregrounds import foreground
from engine.synthesis.validation_shots import Kind, ValidationShot, shoot
from engine.training.assets import Asset, load_manifest
from engine.values import Array

log = logging.getLogger(__name__)

FIRST_SEED = 40_000_000
"""Seeds from here on belong to this set: training's subjects, its own held-out ones too, come from below. From this
number on, the first seeds give both kinds of shot much the same subjects, half of them people; from rounder ones less
so."""

FIRST_FRAME = 1001


@dataclass(frozen=True)
class Extent:
    """How large a set is: shots of each kind, frames of a shot, ``(height, width)`` px."""

    shots: int
    frames: int
    size: tuple[int, int]


FULL = Extent(8, 5, (480, 640))
SMALL = Extent(2, 4, (360, 480))
"""The small one shows that everything works; its figures mean little."""

_KINDS: tuple[Kind, ...] = ("locked-off", "hand-held")


@dataclass(frozen=True)
class _Subject:
    """A subject's pictures, as `shoot` takes them, and where they come from."""

    pictures: Sequence[Array]
    origin: str


def write_validation_set(out: Path, assets: Path, renders: Path | None, extent: Extent) -> None:
    """Write the set.

    Every other subject is a render, as far as there are renders; the others are painted. The same seeds, photographs
    and renders give the same set.

    Args:
        out: folder to write into; made where it is missing, empty where it is not.
        assets: folder of the manifest's photographs.
        renders: folder of held-out renders, ``*.npy``: premultiplied linear RGBA, ``(S, S, 4)`` or ``(T, S, S, 4)``.
        extent: how large.

    Raises:
        EngineError: BAD_REQUEST where ``out`` is not empty or a render has another shape; FILE_MISSING for a
            photograph.
    """
    if out.exists() and any(out.iterdir()):
        raise EngineError("BAD_REQUEST", f"The folder {out} is not empty.", "Name a folder that is new or empty.")
    for shot, facts in shots(assets, renders, extent):
        write_shot(out / shot.group / shot.name, shot, facts)
        log.info("%s/%s: %d frames, %s", shot.group, shot.name, len(shot.frames), facts["subject"])


def shots(
    assets: Path, renders: Path | None, extent: Extent, first: int = FIRST_SEED, held_out: bool = True
) -> Iterator[tuple[Shot, dict[str, object]]]:
    """Make the set's shots one by one, each with what ``shot.json`` says of it; see `write_validation_set`.

    Args:
        assets: folder of the manifest's photographs.
        renders: folder of held-out renders.
        extent: how large.
        first: seed of the first shot; another makes a set of the same kind for other ends.
        held_out: of the photographs that training never sees, or of training's.
    """
    chosen = [asset for asset in load_manifest() if asset.held_out == held_out]
    photos = [(asset, _photograph(asset, assets)) for asset in chosen]
    files = _renders(renders, len(_KINDS) * extent.shots)
    for number in range(len(_KINDS) * extent.shots):
        # Two shots, one of each kind, have the same photograph.
        kind, (asset, photo) = _KINDS[number % 2], photos[number // 2 % len(photos)]
        others = [other for _, other in photos if other is not photo]
        seed = first + number
        subject = _rendered(files[number]) if number in files else _painted(seed, others or [photo])
        made = shoot(np.random.default_rng(seed), kind, photo, subject.pictures, extent.size, extent.frames)
        yield _shot(f"{number // 2:02d}", kind, made), {"seed": seed, "subject": subject.origin} | _credit(asset)


def _shot(name: str, kind: Kind, made: ValidationShot) -> Shot:
    return Shot(
        name=name,
        group=kind,
        space=SPACE,
        numbers=tuple(range(FIRST_FRAME, FIRST_FRAME + len(made.frames))),
        frames=made.frames,
        plate=made.plate,
        alphas=made.alphas,
        foregrounds=made.foregrounds,
        shadows=made.shadows,
        clean=kind == "locked-off",
    )


def _photograph(asset: Asset, folder: Path) -> Array:
    picture = np.asarray(cv2.imdecode(np.frombuffer(asset.read(folder), np.uint8), cv2.IMREAD_COLOR))
    return linearise(picture[..., ::-1])


def _credit(asset: Asset) -> dict[str, str]:
    return {"photograph": asset.file, "author": asset.author, "licence": asset.licence, "package": asset.package}


def _renders(folder: Path | None, count: int) -> dict[int, Path]:
    """Shot's number -> render, for every other pair as far as there are renders, taken evenly from all of them."""
    files = sorted(folder.glob("*.npy")) if folder is not None and folder.is_dir() else []
    numbers = [number for number in range(count) if number // 2 % 2][: len(files)]
    return {number: files[index * len(files) // len(numbers)] for index, number in enumerate(numbers)}


def _painted(seed: int, photos: Sequence[Array]) -> _Subject:
    """A painted subject; its surfaces are cut from photographs other than its set's: nobody wears the wall behind."""
    return _Subject([foreground(seed, photos)], f"painted, seed {seed}")


def _rendered(file: Path) -> _Subject:
    pictures = np.load(file, mmap_mode="r")
    if pictures.ndim == 3:
        pictures = pictures[None]
    if pictures.ndim != 4 or pictures.shape[3] != 4 or pictures.shape[1] != pictures.shape[2]:
        message = f"The render {file} has the shape {pictures.shape}."
        raise EngineError("BAD_REQUEST", message, "Renders are (S, S, 4) or (T, S, S, 4); render it again.")
    return _Subject([np.asarray(picture, np.float32) for picture in pictures], f"rendered, {file.name}")
