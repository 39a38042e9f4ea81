"""One frame against its plate, measured with the stages that would render it, at a size that is enough to judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from engine.errors import EngineError
from engine.inspection.interlacing import combed_share
from engine.inspection.regions import Regions, difference, regions
from engine.inspection.sharpness import focus_difference
from engine.pipeline import colour, photometric, registration
from engine.pipeline.decode import decode
from engine.pipeline.matte import matte
from engine.pipeline.plates import choose, without_holes
from engine.pipeline.session import Session
from engine.pipeline.solve import solve
from engine.settings import FrameJob, Knobs, MatteJob
from engine.values import Array, Image, Mask, Matte, Photometric, Plate, Registration

_SIDE = 640
"""px, long side of the picture that is keyed and sorted into regions: shares of a picture need no more."""

_GREY = 0.18
"""Mid grey, to which the exposure anchor brings a plate's average."""


@dataclass(frozen=True)
class Look:
    """A frame as it is shown: small, linear, with what was found on it."""

    frame: Array
    plate: Array
    regions: Regions


@dataclass(frozen=True)
class Measured:
    """What one frame says of its plate.

    Attributes:
        number: of the frame.
        refused: why the plate cannot be brought onto it; the other fields then say nothing.
        residual_median, residual_p95: px.
        zoom: scale of the plate on the frame.
        unseen: share of the frame that the plate never saw.
        gain: of the exposure fit, mean of the channels.
        confidence: of it.
        focus: px, as `focus_difference`; None where it cannot be told.
        grain: standard deviation of one picture at mid grey, over mid grey.
        subject, moving, shadow, hidden, ghost: shares: of the picture; of the background, twice; of the subject; of
            the picture.
        uncertainty: mean error that is expected of alpha.
        combed: share of comb where the frame moves, beyond that of the plate.
        look: the pictures.
    """

    number: int
    refused: str = ""
    residual_median: float = 0.0
    residual_p95: float = 0.0
    zoom: float = 1.0
    unseen: float = 0.0
    gain: float = 1.0
    confidence: float = 0.0
    focus: float | None = None
    grain: float = 0.0
    subject: float = 0.0
    moving: float = 0.0
    shadow: float = 0.0
    hidden: float = 0.0
    ghost: float = 0.0
    uncertainty: float = 0.0
    combed: float = 0.0
    look: Look | None = None


def measure(job: MatteJob, frame: FrameJob, session: Session, check: Callable[[], None]) -> Measured:
    """Measure a frame.

    Args:
        job: as for a render; layers and what shapes the matte afterwards do not matter.
        frame: the frame and its plate; mattes and neighbours are not looked at.
        session: of the job's device.
        check: called now and then; raises to cancel.

    Raises:
        EngineError: what a stage finds wrong with its input, but for a plate that cannot be registered.
    """
    config = colour.load_config(job.config)
    picture = colour.to_space(decode(frame.image), config, job.output_space)
    clean, anchor = session.plate(frame.plate, job, config)
    check()
    try:
        placed, plate = registration.register(picture, clean, job.knobs.registration)
    except EngineError as error:
        if error.reason != "REGISTRATION_FAILED":
            raise
        return Measured(frame.number, refused=error.message)
    plate = without_holes(plate, placed, clean)
    check()
    fit = photometric.fit(picture.rgb, plate, job.knobs.photometric)
    plate = photometric.apply(plate, fit)
    moving = session.moving_set(frame.plate, job, config)
    if moving:
        plate, fit = _chosen(picture, plate, moving, placed, fit, job)
    check()
    return _judged(_Frame(frame.number, picture.rgb, plate, placed, fit, anchor), job, session, check, config)


@dataclass(frozen=True)
class _Frame:
    number: int
    rgb: Array
    plate: Plate
    placed: Registration
    fit: Photometric
    anchor: float


def _judged(
    frame: _Frame, job: MatteJob, session: Session, check: Callable[[], None], config: colour.ColourConfig
) -> Measured:
    """The figures of a frame whose plate lies on it."""
    small, small_plate = _reduced(frame.rgb, frame.plate)
    small_fit = photometric.fit(small, small_plate, "off")
    guess = _keyed(small, small_plate, small_fit, frame, job, session, check, config)
    check()
    nothing = np.zeros(small.shape[:2], np.float32)
    solution = solve(small, small_plate, guess, small_fit, Knobs(depth="float"), nothing, nothing)
    found = regions(small, small_plate, guess, difference(small, small_plate, small_fit))
    background = ~(found.subject | found.shadow | found.moving | found.ghost | found.unseen)
    open_set = ~(found.subject | found.ghost | found.unseen)
    return Measured(
        number=frame.number,
        residual_median=frame.placed.residual_median,
        residual_p95=frame.placed.residual_p95,
        zoom=_zoom(frame.placed, frame.rgb.shape[:2]),
        unseen=found.share(found.unseen),
        gain=float(np.mean(frame.fit.gain)),
        confidence=frame.fit.confidence,
        focus=focus_difference(frame.rgb, frame.plate, frame.fit, _enlarged(background, frame.rgb.shape[:2])),
        grain=_grain(frame.fit, frame.anchor),
        subject=found.share(found.subject),
        moving=found.share(found.moving, open_set),
        shadow=found.share(found.shadow, open_set),
        hidden=found.share(found.hidden, found.subject),
        ghost=found.share(found.ghost),
        uncertainty=float(solution.uncertainty.mean()),
        combed=_combed(frame, found),
        look=Look(small, small_plate.rgb, found),
    )


def _chosen(
    picture: Image, plate: Plate, moving: tuple[Image, ...], placed: Registration, fit: Photometric, job: MatteJob
) -> tuple[Plate, Photometric]:
    """The plate of a set that moves, chosen as a render does."""
    mode = "off" if placed.locked_off else job.knobs.registration

    def images() -> Iterator[Plate]:
        for image in moving:
            yield photometric.apply(registration.register(picture, image, mode)[1], fit)

    plate = choose(picture.rgb, images(), fit)
    return plate, replace(fit, noise=photometric.fit(picture.rgb, plate, "off").noise)


def _reduced(rgb: Array, plate: Plate) -> tuple[Array, Plate]:
    scale = min(1.0, _SIDE / max(rgb.shape[:2]))
    if scale == 1.0:
        return rgb, plate
    small, small_plate, valid = (
        cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        for image in (rgb, plate.rgb, plate.valid.astype(np.float32))
    )
    seen: Mask = valid > 1 - 1e-4
    return small, Plate(np.where(seen[..., None], small_plate, np.float32(0)), seen)


def _keyed(
    small: Array,
    plate: Plate,
    fit: Photometric,
    frame: _Frame,
    job: MatteJob,
    session: Session,
    check: Callable[[], None],
    config: colour.ColourConfig,
) -> Matte:
    own, clean = (colour.to_acescg(rgb, config, job.output_space) for rgb in (small, plate.rgb))
    anchor = frame.anchor / float(np.mean(frame.fit.gain))
    network = session.network(job.knobs.model)
    shown = replace(plate, rgb=clean)
    guess = matte(own, shown, None, anchor, network, job.knobs, session.device, check, fit.noise)
    return replace(guess, foreground=colour.from_acescg(guess.foreground, config, job.output_space))


def _zoom(placed: Registration, size: tuple[int, int]) -> float:
    """Scale of a homography at the middle of the picture."""
    height, width = size
    middle = np.linalg.inv(placed.homography) @ (width / 2, height / 2, 1.0)
    x, y = middle[:2] / middle[2]
    w = placed.homography[2] @ (x, y, 1.0)
    rows = placed.homography[:2, :2] - np.outer((width / 2, height / 2), placed.homography[2, :2])
    return float(np.sqrt(abs(np.linalg.det(rows / w))))


def _grain(fit: Photometric, anchor: float) -> float:
    """Of one of two pictures with the same grain, at the plate's mid grey; mean of the channels."""
    level = _GREY / anchor * float(np.mean(fit.gain))
    deviations = [np.sqrt(max(a + b * level, 0.0) / 2) for a, b in fit.noise]
    return float(np.mean(deviations)) / level


def _combed(frame: _Frame, found: Regions) -> float:
    moves = _enlarged(found.subject | found.moving, frame.rgb.shape[:2])
    if not moves.any():
        return 0.0
    return max(combed_share(frame.rgb, moves) - combed_share(frame.plate.rgb, moves), 0.0)


def _enlarged(mask: Mask, size: tuple[int, int]) -> Mask:
    if mask.shape == size:
        return mask
    return np.asarray(cv2.resize(mask.astype(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST) > 0)
