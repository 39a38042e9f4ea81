"""One frame through all stages: the package's diagram as code. It calls the stages in order and holds no arithmetic."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from engine.errors import EngineError
from engine.network.table import card
from engine.pipeline import colour, photometric, registration
from engine.pipeline.decode import decode, decode_matte
from engine.pipeline.encode import encode
from engine.pipeline.layers import assemble
from engine.pipeline.matte import matte
from engine.pipeline.plates import choose, plate_faults, without_holes
from engine.pipeline.report import attributes, model_notes, report
from engine.pipeline.session import Session
from engine.pipeline.solve import solve
from engine.pipeline.window import keyed_colour, steady_fit
from engine.settings import FrameJob, FrameReport, MatteJob
from engine.values import Array, Image, Photometric, Plate, Registration


class _Clock:
    """Announces, times and, where asked to, stops before each stage."""

    def __init__(self, progress: Callable[[str], None], cancelled: Callable[[], bool], number: int) -> None:
        self.seconds: dict[str, float] = {}
        self._progress, self._cancelled, self._number = progress, cancelled, number

    def check(self) -> None:
        """Raise CANCELLED where the client no longer waits."""
        if self._cancelled():
            raise EngineError("CANCELLED", f"Frame {self._number} was cancelled.", "Send it again to have it made.")

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage."""
        self.check()
        self._progress(name)
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start


@dataclass(frozen=True)
class _Pictures:
    """What the stages before the network work on, linear, in the output space."""

    frame: Image
    plate: Image
    moving: tuple[Image, ...]
    anchor: float
    garbage: Array
    core: Array
    hint: Array | None


def matte_frame(
    job: MatteJob,
    frame: FrameJob,
    session: Session,
    progress: Callable[[str], None],
    cancelled: Callable[[], bool],
) -> tuple[bytes, FrameReport]:
    """Matte one frame.

    Args:
        job: what all frames of the request have in common.
        frame: the frame, its plate, window and mattes.
        session: of the job's device.
        progress: called with a stage's name as it begins.
        cancelled: asked between stages and tiles.

    Returns:
        The layered EXR file and what was measured.

    Raises:
        EngineError: whatever a stage finds wrong with its input; CANCELLED.
    """
    clock = _Clock(progress, cancelled, frame.number)
    config = colour.load_config(job.config)
    colour.check_linear(config, job.output_space)
    pictures = _read(job, frame, session, clock, config)
    with clock.stage("registration"):
        placed, plate = registration.register(pictures.frame, pictures.plate, job.knobs.registration)
        plate = without_holes(plate, placed, pictures.plate)
    with clock.stage("photometric"):
        fit, notes = steady_fit(job, frame, session, config, pictures.frame, plate, clock.check)
        plate = photometric.apply(plate, fit)
        if pictures.moving:
            plate, fit = _moving_plate(pictures, placed, fit, job, clock)
    with clock.stage("matte"):
        network = session.network(job.knobs.model)
        notes += model_notes(card(job.knobs.model), network.takes_hint, pictures.hint is not None)
        guess = matte(
            colour.to_acescg(pictures.frame.rgb, config, job.output_space),
            replace(plate, rgb=colour.to_acescg(plate.rgb, config, job.output_space)),
            pictures.hint,
            pictures.anchor / float(np.mean(fit.gain)),
            network,
            job.knobs,
            session.device,
            clock.check,
            fit.noise,
        )
        guess = replace(guess, foreground=colour.from_acescg(guess.foreground, config, job.output_space))
    with clock.stage("solve"):
        solution = solve(pictures.frame.rgb, plate, guess, fit, job.knobs, pictures.garbage, pictures.core)
        notes += plate_faults(pictures.frame, pictures.plate, placed, solution)
    with clock.stage("layers"):
        layers = assemble(solution, job.layers)
    measured = report((pictures.frame, pictures.plate), placed, fit, solution, guess.tiles, clock.seconds, notes)
    with clock.stage("encode"):
        data = encode(layers, pictures.frame.frame, attributes(job, frame, measured))
    return data, measured


def _moving_plate(
    pictures: _Pictures, placed: Registration, fit: Photometric, job: MatteJob, clock: _Clock
) -> tuple[Plate, Photometric]:
    """The plate of a set that moves, chosen pixel by pixel, and the fit with the grain that is left before it."""
    mode = "off" if placed.locked_off else job.knobs.registration

    def images() -> Iterator[Plate]:
        for image in pictures.moving:
            clock.check()
            yield photometric.apply(registration.register(pictures.frame, image, mode)[1], fit)

    plate = choose(pictures.frame.rgb, images(), fit)
    return plate, replace(fit, noise=photometric.fit(pictures.frame.rgb, plate, "off").noise)


def _read(job: MatteJob, frame: FrameJob, session: Session, clock: _Clock, config: colour.ColourConfig) -> _Pictures:
    """Decode everything a frame needs, and bring it to the output space."""
    with clock.stage("decode"):
        image = decode(frame.image)
        core, hint, garbage = (
            decode_matte(source, image.frame) if source else None for source in (frame.core, frame.hint, frame.garbage)
        )
    with clock.stage("colour"):
        garbage_alpha = image.alpha if job.knobs.input_alpha == "garbage" else None
        linear = colour.to_space(keyed_colour(image, job), config, job.output_space)
        plate, anchor = session.plate(frame.plate, job, config)
    nothing = np.zeros(image.rgb.shape[:2], np.float32)
    outside = nothing if garbage is None else garbage
    if garbage_alpha is not None:
        outside = np.maximum(outside, 1 - garbage_alpha)
    moving = session.moving_set(frame.plate, job, config)
    return _Pictures(linear, plate, moving, anchor, outside, nothing if core is None else core, hint)
