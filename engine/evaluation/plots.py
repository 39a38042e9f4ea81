"""The report's diagrams, drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from engine.evaluation.evaluate import Row
from engine.evaluation.figures import ALPHA, LAYERS, Column
from engine.evaluation.robustness import AXES, Axis, Point

_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
"""Distinct for every kind of colour vision: Okabe & Ito, "Color Universal Design" (2008)."""

_BARS = ("mad", "mse", "grad", "dtssd", "premultiplied", "static")
_DPI = 120


def draw_figures(path: Path, groups: Sequence[Row]) -> Path:
    """One panel a figure, one cluster of bars a group, one bar a method; logarithmic, less is better."""
    columns = [column for column in (*ALPHA, *LAYERS) if column.key in _BARS]
    picture = Figure(figsize=(12, 6.5), layout="constrained")
    panels = picture.subplots(2, 3)
    for panel, column in zip(panels.flat, columns, strict=True):
        _bars(panel, column, groups)
    handles, labels = panels.flat[0].get_legend_handles_labels()
    picture.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    return _save(picture, path)


def draw_curves(path: Path, points: Sequence[Point]) -> Path:
    """One panel a fault, one line a method; dashed with the pipeline's registration off."""
    picture = Figure(figsize=(12, 7), layout="constrained")
    panels = picture.subplots(2, 3, sharey=True).flat
    for panel, axis in zip(panels, AXES, strict=False):
        _lines(panel, axis, [point for point in points if point.axis == axis.key])
    spare = panels[len(AXES)]
    spare.set_axis_off()
    spare.legend(*panels[0].get_legend_handles_labels(), loc="center", frameon=False, title="x: some frames refused")
    return _save(picture, path)


def _bars(panel: Axes, column: Column, groups: Sequence[Row]) -> None:
    names = list(dict.fromkeys(row.group for row in groups))
    methods = list(dict.fromkeys(row.method for row in groups))
    width = 0.8 / len(methods)
    figures = {(row.group, row.method): row.figures[column.key] for row in groups}
    for index, method in enumerate(methods):
        values = [figures.get((name, method)) for name in names]
        heights = [np.nan if value is None else value for value in values]
        places = np.arange(len(names)) + (index - (len(methods) - 1) / 2) * width
        bars = panel.bar(places, heights, width, color=_COLOURS[index % len(_COLOURS)], label=method)
        panel.bar_label(bars, ["" if value is None else f"{value:.3g}" for value in values], fontsize=7)
    panel.set_xticks(range(len(names)), names)
    _decades(panel)
    known = [value for value in figures.values() if value]
    if known:
        panel.set_ylim(min(known) / 2, 2 * max(known))
    panel.set_title(column.title, fontsize=10)


def _lines(panel: Axes, axis: Axis, points: Sequence[Point]) -> None:
    methods = list(dict.fromkeys(point.method for point in points))
    places = {level: index for index, level in enumerate(axis.levels)}
    for (index, method), mode in product(enumerate(methods), axis.modes):
        own = [point for point in points if (point.method, point.mode) == (method, mode)]
        label = method if mode == "auto" else f"{method}, registration off"
        colour = _COLOURS[index % len(_COLOURS)]
        style = "-o" if mode == "auto" else "--o"
        marks = [places[point.level] for point in own]
        panel.plot(marks, [point.mad for point in own], style, color=colour, label=label, markersize=3.5, linewidth=1.5)
        gone = [point for point in own if point.refused]
        panel.plot([places[point.level] for point in gone], [point.mad for point in gone], "x", color=colour)
    # Levels lie evenly, however they grow.
    panel.set_xticks(range(len(axis.levels)), [f"{level:g}" for level in axis.levels])
    panel.set_xlabel(axis.title)
    panel.set_ylabel("MAD of alpha, e3")
    _decades(panel)
    panel.grid(alpha=0.3)


def _decades(panel: Axes) -> None:
    """A logarithmic scale with plain numbers at 1, 2 and 5."""
    panel.set_yscale("log")
    panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panel.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    panel.yaxis.set_minor_formatter(NullFormatter())


def _save(picture: Figure, path: Path) -> Path:
    picture.savefig(path, dpi=_DPI)
    return path
