"""The frames of a shot on one grid and at one exposure: what is to be compared over time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from engine.errors import EngineError
from engine.pipeline import colour, photometric, registration
from engine.pipeline.decode import decode
from engine.pipeline.plates.consensus import Noise, agreement
from engine.pipeline.plates.stack import Stack
from engine.settings import RegistrationMode, Source
from engine.values import Alpha, Array, Image, Mask, Photometric, Plate

Frames = Sequence[tuple[int, Callable[[], Source]]]
"""Number and file of each frame, loaded when it is its turn."""

_SLACK = 0.3
"""px that a warped frame may lie off; none where no camera moved. Twice the 95th percentile of what registration leaves
on generated hand-held shots."""

_STEEP, _WORTH = 0.1, 1.15
"""Share of the pixels that edges are looked for in; factor by which a warp must lessen the difference there. Resampling
alone takes up to 1.07 off grain."""

_STRANGER = 0.8
"""Of the median share of pixels that agree with the plate: a frame below it was brought onto the subject instead."""


@dataclass
class Gathered:
    """What bringing frames together found.

    Attributes:
        stack: the frames.
        used: their numbers, in the stack's order.
        left_out: numbers of the frames that could not be brought onto the reference.
        warped: for each of the used, whether it was moved.
        noises: of the difference of frame and reference.
    """

    stack: Stack
    used: list[int] = field(default_factory=list)
    left_out: list[int] = field(default_factory=list)
    warped: list[bool] = field(default_factory=list)
    noises: list[Noise] = field(default_factory=list)

    @property
    def noise(self) -> Noise:
        """Median over the frames."""
        red, green, blue = ((float(a), float(b)) for a, b in np.median(np.array(self.noises), axis=0))
        return red, green, blue

    @property
    def slack(self) -> float:
        """How far frames may lie off, px."""
        return _SLACK if any(self.warped) else 0.0

    def take(self, number: int, plate: Plate, fit: Photometric | None = None, warped: bool = False) -> None:
        """Add a frame."""
        self.stack.add(plate)
        self.used.append(number)
        self.warped.append(warped)
        if fit:
            self.noises.append(fit.noise)


@dataclass(frozen=True)
class Reading:
    """How frames are read: configuration, scene-linear space, registration."""

    config: colour.ColourConfig
    space: str
    mode: RegistrationMode

    def image(self, source: Source) -> Image:
        """A frame in the space."""
        return colour.to_space(decode(source), self.config, self.space)


def gather(
    frames: Frames, number: int, reference: Image, stack: Stack, reading: Reading
) -> Generator[tuple[float, str], None, Gathered]:
    """Bring every frame onto the reference, which is frame ``number``; yields the share done before each.

    Raises:
        EngineError: REGISTRATION_FAILED where no other frame can be.
    """
    gathered = Gathered(stack)
    for index, (each, load) in enumerate(frames):
        yield index / len(frames), f"frame {each}"
        if each == number:
            gathered.take(each, Plate(reference.rgb, np.ones(stack.size, np.bool_)))
            continue
        try:
            gathered.take(each, *_brought(reference, reading.image(load()), reading.mode))
        except EngineError as error:
            if error.reason != "REGISTRATION_FAILED":
                raise
            gathered.left_out.append(each)
    if not gathered.noises:
        raise EngineError(
            "REGISTRATION_FAILED",
            f"None of the frames can be brought onto frame {number}.",
            "Name frames of one shot, or another reference frame.",
        )
    return gathered


def gather_strangers(
    frames: Frames, gathered: Gathered, found: Array, reference: Image, reading: Reading
) -> Generator[str, None, int]:
    """Bring those frames anew that agree with the plate on little: they may have been brought onto the subject.

    This time they are brought onto the plate, where no subject stands, and kept where that serves them better.

    Args:
        frames: all of them.
        gathered: as `gather` left it; changed in place.
        found: ``(H, W, 3)`` the plate so far.
        reference: image whose windows the plate has.
        reading: how frames are read.

    Returns:
        The number of frames that were brought anew.
    """
    shares = agreement(gathered.stack.strips(), found, gathered.noise, gathered.slack)
    strangers = [index for index in range(len(shares)) if shares[index] < _STRANGER * np.median(shares)]
    plate, load, changed = replace(reference, rgb=found, alpha=None, alpha_state=Alpha.NONE), dict(frames), 0
    for index in strangers:
        if not gathered.warped[index]:
            continue
        yield f"frame {gathered.used[index]} again"
        try:
            anew, _, warped = _brought(plate, reading.image(load[gathered.used[index]]()), reading.mode)
        except EngineError as error:
            if error.reason != "REGISTRATION_FAILED":
                raise
            continue
        gathered.stack.replace(index, anew)
        gathered.warped[index] = warped
        changed += 1
    return changed


def _brought(reference: Image, image: Image, mode: RegistrationMode) -> tuple[Plate, Photometric, bool]:
    """A frame as the reference would have seen it, its exposure fit, and whether it was warped.

    Before a plain wall, with the subject the only thing to hold on to, a still camera may seem to move. So a warp must
    show that it brings edges closer than no warp does.
    """
    placed, plate = registration.register(reference, image, mode)
    fit = photometric.fit(reference.rgb, plate, "auto")
    fitted = photometric.apply(plate, fit)
    if placed.locked_off:
        return fitted, fit, False
    still = registration.register(reference, image, "off")[1]
    still_fit = photometric.fit(reference.rgb, still, "auto")
    still_fitted = photometric.apply(still, still_fit)
    both = fitted.valid & still_fitted.valid
    if _edge_difference(reference.rgb, still_fitted, both) <= _WORTH * _edge_difference(reference.rgb, fitted, both):
        return still_fitted, still_fit, False
    return fitted, fit, True


def _edge_difference(reference: Array, plate: Plate, where: Mask) -> float:
    """Median difference on the tenth of the pixels where the plate is steepest."""
    slope = cv2.morphologyEx(plate.rgb, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).sum(2)
    steep = where & (slope >= np.quantile(slope[where], 1 - _STEEP))
    return float(np.median(np.abs(reference - plate.rgb)[steep]))
