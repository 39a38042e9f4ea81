"""The report of an evaluation: a page in Markdown, the same in JSON, diagrams, and a sheet of mattes.

Everything is made in a folder of its own and moved into place when all of it is there.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

import engine
from engine.evaluation.evaluate import Evaluation, Row, group_means
from engine.evaluation.figures import ALPHA, BAND, LAYERS, Column
from engine.evaluation.pictures import sheet, write_picture
from engine.evaluation.plots import draw_curves, draw_figures
from engine.evaluation.robustness import AXES, Axis, Point

_TEMPLATE = "report.md.jinja"
_TILE = 240
"""px, width of a matte in the sheet."""

_ABSENT = "–"


def write_report(out: Path, evaluation: Evaluation) -> list[Path]:
    """Write ``evaluation.md``, ``evaluation.json`` and the pictures into a folder, over those of an earlier run.

    Raises:
        OSError: a file cannot be written; the earlier ones are then as they were.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".report-", dir=out) as unfinished:
        made = list(_make(Path(unfinished), evaluation))
        return [path.replace(out / path.name) for path in made]


def _make(folder: Path, evaluation: Evaluation) -> Iterator[Path]:
    groups = group_means(evaluation.rows)
    yield draw_figures(folder / "figures.png", groups)
    yield write_picture(folder / "mattes.png", sheet(evaluation.tiles, _TILE))
    if evaluation.points:
        yield draw_curves(folder / "robustness.png", evaluation.points)
    for name, text in (("evaluation.json", _json(evaluation, groups)), ("evaluation.md", _page(evaluation, groups))):
        (folder / name).write_text(text, encoding="utf-8")
        yield folder / name


def _json(evaluation: Evaluation, groups: Sequence[Row]) -> str:
    document = {
        "platekey": engine.__version__,
        "device": evaluation.device,
        "methods": dict(evaluation.methods),
        "columns": {column.key: column.title for column in (*ALPHA, *LAYERS)},
        "groups": [asdict(row) for row in groups],
        "shots": [asdict(row) for row in evaluation.rows],
        "robustness": [asdict(point) for point in evaluation.points],
    }
    return json.dumps(document, indent=1) + "\n"


def _page(evaluation: Evaluation, groups: Sequence[Row]) -> str:
    loader = PackageLoader("engine.evaluation", "")
    pages = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=False, keep_trailing_newline=True)
    return pages.get_template(_TEMPLATE).render(
        shots=len({row.shot for row in evaluation.rows}),
        frames=sum(row.frames for row in evaluation.rows if row.method == evaluation.rows[0].method),
        made=f"PlateKey {engine.__version__}, {evaluation.device}",
        methods=evaluation.methods,
        tables=[
            _table("Whole frame", groups, (*ALPHA, *LAYERS), ""),
            _table("Unknown band", groups, ALPHA, BAND),
        ],
        columns=(*ALPHA, *LAYERS),
        refusals=[row for row in evaluation.rows if row.refusals],
        curves=[_curve(axis, evaluation.points) for axis in AXES] if evaluation.points else [],
        clean=evaluation.clean,
    )


def _table(title: str, groups: Sequence[Row], columns: Sequence[Column], prefix: str) -> dict[str, object]:
    rows = [
        {
            "group": row.group,
            "method": row.method,
            "cells": [_cell(row, column, prefix, groups) for column in columns],
        }
        for row in groups
    ]
    return {"title": title, "columns": columns, "rows": rows}


def _cell(row: Row, column: Column, prefix: str, groups: Sequence[Row]) -> str:
    key = prefix + column.key
    value = row.figures[key]
    if value is None:
        return _ABSENT
    rivals = [figure for other in groups if other.group == row.group and (figure := other.figures[key]) is not None]
    best = max(rivals) if column.larger_is_better else min(rivals)
    text = f"{value:.{column.digits}f}"
    return f"**{text}**" if value == best and len(rivals) > 1 else text


def _curve(axis: Axis, points: Sequence[Point]) -> dict[str, object]:
    own = [point for point in points if point.axis == axis.key]
    lines = dict.fromkeys((point.method, point.mode) for point in own)
    rows = [
        {
            "label": method if mode == "auto" else f"{method}, registration off",
            "cells": [_error(point) for point in own if (point.method, point.mode) == (method, mode)],
        }
        for method, mode in lines
    ]
    return {"title": axis.title, "levels": [f"{level:g}" for level in axis.levels], "rows": rows}


def _error(point: Point) -> str:
    return f"{point.mad:.2f}" + (f", {point.refused:.0%} refused" if point.refused else "")
