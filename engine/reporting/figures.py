"""Delivered frames in figures: what one says of itself, and what only its neighbours tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from engine.reporting.result import Result
from engine.values import Array

_SIDE = 480
"""px, long side of the alphas that flicker is measured on; grain of single pixels is averaged."""

_DOUBTED = 0.2
"""Expected error of a pixel from which it counts when frames are compared: what is less is much the same in all."""

_AROUND = 12
"""Frames either way that a frame's amount of subject is compared with: half a second."""


@dataclass(frozen=True)
class Figures:
    """Of one frame; what its file does not tell is None.

    Attributes:
        number: of the frame.
        subject: mean alpha.
        uncertainty: mean of it.
        doubtful: `doubtful` of it.
        residual: 99.9th percentile of the residual's size where the plate was seen, linear.
        unseen: share of the frame that the plate never saw.
        warnings: sentence that the render left in the header.
        alpha: ``(h, w)`` small, for `flicker`.
    """

    number: int
    subject: float
    uncertainty: float | None
    doubtful: float | None
    residual: float | None
    unseen: float | None
    warnings: str
    alpha: Array = field(repr=False)


def figures(number: int, result: Result) -> Figures:
    """Measure a delivered frame."""
    seen = None if result.validity is None else result.validity > 0.5
    residual = None
    if result.residual is not None:
        size = np.abs(result.residual).max(2)
        kept = size if seen is None else size[seen]
        residual = float(np.quantile(kept, 0.999)) if kept.size else 0.0
    scale = min(1.0, _SIDE / max(result.alpha.shape))
    return Figures(
        number=number,
        subject=float(result.alpha.mean()),
        uncertainty=None if result.uncertainty is None else float(result.uncertainty.mean()),
        doubtful=None if result.uncertainty is None else doubtful(result.uncertainty),
        residual=residual,
        unseen=None if seen is None else float(1 - seen.mean()),
        warnings=result.header.get("warnings", ""),
        alpha=cv2.resize(result.alpha, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA),
    )


def flicker(before: Figures, here: Figures, after: Figures) -> float | None:
    """How far alpha leaves the median of itself and its two neighbours, mean over the picture.

    A subject that passes by moves alpha one way, so that the frame between is the median: only what goes there and back
    within three frames counts.

    Returns:
        In alpha, 0 and up; None where sizes differ or the three are no neighbours.
    """
    consecutive = here.number - before.number == after.number - here.number
    if not consecutive or not before.alpha.shape == here.alpha.shape == after.alpha.shape:
        return None
    middle = np.median(np.stack([before.alpha, here.alpha, after.alpha]), 0)
    return float(np.abs(here.alpha - middle).mean())


def flickers(shot: Sequence[Figures]) -> list[float | None]:
    """`flicker` of every frame of a shot; None at its ends."""
    inner = [flicker(*three) for three in zip(shot, shot[1:], shot[2:], strict=False)]
    return [None, *inner, None][: len(shot)] if len(shot) > 1 else [None] * len(shot)


def doubtful(uncertainty: Array) -> float:
    """Mean over the picture of what is expected to be wrong by 0.2 of alpha and more."""
    return float(np.where(uncertainty > _DOUBTED, uncertainty, 0).mean())


def expected_errors(doubted: Sequence[float], subject: Sequence[float]) -> list[float]:
    """By what frames are wrong, for their order: what is doubted, and how far mean alpha leaves that of frames around.

    A network that misses a part of the subject knows it least; the amount of subject tells.

    Args:
        doubted: `doubtful` of each frame, in order.
        subject: mean alpha of each.
    """
    around = [np.median(subject[max(at - _AROUND, 0) : at + _AROUND + 1]) for at in range(len(subject))]
    parts = zip(doubted, subject, around, strict=True)
    return [doubt + abs(float(mean - middle)) for doubt, mean, middle in parts]
