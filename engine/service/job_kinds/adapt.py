"""A model adapted to one clip."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial

from engine.errors import EngineError
from engine.network import device as devices
from engine.service.job_kinds.work import FileMade, Finished, JobStep, JobWork, Progressed
from engine.service.translate.requests import matte_frame, matte_setup
from engine.training.adaptation.adaptation import Adaptation
from engine.training.adaptation.model_file import register
from engine.training.adaptation.state import taken_up
from engine.training.adaptation.wish import SECONDS, Adapted, Method, Wish
from host_bridge.wire.v1 import job_pb2

FILE = "adapted.safetensors"

_METHODS: dict[int, Method] = {
    job_pb2.ADAPT_METHOD_UNSPECIFIED: "exact",
    job_pb2.ADAPT_EXACT: "exact",
    job_pb2.ADAPT_ADVERSARIAL: "adversarial",
}


def run(spec: job_pb2.AdaptSpec, work: JobWork) -> Iterator[JobStep]:
    """Adapt in short pieces, each in the device's turn, so that other clients wait for none of them long.

    What was done is kept when the job ends early; the same spec goes on there.
    """
    if spec.method not in _METHODS:
        raise EngineError("BAD_REQUEST", f"There is no method {spec.method}.", "Choose exact or adversarial.")
    device = devices.choose(spec.setup.device or work.default_device)
    setup = matte_setup(spec.setup, device, work.load)
    frames = [(frame.frame, partial(matte_frame, frame, setup.plate, work.load)) for frame in spec.frames]
    asked = [spec.setup.plate.SerializeToString(deterministic=True)]
    asked += [frame.SerializeToString(deterministic=True) for frame in spec.frames]
    with taken_up(setup.job, _METHODS[spec.method], asked) as folder:
        wish = Wish(frames, setup.job, folder, _METHODS[spec.method], spec.seconds or SECONDS)
        adaptation = yield from work.on_device(device, lambda session, _: Adaptation(wish, session))
        with closing(adaptation.steps()) as steps:
            while step := (yield from work.on_device(device, lambda *_: next(steps, None))):
                yield Progressed(*step)
    adapted = adaptation.result
    assert adapted is not None, "the steps are over"
    name = spec.name if adapted.helped else ""
    if name:
        register(adapted.data, name)
    yield FileMade(FILE, adapted.data)
    yield Finished(_summary(adapted, name))


def _summary(adapted: Adapted, name: str) -> dict[str, object]:
    return {
        "helped": adapted.helped,
        "before": adapted.before.exact,
        "after": adapted.after.exact,
        "steps": adapted.steps,
        "seconds": round(adapted.seconds, 1),
        "learned": adapted.learned,
        "held_out": adapted.held_out,
        "model": adapted.model,
        "name": name,
        "sentence": adapted.sentence,
    }
