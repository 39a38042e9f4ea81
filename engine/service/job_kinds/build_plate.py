"""A clean plate out of a shot whose subject moves away."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import get_args

from engine.errors import EngineError
from engine.pipeline import colour
from engine.pipeline.plates import BuiltPlate, build_plate, plate_file
from engine.service.job_kinds.work import FileMade, Finished, JobStep, JobWork, Progressed
from engine.service.translate.knobs import word
from engine.service.translate.requests import color_setup, image_ref
from engine.settings import RegistrationMode
from host_bridge.wire.v1 import job_pb2, matte_pb2

FILE = "plate.exr"


def run(spec: job_pb2.BuildPlateSpec, work: JobWork) -> Iterator[JobStep]:
    """Build the plate on the calling thread; the devices stay free for mattes."""
    config, space = color_setup(spec.color, work.load)
    refs = {entry.frame: image_ref(entry.image, f"frame {entry.frame}") for entry in spec.frames}
    if len(refs) < len(spec.frames):
        raise EngineError("BAD_REQUEST", "A frame is listed twice.", "List each frame once.")
    numbers = sorted(refs)
    reference = spec.reference_frame if spec.HasField("reference_frame") or not refs else numbers[len(numbers) // 2]
    frames = [(number, partial(work.load, refs[number])) for number in numbers]
    building = build_plate(frames, reference, colour.load_config(config), space, _mode(spec.registration))
    while True:
        work.job.check()
        try:
            done, message = next(building)
        except StopIteration as end:
            built: BuiltPlate = end.value
            break
        yield Progressed(done, message)
    yield FileMade(FILE, plate_file(built, space))
    yield Finished(_summary(built, reference))


def _mode(number: int) -> RegistrationMode:
    if number == matte_pb2.REGISTRATION_UNSPECIFIED:
        return "auto"
    known = {word(name): name for name in matte_pb2.RegistrationMode.keys()}  # noqa: SIM118 - an enum, not a dict
    for mode in get_args(RegistrationMode):
        if matte_pb2.RegistrationMode.Value(known[mode]) == number:
            return mode
    raise EngineError("BAD_REQUEST", f"There is no registration {number}.", "Choose off, auto or locked.")


def _summary(built: BuiltPlate, reference: int) -> dict[str, object]:
    return {
        "frames": built.used,
        "left_out": built.left_out,
        "reference": reference,
        "holes": built.holes,
        "seen_few": built.seen_few,
        "ambiguous": built.rivals,
        "warnings": tuple(built.warnings()),
    }
