"""The temporal window: the exposure fit of a frame, steadied by those of its neighbours.

Light may change from frame to frame, by a ramp or a flicker, and the frame itself says by how much: its own gain,
offset and field stand wherever its background supports them. Grain does not change so; it is what the window steadies.
What lies beyond a cut is another shot, of other light and other grain, and no part of the window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial

import numpy as np
import numpy.typing as npt

from engine.errors import EngineError
from engine.pipeline import colour, photometric, registration
from engine.pipeline.continuity import Glance, glance, is_cut
from engine.pipeline.decode import decode
from engine.pipeline.report import LOW_CONFIDENCE
from engine.pipeline.session import Session, colour_key, source_key
from engine.settings import FrameJob, MatteJob, Neighbour, Source
from engine.values import Image, Photometric, Plate

Neighbours = Sequence[tuple[int, Photometric]]
"""Frame numbers and fits."""

_NO_FIT = Photometric((1, 1, 1), (0, 0, 0), 0.0, ((0, 0), (0, 0), (0, 0)))
"""Stands for a neighbour that its plate does not fit; its confidence keeps it from counting."""


def keyed_colour(image: Image, job: MatteJob) -> Image:
    """A picture as it is keyed: straight where its alpha is a garbage matte."""
    garbage = job.knobs.input_alpha == "garbage" and image.alpha is not None
    return image.unpremultiplied() if garbage else image


def steady_fit(
    job: MatteJob,
    frame: FrameJob,
    session: Session,
    config: colour.ColourConfig,
    image: Image,
    plate: Plate,
    check: Callable[[], None],
) -> tuple[Photometric, list[str]]:
    """The frame's own fit, with the window's grain, and the neighbours' exposure where its own is a guess.

    Neighbours beyond a cut, that cannot be registered, or whose fit is a guess, do not count.

    Args:
        job: what all frames have in common.
        frame: the frame and its neighbours.
        session: remembers fits.
        config: of the job.
        image: the frame, linear.
        plate: registered.
        check: called before every neighbour; raises to cancel.

    Returns:
        The fit, and a sentence for each neighbour that was left out, and where the exposure is the neighbours'.
    """
    own = session.fits.get(
        _key(job, frame.image, frame.plate), lambda: photometric.fit(image.rgb, plate, job.knobs.photometric)
    )
    notes: list[str] = []
    near: list[tuple[int, Photometric]] = []
    fits = _fits_of_the_take(job, frame, session, config, image, check)
    for number in (neighbour.number for neighbour in frame.neighbours):
        fit = fits.get(number)
        if fit is None:
            notes.append(f"Frame {number} of the temporal window was left out: it lies beyond a cut.")
        elif fit.confidence >= LOW_CONFIDENCE or job.knobs.photometric == "off":
            near.append((number, fit))
        else:
            notes.append(f"Frame {number} of the temporal window was left out: its plate does not fit it.")
    if near and own.confidence < LOW_CONFIDENCE and job.knobs.photometric == "auto":
        notes.append("The exposure match is that of the neighbour frames: this one shows too little background.")
    return steadied(frame.number, own, near), notes


def steadied(number: int, own: Photometric, near: Neighbours) -> Photometric:
    """A fit among its neighbours'.

    Args:
        number: of the frame.
        own: its fit.
        near: those of neighbours that have good ones.

    Returns:
        The frame's own exposure where its confidence is `LOW_CONFIDENCE` or more. Below, it gives way in proportion to
        the line through the neighbours' gains at the frame's time; beyond their ends, to the nearest one's. Bands of
        mains flicker are never a neighbour's: they stand elsewhere in every frame. The noise is the median over all,
        coefficient by coefficient.
    """
    if not near:
        return own
    pooled = np.median([own.noise, *(fit.noise for _, fit in near)], axis=0)
    red, green, blue = ((float(a), float(b)) for a, b in pooled)
    steady = replace(own, noise=(red, green, blue))
    trust = own.confidence / LOW_CONFIDENCE
    if trust >= 1:
        return steady
    nearest = min(near, key=lambda each: (abs(each[0] - number), each[0]))[1]
    gain, offset = _between(number, near), np.mean([fit.offset for _, fit in near], axis=0)
    return replace(
        steady,
        gain=_triple(np.asarray(own.gain) ** trust * gain ** (1 - trust)),
        offset=_triple(np.asarray(own.offset) * trust + offset * (1 - trust)),
        confidence=own.confidence + (1 - trust) * min(fit.confidence for _, fit in near),
        field=tuple((*channel[:5], 0.0, 0.0, 0.0) for channel in nearest.field),
    )


def _between(number: int, near: Neighbours) -> npt.NDArray[np.float64]:
    """Gain ``(3,)`` at a time: on the line through the neighbours' logarithms, and within their time."""
    times = np.array([time for time, _ in near], np.float64)
    logs = np.log([fit.gain for _, fit in near])
    if not times.min() < number < times.max():
        return np.asarray(np.exp(logs[np.abs(times - number).argmin()]))
    return np.asarray(np.exp(np.polyfit(times - number, logs, 1)[1]))


def _triple(values: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def _fits_of_the_take(
    job: MatteJob,
    frame: FrameJob,
    session: Session,
    config: colour.ColourConfig,
    image: Image,
    check: Callable[[], None],
) -> dict[int, Photometric]:
    """Fits of the neighbours that no cut parts from the frame, by number; one picture is held at a time."""
    before = sorted((each for each in frame.neighbours if each.number < frame.number), key=_number, reverse=True)
    after = sorted((each for each in frame.neighbours if each.number >= frame.number), key=_number)
    fits = {}
    for side in (before, after):
        last = None
        for neighbour in side:
            check()
            last = last or session.glances.get(_picture_key(job, frame.image), lambda: glance(image.rgb))
            picture = cache(partial(_picture, job, neighbour, config))
            looks = session.glances.get(_picture_key(job, neighbour.image), partial(_glance, picture))
            if is_cut(last, looks):
                break
            compute = partial(_neighbour_fit, job, neighbour, session, config, picture)
            fits[neighbour.number] = session.fits.get(_key(job, neighbour.image, neighbour.plate), compute)
            last = looks
    return fits


def _picture(job: MatteJob, neighbour: Neighbour, config: colour.ColourConfig) -> Image:
    return colour.to_space(keyed_colour(decode(neighbour.image), job), config, job.output_space)


def _glance(read: Callable[[], Image]) -> Glance:
    return glance(read().rgb)


def _neighbour_fit(
    job: MatteJob, neighbour: Neighbour, session: Session, config: colour.ColourConfig, read: Callable[[], Image]
) -> Photometric:
    picture, clean = read(), session.plate(neighbour.plate, job, config)[0]
    try:
        placed = registration.register(picture, clean, job.knobs.registration)[1]
    except EngineError as error:
        if error.reason != "REGISTRATION_FAILED":
            raise
        return _NO_FIT
    return photometric.fit(picture.rgb, placed, job.knobs.photometric)


def _number(neighbour: Neighbour) -> int:
    return neighbour.number


def _picture_key(job: MatteJob, image: Source) -> tuple[str, ...]:
    return *source_key(image), *colour_key(job), job.knobs.input_alpha


def _key(job: MatteJob, image: Source, plate: Source) -> tuple[str, ...]:
    modes = job.knobs.registration, job.knobs.photometric
    return *_picture_key(job, image), *source_key(plate), *modes
