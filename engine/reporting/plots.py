"""Figures over time as SVG that lies in the page itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from html import escape

_WIDTH, _HEIGHT = 960, 110
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 22, 20
"""px of the drawing, and of what is around the curve."""


def plot(
    title: str,
    numbers: Sequence[int],
    values: Sequence[float | None],
    first: Collection[int] = (),
    cuts: Collection[int] = (),
) -> str:
    """Draw one figure.

    Args:
        title: what it is, with its unit.
        numbers: of the frames, ascending.
        values: the figure of each; None leaves a gap.
        first: frames to mark; each mark leads to its frame on the page.
        cuts: frames before which a line is drawn.

    Returns:
        An ``svg`` element; empty where no value is known.
    """
    known = [value for value in values if value is not None]
    if not known:
        return ""
    top = max(*known, 0.0) or 1.0
    span = max(numbers[-1] - numbers[0], 1)

    def place(number: float, value: float) -> tuple[float, float]:
        x = _LEFT + (number - numbers[0]) / span * (_WIDTH - _LEFT - _RIGHT)
        return round(x, 1), round(_HEIGHT - _BOTTOM - value / top * (_HEIGHT - _TOP - _BOTTOM), 1)

    floor, ceiling = place(numbers[0], 0)[1], place(numbers[0], top)[1]
    parts = [
        f'<text class="title" x="{_LEFT}" y="14">{escape(title)}</text>',
        f'<text class="end" x="{_LEFT - 6}" y="{ceiling + 4}">{top:.3g}</text>',
        f'<text class="end" x="{_LEFT - 6}" y="{floor + 4}">0</text>',
        f'<text x="{_LEFT}" y="{_HEIGHT - 5}">{numbers[0]}</text>',
        f'<text class="end" x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 5}">{numbers[-1]}</text>',
        f'<path class="axis" d="M{_LEFT} {ceiling}V{floor}H{_WIDTH - _RIGHT}"/>',
    ]
    for cut in cuts:
        x = place(cut - 0.5, 0)[0]
        parts.append(f'<path class="cut" d="M{x} {ceiling}V{floor}"><title>cut before {cut}</title></path>')
    for run in _runs(numbers, values):
        points = [place(number, value) for number, value in run]
        parts.append(f'<polyline points="{" ".join(f"{x},{y}" for x, y in points)}"/>')
    for number, value in zip(numbers, values, strict=True):
        if value is not None:
            x, y = place(number, value)
            told = f"<title>{number}: {value:.4g}</title>"
            dot = f'<circle class="{"first" if number in first else "dot"}" cx="{x}" cy="{y}" r="3">{told}</circle>'
            parts.append(f'<a href="#f{number}">{dot}</a>' if number in first else dot)
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'


def _runs(numbers: Sequence[int], values: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    """Stretches in which the figure is known."""
    run: list[tuple[int, float]] = []
    for number, value in zip(numbers, values, strict=True):
        if value is not None:
            run.append((number, value))
        elif run:
            yield run
            run = []
    if run:
        yield run
