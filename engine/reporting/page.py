"""The page: one HTML file without anything outside of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from string import Template

from engine.reporting.figures import Figures, expected_errors, flickers
from engine.reporting.pictures import Tiles
from engine.reporting.plots import plot
from engine.reporting.ranking import Suspect, rank

_TEMPLATE = Path(__file__).with_name("page.html")

_FACTS = ("model", "weights", "version", "device", "colorspace", "plate")
"""Header entries that are shown, in this order."""


@dataclass(frozen=True)
class Shot:
    """What a page is about.

    Attributes:
        title: of the page.
        figures: of every result, by ascending number.
        header: PlateKey's entries of the first result.
        cuts: frames that begin another scene.
    """

    title: str
    figures: Sequence[Figures]
    header: Mapping[str, str]
    cuts: Sequence[int] = field(default_factory=tuple)

    @property
    def numbers(self) -> list[int]:
        """Of all results."""
        return [one.number for one in self.figures]

    @property
    def series(self) -> dict[str, list[float | None]]:
        """Figures over time in which more is worse, by name."""
        return {
            "uncertainty": [one.uncertainty for one in self.figures],
            "flicker": flickers(self.figures),
            "residual": [one.residual for one in self.figures],
            "plate never saw": [one.unseen for one in self.figures],
        }

    def first(self) -> list[Suspect]:
        """The frames to look at first."""
        doubted = [one.doubtful for one in self.figures if one.doubtful is not None]
        whole = len(doubted) == len(self.figures)
        expected = expected_errors(doubted, [one.subject for one in self.figures]) if whole else ()
        return rank(self.numbers, self.series, [one.warnings for one in self.figures], expected)


def chosen(shot: Shot, most: int) -> list[int]:
    """Numbers of the frames to show: those to look at first, and others evenly spread, ascending."""
    first = [suspect.number for suspect in shot.first()]
    others = [number for number in shot.numbers if number not in first]
    room = max(most - len(first), 0)
    spread = others if len(others) <= room else [others[index * len(others) // room] for index in range(room)]
    return sorted({*first, *spread})


def page(shot: Shot, pictures: Mapping[int, Tiles]) -> str:
    """Write the page.

    Args:
        shot: its figures.
        pictures: of the frames that are shown.
    """
    first = shot.first()
    marked = {suspect.number for suspect in first}
    values = {
        "title": escape(shot.title),
        "summary": escape(_summary(shot, len(pictures))),
        "facts": "".join(_fact(name, shot.header[name]) for name in _FACTS if shot.header.get(name)),
        "first": _first(first),
        "plots": "\n".join(_plots(shot, marked)),
        "legend": _legend(pictures.values()),
        "frames": "\n".join(_figure(number, pictures[number], first) for number in sorted(pictures)),
    }
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(values)


def _summary(shot: Shot, count: int) -> str:
    numbers = shot.numbers
    frames = f"{len(numbers)} frames, {numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else f"Frame {numbers[0]}"
    cuts = f"; it is cut before {', '.join(map(str, shot.cuts))}" if shot.cuts else ""
    return f"{frames}{cuts}. {count} of them are shown below."


def _fact(name: str, value: str) -> str:
    return f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"


def _first(suspects: Sequence[Suspect]) -> str:
    if not suspects:
        return "<p>No frame stands out of the shot.</p>"
    items = "".join(
        f'<li><a href="#f{one.number}">Frame {one.number}</a>: {escape("; ".join(one.reasons))}</li>'
        for one in suspects
    )
    return f"<ol>{items}</ol>"


def _plots(shot: Shot, marked: Collection[int]) -> Iterable[str]:
    series = shot.series
    curves: dict[str, Sequence[float | None]] = {
        "alpha, mean over the frame": [one.subject for one in shot.figures],
        "uncertainty, mean over the frame": series["uncertainty"],
        "flicker: alpha's way there and back within three frames, mean": series["flicker"],
        "residual, 99.9 % of the pixels lie below, linear": series["residual"],
        "share of the frame that the plate never saw": series["plate never saw"],
    }
    for title, values in curves.items():
        yield plot(title, shot.numbers, values, marked, shot.cuts)


def _legend(pictures: Iterable[Tiles]) -> str:
    if all(tiles.has_frame for tiles in pictures):
        return "Left of the line the frame, right of it the result over mid grey; below alpha and uncertainty."
    return "Left of the line the matte, right of it the result over mid grey; below alpha and uncertainty."


def _figure(number: int, tiles: Tiles, first: Sequence[Suspect]) -> str:
    reasons = next((suspect.reasons for suspect in first if suspect.number == number), ())
    why = f" {escape('; '.join(reasons))}" if reasons else ""
    small = f'<img src="{tiles.alpha}" alt="alpha">'
    if tiles.uncertainty:
        small += f'<img src="{tiles.uncertainty}" alt="uncertainty">'
    return (
        f'<figure id="f{number}"><figcaption><b>{number}</b>{why}</figcaption><div class="compare">'
        f'<img class="after" src="{tiles.after}" alt="result over mid grey">'
        f'<img class="before" src="{tiles.before}" alt="before">'
        f'<input type="range" min="0" max="100" value="50" aria-label="before and after, frame {number}"></div>'
        f'<div class="small">{small}</div></figure>'
    )
