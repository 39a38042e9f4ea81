"""One frame through all stages: the package's diagram as code. It calls the stages in order and holds no arithmetic."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from engine import __version__
from engine.errors import EngineError
from engine.network.table import card
from engine.pipeline import colour, photometric, registration
from engine.pipeline.decode import decode, decode_matte
from engine.pipeline.encode import encode
from engine.pipeline.layers import assemble
from engine.pipeline.matte import matte
from engine.pipeline.session import Session, colour_key, source_key
from engine.pipeline.solve import solve
from engine.settings import FrameJob, FrameReport, MatteJob, Source
from engine.values import Array, Image, Photometric, Plate, Registration, Solution

# Below these, the artist is told to look.
_LOW_VALID_SHARE, _LOW_CONFIDENCE = 0.5, 0.3


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
    with clock.stage("photometric"):
        fit = _steady_fit(job, frame, session, config, pictures.frame, plate)
        plate = photometric.apply(plate, fit)
    with clock.stage("matte"):
        guess = matte(
            colour.to_acescg(pictures.frame.rgb, config, job.output_space),
            replace(plate, rgb=colour.to_acescg(plate.rgb, config, job.output_space)),
            pictures.hint,
            pictures.anchor / float(np.mean(fit.gain)),
            session.network(job.knobs.model),
            job.knobs,
            session.device,
            clock.check,
        )
        guess = replace(guess, foreground=colour.from_acescg(guess.foreground, config, job.output_space))
    with clock.stage("solve"):
        solution = solve(pictures.frame.rgb, plate, guess, fit, job.knobs, pictures.garbage, pictures.core)
    with clock.stage("layers"):
        layers = assemble(solution, job.layers)
    report = _report(pictures, placed, fit, solution, guess.tiles, clock.seconds, job)
    with clock.stage("encode"):
        data = encode(layers, pictures.frame.frame, _attributes(job, frame, report))
    return data, report


def _read(job: MatteJob, frame: FrameJob, session: Session, clock: _Clock, config: colour.ColourConfig) -> _Pictures:
    """Decode everything a frame needs, and bring it to the output space."""
    with clock.stage("decode"):
        image = decode(frame.image)
        core, hint, garbage = (
            decode_matte(source, image.frame) if source else None for source in (frame.core, frame.hint, frame.garbage)
        )
    with clock.stage("colour"):
        linear = colour.to_space(image, config, job.output_space)
        plate, anchor = session.plate(frame.plate, job, config)
    nothing = np.zeros(image.rgb.shape[:2], np.float32)
    outside = nothing if garbage is None else garbage
    if job.knobs.input_alpha == "garbage" and image.alpha is not None:
        outside = np.maximum(outside, 1 - np.clip(image.alpha, 0, 1))
    return _Pictures(linear, plate, anchor, outside, nothing if core is None else core, hint)


def _steady_fit(
    job: MatteJob,
    frame: FrameJob,
    session: Session,
    config: colour.ColourConfig,
    image: Image,
    plate: Plate,
) -> Photometric:
    """The frame's exposure fit, its gain and offset the median over the temporal window."""
    own = session.fit(
        _fit_key(job, frame.image, frame.plate), lambda: photometric.fit(image.rgb, plate, job.knobs.photometric)
    )
    fits = [own]
    for neighbour in frame.neighbours:

        def compute(image: Source = neighbour.image, clean: Source = neighbour.plate) -> Photometric:
            picture = colour.to_space(decode(image), config, job.output_space)
            placed = registration.register(picture, session.plate(clean, job, config)[0], job.knobs.registration)[1]
            return photometric.fit(picture.rgb, placed, job.knobs.photometric)

        fits.append(session.fit(_fit_key(job, neighbour.image, neighbour.plate), compute))
    return replace(
        own,
        gain=_median(fit.gain for fit in fits),
        offset=_median(fit.offset for fit in fits),
    )


def _median(values: Iterable[tuple[float, float, float]]) -> tuple[float, float, float]:
    """Median of each channel."""
    red, green, blue = zip(*values, strict=True)
    return median(red), median(green), median(blue)


def _fit_key(job: MatteJob, image: Source, plate: Source) -> tuple[str, ...]:
    modes = job.knobs.registration, job.knobs.photometric
    return *source_key(image), *source_key(plate), *colour_key(job), *modes


def _report(
    pictures: _Pictures,
    placed: Registration,
    fit: Photometric,
    solution: Solution,
    tiles: int,
    seconds: dict[str, float],
    job: MatteJob,
) -> FrameReport:
    exact = np.abs(solution.residual[solution.valid & (solution.garbage == 0)])
    share = float(solution.valid.mean())
    return FrameReport(
        locked_off=placed.locked_off,
        residual_median_px=placed.residual_median,
        residual_p95_px=placed.residual_p95,
        inliers=placed.inliers,
        gain=fit.gain,
        offset=fit.offset,
        photometric_confidence=fit.confidence,
        nonfinite_frame=pictures.frame.nonfinite,
        nonfinite_plate=pictures.plate.nonfinite,
        valid_share=share,
        foreground_share=float(solution.alpha.mean()),
        residual_layer_median=float(np.median(exact)) if exact.size else 0.0,
        residual_layer_p999=float(np.quantile(exact, 0.999)) if exact.size else 0.0,
        warnings=tuple(_warnings(pictures, fit, solution, share, tiles, job)),
        seconds=seconds,
        tiles=tiles,
    )


def _warnings(
    pictures: _Pictures, fit: Photometric, solution: Solution, share: float, tiles: int, job: MatteJob
) -> Iterator[str]:
    for image in (pictures.frame, pictures.plate):
        if image.nonfinite:
            yield f"{image.name}: {image.nonfinite} samples were NaN or infinite and were replaced."
    if share < _LOW_VALID_SHARE:
        yield f"The clean plate covers only {share:.0%} of the frame; the rest is keyed without it."
    if job.knobs.photometric == "auto" and fit.confidence < _LOW_CONFIDENCE:
        yield f"The exposure match is a guess (confidence {fit.confidence:.2f}): little background was found."
    if job.knobs.depth == "auto" and not solution.half:
        yield "Written as float: some values do not fit half."
    if tiles > 1:
        yield f"The network ran in {tiles} tiles: memory is too small for the whole frame."


def _attributes(job: MatteJob, frame: FrameJob, report: FrameReport) -> dict[str, str | float | int]:
    """What the EXR says of its own making."""
    model = card(job.knobs.model)
    return {
        "platekey/version": __version__,
        "platekey/model": model.name,
        "platekey/weights": model.sha256,
        "platekey/device": job.device,
        "platekey/colorspace": job.output_space,
        "platekey/plate": frame.plate.name,
        "platekey/key": frame.key,
        "platekey/residual_px": report.residual_median_px,
        "platekey/warnings": " ".join(report.warnings),
        **{f"platekey/knob/{name}": value for name, value in vars(job.knobs).items()},
    }
