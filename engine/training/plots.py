"""Pictures of a run: its curves, and what it makes of a few samples."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from torch import Tensor

from engine.evaluation.pictures import Picture, shown, shown_data
from engine.training.recipe import Column

if TYPE_CHECKING:
    from matplotlib.axes import Axes

log = logging.getLogger(__name__)

# px: side of a sample, height of a title.
_TILE, _TITLE = 192, 24


def draw_losses(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Draw the log's curves: losses to the left, validation to the right, both over steps, logarithmically.

    Without matplotlib (the extra ``reports``) it says so and draws nothing.

    Raises:
        OSError: the disk is full.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an optional extra
    except ModuleNotFoundError:
        log.info("No curves are drawn: install matplotlib (pip install platekey[reports]).")
        return
    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, kind in ((left, "losses"), (right, "validation")):
        _curves(axes, lines, kind)
    part = path.with_suffix(".part.png")
    figure.savefig(part, dpi=110)
    part.replace(path)


def _curves(axes: Axes, lines: Sequence[Mapping[str, Any]], kind: str) -> None:
    for name in sorted({name for line in lines for name in line[kind]}):
        points = [(line["step"], line[kind][name]) for line in lines if name in line[kind]]
        axes.plot(*zip(*points, strict=True), marker=".", label=name)
    axes.set(title=kind, xlabel="step")
    if any(value > 0 for line in lines for value in line[kind].values() if math.isfinite(value)):
        axes.set_yscale("log")
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[1]:
        axes.legend()


def draw_samples(path: Path, columns: Sequence[Column]) -> None:
    """Draw a sheet, one row a sample, one column for each way to look at it.

    Raises:
        OSError: the disk is full.
    """
    sheet = np.hstack([_column(column) for column in columns])
    whole, data = cv2.imencode(".png", sheet[..., ::-1])
    if not whole:
        raise OSError(f"{path} could not be encoded.")
    part = path.with_suffix(".part.png")
    part.write_bytes(data.tobytes())
    part.replace(path)


def _column(column: Column) -> Picture:
    title = np.full((_TITLE, _TILE, 3), 255, np.uint8)
    cv2.putText(title, column.title, (4, _TITLE - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([title, *(_tile(pixels) for pixels in column.pixels)])


def _tile(pixels: Tensor) -> Picture:
    """``(3, H, W)`` colours or ``(1, H, W)`` data as a square picture."""
    values = pixels.detach().float().cpu().permute(1, 2, 0).numpy()
    picture = shown(values) if values.shape[2] == 3 else shown_data(values[..., 0])
    return np.asarray(cv2.resize(picture, (_TILE, _TILE), interpolation=cv2.INTER_AREA), np.uint8)
