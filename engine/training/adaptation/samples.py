"""Samples with exact truth out of a clip: its own subject, pasted over its own set, beside the plate that lies there.

    frame = P + (1 - a) * s * live,   plate = the frame's own, registered and fitted

``live`` is a frame of the clip without its subject, so that all that tells a frame of this shot from its plate is in
the sample, and none of it is subject.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch

from engine.synthesis.composites import shadow
from engine.training.adaptation.clip import Clip
from engine.training.stream import Batch, BatchSource, generator
from engine.values import Array

CELLS = 64
"""Cells of PlateNet's base along a sample's side, where the picture has so many; a whole frame has 240 to 600. Twice as
many make a step four times as slow, and steps are what the time is short of: docs/adapt.md."""

_STRIDE = 32
"""A sample's sides are multiples of so many cells: 16 for the base, and a tile of the refiner holds 16 or fewer."""

_NEAR, _SHADOWED, _EMPTY = 0.5, 0.25, 0.15
"""Shares of the samples whose subject stays near its place, casts another shadow, and is not there at all."""


_KEEP = 1.0
"""Weight of what the model said of a frame as it is where it was in doubt: nothing there tells better."""


@dataclass(frozen=True)
class Exact:
    """One sample, linear, anchored, ``(S, S, C)``: see `engine.synthesis.composites.Sample`.

    ``trust`` is 0..1, and the grain as `Clip.noise` gives it.
    """

    frame: Array
    plate: Array
    valid: Array
    alpha: Array
    shadow: Array
    foreground: Array
    trust: Array
    noise: Array


class ClipSource(BatchSource):
    """Batches of exact samples, by number.

    Args:
        clip: whose frames.
        numbers: frames to take subjects and sets from.
        seed: of everything drawn.
        count: samples of a batch.
        plain: share of the samples that are frames as they are.
    """

    def __init__(self, clip: Clip, numbers: Sequence[int], seed: int, count: int, plain: float = 0.0) -> None:
        self._clip, self._seed, self._count, self._plain = clip, seed, count, plain
        self._sets = list(numbers)
        self._subjects = [number for number in clip.subjects if number in self._sets]
        self.size = sample_size(clip)

    def batch(self, number: int, spent: float) -> Batch:
        """A batch; ``spent`` changes nothing. Names as in `engine.training.losses.step_losses`."""
        rng = generator(self._seed, number)
        return self._batch([self._sample(rng) for _ in range(self._count)])

    def as_shot(self, number: int) -> Batch:
        """A batch of the frames as they are; their trust is 0 but where the model was sure."""
        rng = generator(self._seed, number)
        return self._batch([self._as_it_is(rng, 0) for _ in range(self._count)])

    def _as_it_is(self, rng: np.random.Generator, keep: float) -> Exact:
        """A frame as it is, seen through a window at its subject's outline; its truth is what the model was sure of."""
        number = self._subjects[int(rng.integers(len(self._subjects)))]
        cut, outline = self._clip.cutout(number)
        x, y = outline[int(rng.integers(len(outline)))]
        window = self._window(rng, float(x), float(y))
        rgba, doubt = np.split(np.asarray(cut[window], np.float32), (4,), 2)
        _, ratio, _, sure = np.split(np.asarray(self._clip.backdrop(number)[window], np.float32), (3, 6, 7), 2)
        frame, plate, valid = np.split(np.asarray(self._clip.seen(number)[window], np.float32), (3, 6), 2)
        trust = np.where(doubt > 0, keep, sure).astype(np.float32)
        return Exact(frame, plate, valid, rgba[..., 3:], ratio, rgba[..., :3], trust, self._clip.noise(number))

    def _batch(self, samples: list[Exact]) -> Batch:
        names = ("frame", "plate", "valid", "alpha", "shadow", "foreground", "trust")
        planes = {
            name: torch.from_numpy(np.stack([getattr(each, name) for each in samples])).permute(0, 3, 1, 2).contiguous()
            for name in names
        }
        hint = torch.zeros_like(planes["frame"][:, :2])
        noise = torch.from_numpy(np.stack([each.noise for each in samples]))
        return {
            **planes,
            "noise": noise,
            "hint": hint,
            "cell": torch.tensor(self._clip.cell),
            "pairs": torch.tensor(False),
        }

    def _window(self, rng: np.random.Generator, x: float, y: float) -> tuple[slice, slice]:
        """Rows and columns of a sample that shows a point."""
        top, left = (
            int(np.clip(at - rng.uniform(0.2, 0.8) * self.size, 0, length - self.size))
            for at, length in zip((y, x), self._clip.size, strict=True)
        )
        return slice(top, top + self.size), slice(left, left + self.size)

    def _sample(self, rng: np.random.Generator) -> Exact:
        """A subject of one frame over the set of another, seen through a window at its outline; or a frame as it is."""
        if self._subjects and rng.random() < self._plain:
            return self._as_it_is(rng, _KEEP)
        behind = self._sets[int(rng.integers(len(self._sets)))]
        if not self._subjects or rng.random() < _EMPTY:
            return self._composed(rng, behind, None, self._anywhere(rng))
        cut, outline = self._clip.cutout(self._subjects[int(rng.integers(len(self._subjects)))])
        move = _move(rng, self._clip.size, outline)
        x, y = map(float, move @ (*outline[int(rng.integers(len(outline)))], 1))
        window = self._window(rng, x, y)
        move[:, 2] -= (window[1].start, window[0].start)
        placed: Array = cv2.warpAffine(np.asarray(cut, np.float32), move, (self.size,) * 2, flags=cv2.INTER_LINEAR)
        placed[..., :3] *= np.exp(rng.normal(0, 0.1)) if rng.random() < 0.5 else 1
        return self._composed(rng, behind, placed, window)

    def _anywhere(self, rng: np.random.Generator) -> tuple[slice, slice]:
        top, left = (int(rng.integers(length - self.size + 1)) for length in self._clip.size)
        return slice(top, top + self.size), slice(left, left + self.size)

    def _composed(
        self, rng: np.random.Generator, behind: int, subject: Array | None, window: tuple[slice, slice]
    ) -> Exact:
        live, ratio, trust, _ = np.split(np.asarray(self._clip.backdrop(behind)[window], np.float32), (3, 6, 7), 2)
        _, plate, valid = np.split(np.asarray(self._clip.seen(behind)[window], np.float32), (3, 6), 2)
        nothing = np.zeros((self.size, self.size, 5), np.float32)
        rgba, doubted = np.split(nothing if subject is None else subject, (4,), 2)
        if subject is not None and rng.random() < _SHADOWED:
            cast = shadow(rng, rgba[..., 3])
            live, ratio = live * cast, ratio * cast
        alpha: Array = np.clip(rgba[..., 3:], 0, 1)
        frame = rgba[..., :3] + (1 - alpha) * live
        trust = (1 - doubted) * np.maximum(trust, alpha)
        return Exact(frame, plate, valid, alpha, ratio, rgba[..., :3], trust, self._clip.noise(behind))


def sample_size(clip: Clip) -> int:
    """Px along the side of a sample: `CELLS` cells, or as many as the picture has; 0 where it is too small."""
    step = _STRIDE * clip.cell
    return min(CELLS * clip.cell, min(clip.size) // step * step)


def _move(rng: np.random.Generator, size: tuple[int, int], outline: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """``(2, 3)`` affine: the subject where it is, give or take a little; or elsewhere, turned, scaled, mirrored."""
    height, width = size
    middle = (outline.min(0) + outline.max(0)) / 2
    near = rng.random() < _NEAR
    turn, scale = rng.normal(0, 2 if near else 8), float(np.exp(rng.normal(0, 0.03 if near else 0.15)))
    move = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), turn, scale)
    aim = middle + rng.normal(0, 0.02, 2) * width if near else rng.uniform(0.1, 0.9, 2) * (width, height)
    move[:, 2] += aim - middle
    if not near and rng.random() < 0.5:
        move = move @ np.array(((-1, 0, 2 * middle[0]), (0, 1, 0), (0, 0, 1)))
    return np.asarray(move, np.float64)
