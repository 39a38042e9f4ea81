"""What no figure holds: sentences on a clip or a plate that is not what it should be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.inspection.measure import Measured
from engine.inspection.verdicts import Verdict
from engine.pipeline.continuity import Continuity
from engine.pipeline.registration import clipped_share, is_black
from engine.values import Array

_COMBED = 0.2
"""Share of comb from which footage is interlaced. Measured on generated shots: 0.72 interlaced; 0.05 at most else."""

_ZOOMED = 1.02
"""Largest over smallest scale of the plate on the frames; generated hand-held takes stay within 0.4 %."""

_GHOST = 0.005
"""Share of the picture that a thing in the plate takes, in half of the frames, to be one."""

_CLIPPED = (0.02, 0.25)
"""Shares of the plate at its ceiling: to watch, and bad."""

_FEWEST = 3
"""Frames below which nothing can be said of how a shot goes."""

_NAMED = 5
"""Most frame numbers that a sentence lists."""


@dataclass(frozen=True)
class Finding:
    """A sentence, how bad it is, and what the artist does."""

    verdict: Verdict
    text: str
    tip: str


def of_plate(plate: Array) -> Iterator[Finding]:
    """What is wrong with a plate by itself, ``(H, W, 3)`` linear."""
    if is_black(plate):
        yield Finding("bad", "The clean plate is black.", "Look whether the right file, layer and frame were chosen.")
        return
    clipped = clipped_share(plate)
    if clipped >= _CLIPPED[0]:
        verdict: Verdict = "bad" if clipped >= _CLIPPED[1] else "watch"
        text = f"{clipped:.0%} of the clean plate is clipped: its light is cut off there."
        yield Finding(verdict, text, "Take the plate from the camera's original, or shoot it again a stop darker.")


def of_shot(measured: Sequence[Measured], continuity: Continuity, count: int, plate_usable: bool) -> Iterator[Finding]:
    """What is wrong with a shot before its plate.

    Args:
        measured: the frames that were measured.
        continuity: of those that were looked through.
        count: frames that the shot has; 0 for a still picture.
        plate_usable: the plate is not black.
    """
    if 0 < count < _FEWEST:
        frames = "one frame" if count == 1 else f"{count} frames"
        yield Finding(
            "watch", f"The shot has only {frames}: nothing that changes over time can be seen.", "Give it whole."
        )
    yield from _placed(measured, continuity, plate_usable)
    yield from _timed(continuity)
    yield from _seen([one for one in measured if not one.refused])


def _placed(measured: Sequence[Measured], continuity: Continuity, plate_usable: bool) -> Iterator[Finding]:
    lost = [one.number for one in measured if one.refused]
    if lost and plate_usable:
        if len(lost) == len(measured):
            text = "The clean plate seems to be of another scene: it is found in none of the frames that were measured."
            yield Finding("bad", text, "Choose a plate of this set.")
        else:
            where = "after a cut" if any(cut <= max(lost) for cut in continuity.cuts) else "or the subject fills them"
            text = f"The clean plate is not found in {_frames(lost)}: another scene, {where}."
            yield Finding("bad", text, "Key each scene with its own plate, by --frames.")
    zooms = [one.zoom for one in measured if not one.refused]
    if zooms and max(zooms) > _ZOOMED * min(zooms):
        text = f"The lens zooms during the shot, by {max(zooms) / min(zooms) - 1:.0%}."
        yield Finding("watch", text, "Take a plate at the same focal length, or a plate sequence that zooms alike.")


def _timed(continuity: Continuity) -> Iterator[Finding]:
    if continuity.cuts:
        text = f"The shot is cut: {_frames(continuity.cuts)} {_begin(continuity.cuts)} another scene."
        yield Finding("bad", text, "Key each scene by itself, by --frames, with a plate of its own.")
    if continuity.repeats:
        text = f"{_frames(continuity.repeats).capitalize()} repeat the frame before: frames were duplicated."
        yield Finding("watch", text, "Take the footage at the camera's own frame rate.")
    if continuity.leaps:
        text = f"A frame seems to be missing before {_frames(continuity.leaps)}: things move twice as far there."
        yield Finding("watch", text, "Look whether the footage was dropped or converted to another frame rate.")


def _seen(kept: Sequence[Measured]) -> Iterator[Finding]:
    if not kept:
        return
    if float(np.median([one.combed for one in kept])) > _COMBED:
        text = "The footage is interlaced: two moments stand in every frame, line by line."
        yield Finding("bad", text, "Deinterlace it first, to full frames; a matte cannot follow two moments.")
    ghosts = [one.number for one in kept if one.ghost > _GHOST]
    if len(ghosts) >= len(kept) / 2:
        text = f"Something stands in the clean plate that {_frames(ghosts)} do not show: the subject, or a prop."
        yield Finding("bad", text, "Choose a plate in which the set is empty, or build one: platekey plate build.")
    elif not any(one.subject for one in kept):
        text = "No subject is seen: the frames that were measured show nothing but the plate."
        yield Finding(
            "watch", text, "Choose frames with the subject (--frames), or look whether it is the plate itself."
        )


def _begin(numbers: Sequence[int]) -> str:
    return "begins" if len(numbers) == 1 else "begin"


def _frames(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"frame {numbers[0]}"
    listed = ", ".join(map(str, numbers[:_NAMED]))
    return f"frames {listed}" + (f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else "")
