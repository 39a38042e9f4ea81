"""The temporal window: the exposure fit of a frame, steadied by those of its neighbours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from statistics import median_low

from engine.errors import EngineError
from engine.pipeline import colour, photometric, registration
from engine.pipeline.decode import decode
from engine.pipeline.report import LOW_CONFIDENCE
from engine.pipeline.session import Session, colour_key, source_key
from engine.settings import FrameJob, MatteJob, Neighbour, Source
from engine.values import Image, Photometric, Plate

_NO_FIT = Photometric((1, 1, 1), (0, 0, 0), 0.0, ((0, 0), (0, 0), (0, 0)))
"""Stands for a neighbour that its plate does not fit; its confidence keeps it from counting."""


def steady_fit(
    job: MatteJob,
    frame: FrameJob,
    session: Session,
    config: colour.ColourConfig,
    image: Image,
    plate: Plate,
    check: Callable[[], None],
) -> tuple[Photometric, list[str]]:
    """The frame's own fit with the gain and offset of the window's median frame.

    The median is of whole fits, ordered by gain, so that gain and offset belong together. Neighbours that cannot be
    registered, or whose fit is a guess, do not count.

    Args:
        job: what all frames have in common.
        frame: the frame and its neighbours.
        session: remembers fits.
        config: of the job.
        image: the frame, linear.
        plate: registered.
        check: called before every neighbour; raises to cancel.

    Returns:
        The fit, and a sentence for each neighbour that was left out.
    """
    own = session.fit(
        _key(job, frame.image, frame.plate), lambda: photometric.fit(image.rgb, plate, job.knobs.photometric)
    )
    notes: list[str] = []
    fits = [own]
    for neighbour in frame.neighbours:
        check()
        fit = _neighbour_fit(job, neighbour, session, config)
        if fit.confidence >= LOW_CONFIDENCE or job.knobs.photometric == "off":
            fits.append(fit)
        else:
            notes.append(f"Frame {neighbour.number} of the temporal window was left out: its plate does not fit it.")
    middle = median_low(sorted(sum(fit.gain) for fit in fits))
    chosen = next(fit for fit in fits if sum(fit.gain) == middle)
    return replace(own, gain=chosen.gain, offset=chosen.offset), notes


def _neighbour_fit(job: MatteJob, neighbour: Neighbour, session: Session, config: colour.ColourConfig) -> Photometric:
    def compute() -> Photometric:
        picture = colour.to_space(decode(neighbour.image), config, job.output_space)
        clean = session.plate(neighbour.plate, job, config)[0]
        try:
            placed = registration.register(picture, clean, job.knobs.registration)[1]
        except EngineError as error:
            if error.reason != "REGISTRATION_FAILED":
                raise
            return _NO_FIT
        return photometric.fit(picture.rgb, placed, job.knobs.photometric)

    return session.fit(_key(job, neighbour.image, neighbour.plate), compute)


def _key(job: MatteJob, image: Source, plate: Source) -> tuple[str, ...]:
    modes = job.knobs.registration, job.knobs.photometric
    return *source_key(image), *source_key(plate), *colour_key(job), *modes
