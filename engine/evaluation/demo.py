"""The demo: ``python -m engine.evaluation.demo shoot|report FOLDER``.

``shoot`` makes the shot with its truth; `platekey` then keys it twice, to ``half/`` and ``float/``; ``report`` reads
the files back, measures them against the truth and a tuned difference keyer, and makes pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from engine.evaluation.delivered import Delivered, read_channels, read_delivered, read_rgb
from engine.evaluation.difference_keyer import tune
from engine.evaluation.layer_errors import premultiplied_mse, recombination, shadow_mae, static_noise
from engine.evaluation.metrics import Score, score, unknown_band
from engine.evaluation.pictures import before_and_after, contact_sheet, evening_room, write_animation, write_picture
from engine.synthesis.demo.shot import write_shot
from engine.values import Array

SHOT, PATTERN = "shot", "frame.*.exr"

app = typer.Typer(add_completion=False)

Folder = Annotated[Path, typer.Argument(help="Where the demo's files lie.")]


@dataclass(frozen=True)
class Shot:
    """The shot as it was written and as it was keyed, a frame an entry.

    Attributes:
        numbers: frame numbers.
        frames: ``(H, W, 3)`` linear.
        alphas: the truth of alpha.
        foregrounds: the truth of P.
        shadows: the truth of s.
        keyed: read back from the half files.
        keyed_float: read back from the float files.
    """

    numbers: list[int]
    frames: list[Array]
    alphas: list[Array]
    foregrounds: list[Array]
    shadows: list[Array]
    keyed: list[Delivered]
    keyed_float: list[Delivered]


@app.command()
def shoot(folder: Folder, frames: int = 12, width: int = 960) -> None:
    """Make the shot with its truth."""
    for path in write_shot(folder / SHOT, frames, (width * 9 // 16, width)):
        if path.match(PATTERN) or path.stem == "cleanplate":
            typer.echo(path)


@app.command()
def report(folder: Folder) -> None:
    """Measure what was keyed, and make pictures of it."""
    shot = _read(folder)
    for line in (*_equation(shot), "", *_mattes(shot), "", *_layers(shot), ""):
        typer.echo(line)
    for path in _pictures(shot, folder):
        typer.echo(f"picture: {path}")


def _read(folder: Path) -> Shot:
    paths = sorted((folder / SHOT).glob(PATTERN))
    numbers = [int(path.suffixes[0][1:]) for path in paths]
    truths = [read_channels(folder / SHOT / f"gt.{number}.exr")[0] for number in numbers]
    return Shot(
        numbers=numbers,
        frames=[read_rgb(path) for path in paths],
        alphas=[truth["A"] for truth in truths],
        foregrounds=[np.stack([truth[name] for name in "RGB"], axis=2) for truth in truths],
        shadows=[read_rgb(folder / SHOT / f"shadow_gt.{number}.exr") for number in numbers],
        keyed=[read_delivered(folder / "half" / f"keyed.{number}.exr") for number in numbers],
        keyed_float=[read_delivered(folder / "float" / f"keyed.{number}.exr") for number in numbers],
    )


def _equation(shot: Shot) -> Iterator[str]:
    """The promise of the files: what they recombine to, where the plate is valid."""
    half, whole = (
        [recombination(frame, one.stack, one.valid) for frame, one in zip(shot.frames, keyed, strict=True)]
        for keyed in (shot.keyed, shot.keyed_float)
    )
    outside = max(float(np.abs(one.stack.premultiplied[one.stack.alpha == 0]).max(initial=0)) for one in shot.keyed)
    invalid = 1 - np.mean([one.valid.mean() for one in shot.keyed])
    yield f"Recombination I - (P + (1-a) s B + R), files read back, {100 * invalid:.2f} % without plate left out:"
    yield f"  float files: {max(one.relative for one in whole):.2e} of M (promised: 1e-6)"
    yield f"  half files:  {max(one.half_ulps for one in half):.3f} half ulps of M (promised: 1)"
    yield f"  |P| where a = 0: {outside:g} (promised: 0)"


def _mattes(shot: Shot) -> Iterator[str]:
    """Alpha against the truth, beside the opponent's, over the whole frame and in the band of soft edges."""
    plates = [one.stack.plate for one in shot.keyed]
    keyer = tune(shot.frames, plates, shot.alphas)
    opponent = [keyer.key(frame, plate) for frame, plate in zip(shot.frames, plates, strict=True)]
    mattes = {"PlateKey": [one.stack.alpha for one in shot.keyed], "difference keyer": opponent}
    yield f"Opponent, tuned to this shot's truth on PlateKey's registered plate: {keyer}"
    bands = [unknown_band(alpha) for alpha in shot.alphas]
    for title, regions in (("whole frame", None), ("band of soft edges", bands)):
        scores = {name: score(alphas, shot.alphas, regions) for name, alphas in mattes.items()}
        yield ""
        yield from _table(title, scores)


def _table(title: str, scores: dict[str, Score]) -> Iterator[str]:
    yield f"{title:28}{'MAD e3':>9}{'MSE e3':>9}{'Grad e-3':>10}{'Conn e-3':>10}{'dtSSD e2':>10}"
    for name, one in scores.items():
        yield f"{name:28}{one.mad:9.3f}{one.mse:9.3f}{one.grad:10.4f}{one.conn:10.4f}{one.dtssd:10.3f}"
    ours, theirs = (astuple(one) for one in scores.values())
    yield f"PlateKey is better on {sum(a < b for a, b in zip(ours, theirs, strict=True))} of {len(ours)}."


def _layers(shot: Shot) -> Iterator[str]:
    """What alpha's metrics do not see."""
    stacks = [one.stack for one in shot.keyed]
    alphas = [stack.alpha for stack in stacks]
    light = _mean(premultiplied_mse(s.premultiplied, truth) for s, truth in zip(stacks, shot.foregrounds, strict=True))
    open_set = [truth < 0.5 for truth in shot.alphas]
    ratio = _mean(
        shadow_mae(s.shadow_ratio, truth, where) for s, truth, where in zip(stacks, shot.shadows, open_set, strict=True)
    )
    none = _mean(shadow_mae(np.ones_like(t), t, where) for t, where in zip(shot.shadows, open_set, strict=True))
    yield f"Premultiplied foreground, MSE in linear light: {1e3 * light:.4f} e-3"
    yield f"Shadow ratio, MAE outside the subject: {ratio:.4f} (a ratio of 1 everywhere: {none:.4f})"
    yield f"Alpha's deviation over time where nothing moves: {static_noise(alphas, shot.alphas):.6f}"


def _mean(values: Iterator[float]) -> float:
    return float(np.mean(list(values)))


def _pictures(shot: Shot, folder: Path) -> Iterator[Path]:
    background = evening_room(shot.frames[0].shape[:2])
    rows = [(frame, one.stack) for frame, one in zip(shot.frames, shot.keyed, strict=True)]
    yield write_picture(folder / "contact_sheet.png", contact_sheet(_chosen(rows), background))
    pairs = [before_and_after(frame, stack, background) for frame, stack in rows]
    yield write_picture(folder / "before_and_after.png", pairs[len(pairs) // 2])
    yield write_animation(folder / "before_and_after.webp", pairs)


def _chosen(rows: Sequence[tuple[Array, object]]) -> list:
    return [rows[i] for i in sorted({0, len(rows) // 2, len(rows) - 1})]


if __name__ == "__main__":
    app()
