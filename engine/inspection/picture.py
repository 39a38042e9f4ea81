"""The inspection as a picture: frames, the plate under them, and what was found, in colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from engine.evaluation.pictures import LABEL_HEIGHT, Picture, sheet, shown
from engine.inspection.measure import Look, Measured
from engine.inspection.verdicts import Line
from engine.values import Array, Mask

_COLOURS = {
    "subject": (0, 158, 115),
    "shadow": (86, 180, 233),
    "moving": (213, 94, 0),
    "hidden": (240, 228, 66),
    "ghost": (204, 121, 167),
    "unseen": (60, 60, 60),
}
"""Distinct for every kind of colour vision: Okabe & Ito, "Color Universal Design" (2008); never seen is dark grey."""

_LEGEND = {
    "subject": "subject",
    "hidden": "looks like the plate",
    "shadow": "shadow",
    "moving": "moves",
    "ghost": "stands in the plate",
    "unseen": "never seen",
}

_VERDICTS = {"good": (0, 158, 115), "watch": (230, 159, 0), "bad": (213, 94, 0)}

_TILE = 400
_LINE = 22
_DARK, _LIGHT = 24, (225, 225, 225)
_COVER = 0.65
"""How much of a region's colour lies over the grey frame."""


def draw(measured: Sequence[Measured], lines: Sequence[Line], to_acescg: Callable[[Array], Array]) -> bytes | None:
    """Draw a row for each frame that could be measured, and the verdicts under them.

    Args:
        measured: the frames.
        lines: their verdicts.
        to_acescg: brings linear light to ACEScg at an exposure that can be seen.

    Returns:
        A PNG file; None where no frame could be measured.
    """
    looks = [(one.number, one.look) for one in measured if one.look is not None]
    if not looks:
        return None
    columns = {
        "frame": [_numbered(shown(to_acescg(look.frame)), number) for number, look in looks],
        "clean plate on it": [shown(to_acescg(look.plate)) for _, look in looks],
        "what was found": [_found(look, to_acescg) for _, look in looks],
    }
    picture = sheet(columns, _TILE)
    whole = np.vstack([picture, _legend(picture.shape[1]), _verdicts(lines, picture.shape[1])])
    return bytes(cv2.imencode(".png", whole[..., ::-1])[1])


def _numbered(picture: Picture, number: int) -> Picture:
    scale = picture.shape[1] / _TILE
    marked = np.ascontiguousarray(picture)
    place = (round(6 * scale), round(18 * scale))
    for colour, width in (((0, 0, 0), 3), (_LIGHT, 1)):
        cv2.putText(marked, str(number), place, cv2.FONT_HERSHEY_SIMPLEX, 0.5 * scale, colour, width, cv2.LINE_AA)
    return marked


def _found(look: Look, to_acescg: Callable[[Array], Array]) -> Picture:
    grey = shown(to_acescg(look.frame)).mean(2, keepdims=True).repeat(3, 2)
    for name, colour in _COLOURS.items():
        region: Mask = getattr(look.regions, name)
        mixed = (1 - _COVER) * grey + _COVER * np.array(colour)
        grey = np.where(region[..., None], mixed, grey)
    return np.round(grey).astype(np.uint8)


def _legend(width: int) -> Picture:
    strip = np.full((LABEL_HEIGHT, width, 3), _DARK, np.uint8)
    left = 6
    for name, words in _LEGEND.items():
        cv2.rectangle(strip, (left, 8), (left + 11, 19), _COLOURS[name], cv2.FILLED)
        left += 17
        cv2.putText(strip, words, (left, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.45, _LIGHT, 1, cv2.LINE_AA)
        left += cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)[0][0] + 18
    return strip


def _verdicts(lines: Sequence[Line], width: int) -> Picture:
    block = np.full((_LINE * len(lines) + 8, width, 3), _DARK, np.uint8)
    for row, line in enumerate(lines):
        bottom = _LINE * row + 18
        for text, left, colour in (
            (line.verdict, 6, _VERDICTS[line.verdict]),
            (line.name, 70, _LIGHT),
            (line.figure, 240, _LIGHT),
        ):
            cv2.putText(block, text, (left, bottom), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, 1, cv2.LINE_AA)
    return block
