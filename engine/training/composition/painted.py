"""A folder of cut-outs from what PlateKey paints, for those who have no Composition-1k.

``python -m engine.training.composition.painted FOLDER --assets work/assets``. Held-out subjects and photographs come
last by name, which is where ``composition.held_out`` and ``composition.held_out_backgrounds`` look for them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from engine.errors import EngineError
from engine.pipeline.solve.extend import extend
from engine.synthesis.faults import srgb
from engine.synthesis.foregrounds import foreground
from engine.synthesis.textures import Rng, collage, photo_piece
from engine.training.dataset import load_photos
from engine.values import Array

log = logging.getLogger(__name__)

# Seeds of held-out subjects begin where no trained one's reach; as `engine.training.dataset` has it.
_HELD_OUT_SEED = 10_000_000

# Share of backgrounds that are drawn instead of photographed, as in PlateNet's own training.
_DRAWN = 0.25


def write_painted(folder: Path, assets: Path, subjects: int, held_out: int, backgrounds: int, size: int) -> None:
    """Write ``fg/``, ``alpha/`` and ``bg/`` of 8-bit sRGB pictures; what is there already is kept.

    Args:
        folder: to write to.
        assets: folder of the manifest's photographs.
        subjects: to train with.
        held_out: subjects and backgrounds more, of seeds and photographs that training never sees.
        backgrounds: to train with.
        size: px a side of every picture.

    Raises:
        EngineError: a photograph is missing or another; LIMIT_EXCEEDED where a picture cannot be written.
    """
    photos = load_photos(assets)
    for number, (kept, count) in enumerate(((False, subjects), (True, held_out))):
        own = [photo for photo, aside in photos if aside is kept]
        for index in range(count):
            seed = index + _HELD_OUT_SEED * kept
            _subject(folder, f"{number}_{index:05d}.png", seed, own, size)
            if index % 50 == 49:
                log.info("%d of %d subjects painted", index + 1, count)
        for index in range(held_out if kept else backgrounds):
            _background(folder / "bg" / f"{number}_{index:05d}.png", np.random.default_rng((7, kept, index)), own, size)


def _subject(folder: Path, name: str, seed: int, photos: Sequence[Array], size: int) -> None:
    if (folder / "alpha" / name).exists():
        return
    rgba = np.clip(foreground(seed, photos), 0, None)
    rgba = np.asarray(cv2.resize(rgba, (size, size), interpolation=cv2.INTER_AREA))
    alpha = rgba[..., 3].clip(0, 1)
    # Colour goes on beyond the edge, as in hand-made sets: resampling straight colour would else mix black in.
    straight = extend((rgba[..., :3] / np.maximum(rgba[..., 3:], 1e-4)).astype(np.float32), np.clip(4 * alpha, 0, 1))
    _write(folder / "fg" / name, srgb(straight)[..., ::-1])
    _write(folder / "alpha" / name, alpha)


def _background(path: Path, rng: Rng, photos: Sequence[Array], size: int) -> None:
    if path.exists():
        return
    picture = collage(rng, photos, size) if rng.random() < _DRAWN else photo_piece(rng, photos, size)
    _write(path, srgb(picture)[..., ::-1])


def _write(path: Path, values: Array) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    whole, data = cv2.imencode(".png", np.round(np.clip(values, 0, 1) * 255).astype(np.uint8))
    part = path.with_suffix(".part")
    try:
        if not whole:
            raise OSError("it could not be encoded")
        part.write_bytes(data.tobytes())
        part.replace(path)
    except OSError as error:
        message, step = (
            f"{path} could not be written ({error}).",
            "Make room there, and start again: what is there stays.",
        )
        raise EngineError("LIMIT_EXCEEDED", message, step) from error


def main(
    folder: Annotated[Path, typer.Argument(help="To write fg/, alpha/ and bg/ to.")],
    assets: Annotated[Path, typer.Option(help="Photographs, from packaging/fetch_training_assets.py.")],
    subjects: Annotated[int, typer.Option(min=1, help="To train with.")] = 400,
    held_out: Annotated[int, typer.Option(min=1, help="Subjects, and backgrounds, more.")] = 16,
    backgrounds: Annotated[int, typer.Option(min=1, help="To train with.")] = 200,
    size: Annotated[int, typer.Option(min=16, help="px a side.")] = 640,
) -> None:
    """Paint subjects and backgrounds into the layout that the recipe of the 2020 network learns from."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    write_painted(folder, assets, subjects, held_out, backgrounds, size)


if __name__ == "__main__":
    typer.run(main)
