"""What compositors could use instead, as keyers. They are given PlateKey's registered and exposure-matched plate.

Where that plate saw nothing they get the frame itself. Both deliver ``P = max(I - (1 - a) B, 0)`` where a is above 0:
plate subtraction with the plate they have.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import numpy as np

from engine.errors import EngineError
from engine.evaluation.difference_keyer import tune
from engine.evaluation.keyers import Keyed, Registration, refused
from engine.evaluation.shot import Shot, as_image
from engine.evaluation.shot_folder import write_whole
from engine.evaluation.trimap import automatic_mask, automatic_trimap
from engine.pipeline import photometric
from engine.pipeline.registration import register
from engine.values import Array, Plate

log = logging.getLogger(__name__)

_WHITE = 99.8
"""Percentile of a frame's light that closed-form matting gets to see as 1: it expects colours in 0..1."""


class PlacedPlates:
    """The clean plate of each frame as the pipeline's own stages bring it there; the last shot's are remembered."""

    def __init__(self) -> None:
        self._last: tuple[Shot, Registration, list[Plate | EngineError]] | None = None

    def of(self, shot: Shot, mode: Registration) -> list[Plate | EngineError]:
        """One plate a frame, or why it was refused."""
        if self._last is None or self._last[0] is not shot or self._last[1] != mode:
            self._last = shot, mode, [_placed(shot, index, mode) for index in range(len(shot.frames))]
        return self._last[2]


@dataclass(frozen=True)
class DifferenceOpponent:
    """The difference keyer, tuned on the true alpha of the very shot: an upper bound of what its artist could reach."""

    plates: PlacedPlates
    name: str = "difference"

    def key(self, shot: Shot, mode: Registration) -> list[Keyed]:
        """Tune on the frames whose plate could be placed, and key them."""
        plates = self.plates.of(shot, mode)
        good = [index for index, plate in enumerate(plates) if isinstance(plate, Plate)]
        placed = [plate.rgb for plate in plates if isinstance(plate, Plate)]
        frames = [shot.frames[index] for index in good]
        if not good:
            return _keyed(shot, plates, [])
        keyer = tune(frames, placed, [shot.alphas[index] for index in good])
        return _keyed(shot, plates, [keyer.key(*pair) for pair in zip(frames, placed, strict=True)])


@dataclass(frozen=True)
class MaskOpponent:
    """All or nothing, as a segmenter answers: the automatic trimap's mask.

    Attributes:
        plates: of the shots.
        ideal: take the truth at one half instead, which no segmenter can better.
        name: as reports call it.
    """

    plates: PlacedPlates
    ideal: bool = False
    name: str = "mask"

    def key(self, shot: Shot, mode: Registration) -> list[Keyed]:
        """Key each frame by itself."""
        plates = self.plates.of(shot, mode)
        parts = zip(shot.frames, shot.alphas, plates, strict=True)
        masks = [
            truth > 0.5 if self.ideal else automatic_mask(frame, plate)
            for frame, truth, plate in parts
            if isinstance(plate, Plate)
        ]
        return _keyed(shot, plates, [mask.astype(np.float32) for mask in masks])


@dataclass(frozen=True)
class ClosedFormOpponent:
    """Closed-form matting on the automatic trimap: Levin, Lischinski & Weiss (CVPR 2006), as PyMatting computes it.

    Attributes:
        plates: of the shots.
        cache: folder of mattes already made, by the hash of what they were made from.
    """

    plates: PlacedPlates
    cache: Path
    name: str = "closed-form"

    def key(self, shot: Shot, mode: Registration) -> list[Keyed]:
        """Key each frame by itself."""
        plates = self.plates.of(shot, mode)
        pairs = zip(shot.frames, plates, strict=True)
        return _keyed(shot, plates, [self._matte(frame, plate) for frame, plate in pairs if isinstance(plate, Plate)])

    def _matte(self, frame: Array, plate: Plate) -> Array:
        trimap = automatic_trimap(frame, plate)
        key = hashlib.sha256(f"{frame.shape} {_WHITE} {version('pymatting')}".encode())
        for pixels in (frame, trimap):
            key.update(np.ascontiguousarray(pixels).tobytes())
        file = self.cache / f"closed-form-{key.hexdigest()[:32]}.npy"
        if not file.exists():
            self.cache.mkdir(parents=True, exist_ok=True)
            data = io.BytesIO()
            np.save(data, closed_form(frame, trimap).astype(np.float16))
            write_whole(file, data.getvalue())
        return np.load(file).astype(np.float32)


def closed_form(frame: Array, trimap: Array) -> Array:
    """Closed-form alpha, ``(H, W)`` 0..1; the trimap itself where it leaves nothing to solve, or no solution is found.

    Args:
        frame: ``(H, W, 3)`` linear; it is scaled and clipped to 0..1. (Encoded for display the mattes are no better.)
        trimap: ``(H, W)``: 0, 0.5 or 1.
    """
    if not {0.0, 0.5, 1.0} <= set(np.unique(trimap).tolist()):
        return np.floor(trimap)
    colours = np.clip(frame / max(float(np.percentile(frame, _WHITE)), 1e-6), 0, 1).astype(np.float64)
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            solve = import_module("pymatting").estimate_alpha_cf
            alpha = solve(colours, trimap.astype(np.float64))
    except ValueError as error:
        log.warning("Closed-form matting found no solution: %s", error)
        return trimap
    log.debug(said.getvalue())
    return np.asarray(alpha, np.float32)


def _placed(shot: Shot, index: int, mode: Registration) -> Plate | EngineError:
    frame = as_image(shot.frames[index], f"{shot.name}/frame.{shot.numbers[index]:04d}.exr", shot.space)
    try:
        _, plate = register(frame, as_image(shot.plate, f"{shot.name}/plate.exr", shot.space), mode)
    except EngineError as error:
        return error
    fitted = photometric.apply(plate, photometric.fit(frame.rgb, plate, "auto"))
    # Where the plate never saw the pixel nothing differs: an opponent without a notion of it would key the frame's rim.
    return Plate(np.where(fitted.valid[..., None], fitted.rgb, frame.rgb), fitted.valid)


def _keyed(shot: Shot, plates: Sequence[Plate | EngineError], alphas: Sequence[Array]) -> list[Keyed]:
    """Results in the shot's order; ``alphas`` holds one for each plate that was placed."""
    made = iter(alphas)
    return [
        refused(frame, plate) if isinstance(plate, EngineError) else _subtracted(frame, plate, next(made))
        for frame, plate in zip(shot.frames, plates, strict=True)
    ]


def _subtracted(frame: Array, plate: Plate, alpha: Array) -> Keyed:
    cover = alpha[..., None]
    light = np.maximum(frame - (1 - cover) * plate.rgb, 0)
    return Keyed(alpha, np.where(cover > 0, light, 0).astype(np.float32))
