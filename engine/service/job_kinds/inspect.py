"""Whether a plate can work for a shot."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from functools import partial

from engine.errors import EngineError
from engine.inspection.measure import Measured, measure
from engine.inspection.outcome import conclude
from engine.inspection.picture import draw
from engine.network import device as devices
from engine.pipeline import colour
from engine.pipeline.continuity import Continuity, continuity, glance
from engine.pipeline.decode import decode
from engine.pipeline.session import Session
from engine.service.job_kinds.work import FileMade, Finished, JobStep, JobWork, Progress, Progressed
from engine.service.translate.requests import image_ref, matte_frames, matte_setup
from engine.settings import FrameJob, MatteJob
from engine.values import Image
from host_bridge.wire.v1 import job_pb2, matte_pb2

FILE = "inspection.png"

_MEASURING = 0.7
"""Share of the whole time that measuring frames takes, where as many are looked through as usual."""


def run(spec: job_pb2.InspectSpec, work: JobWork) -> Iterator[JobStep]:
    """Measure each frame in the device's turn, look the clip through, and weigh what was found."""
    device = devices.choose(spec.setup.device or work.default_device)
    setup = matte_setup(spec.setup, device, work.load)
    if not spec.frames:
        raise EngineError("BAD_REQUEST", "No frame is to be measured.", "Name at least one.")
    config = colour.load_config(setup.job.config)
    colour.check_linear(config, setup.job.output_space)
    requests = (matte_pb2.MatteRequest(frame=frame) for frame in spec.frames)
    measured: list[Measured] = []
    plate: tuple[Image, float] | None = None
    for index, (number, frame) in enumerate(matte_frames(requests, setup.plate, work.load)):
        yield Progressed(_MEASURING * index / len(spec.frames), f"Measuring frame {number}")
        if isinstance(frame, EngineError):
            raise frame
        plate, one = yield from work.on_device(device, _piece(setup.job, frame, config, work.job.check))
        measured.append(one)
    clip = yield from _looked_through(spec, work, setup.job, config)
    found = conclude(measured, plate[0].rgb if plate else None, clip, spec.shot_length)
    exposure = plate[1] if plate else 1.0
    png = draw(measured, found.lines, lambda rgb: colour.to_acescg(rgb * exposure, config, setup.job.output_space))
    if png is not None and spec.picture:
        yield FileMade(FILE, png)
    yield Finished(found.as_json())


def _piece(
    job: MatteJob, frame: FrameJob, config: colour.ColourConfig, check: Callable[[], None]
) -> Callable[[Session, Progress], tuple[tuple[Image, float], Measured]]:
    def piece(session: Session, _: Progress) -> tuple[tuple[Image, float], Measured]:
        return session.plate(frame.plate, job, config), measure(job, frame, session, check)

    return piece


def _looked_through(
    spec: job_pb2.InspectSpec, work: JobWork, job: MatteJob, config: colour.ColourConfig
) -> Generator[Progressed, None, Continuity]:
    """Look the clip through, a frame in memory at a time."""
    entries = sorted(spec.watched, key=lambda entry: entry.frame)
    load = [(entry.frame, partial(work.load, image_ref(entry.image, f"frame {entry.frame}"))) for entry in entries]
    glances = []
    for index, (number, source) in enumerate(load):
        yield Progressed(_MEASURING + (1 - _MEASURING) * index / len(load), f"Looking through: frame {number}")
        glances.append(glance(colour.to_space(decode(source()), config, job.output_space).rgb))
    return continuity([number for number, _ in load], glances)
