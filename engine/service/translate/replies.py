"""Values to wire."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from engine.errors import EngineError
from engine.network import device
from engine.network.table import ModelCard, models
from engine.service.events import FrameLost, FrameMade, MatteEvent, StageBegan
from engine.service.limits import Limits
from host_bridge.wire.v1 import engine_pb2, error_pb2, matte_pb2

STAGE_STARTS = {
    "decode": 0.0,
    "colour": 0.01,
    "registration": 0.03,
    "photometric": 0.18,
    "matte": 0.21,
    "solve": 0.78,
    "layers": 0.91,
    "encode": 0.92,
}
"""Share of a frame that is done as a stage begins. Measured: hand-held 1920 x 1080 frames, one CPU thread."""


@dataclass(frozen=True)
class Description:
    """What stays true of an engine for as long as it runs; fields as in `DescribeResponse`."""

    version: str
    build: str
    wire: int
    pid: int
    threads: int
    default_device: str
    limits: Limits
    jobs: tuple[str, ...]
    roots: tuple[str, ...]


def describe(
    fixed: Description, color_configs: list[str], uptime: float, active_calls: int
) -> engine_pb2.DescribeResponse:
    """Say what this engine is and can do."""
    return engine_pb2.DescribeResponse(
        version=fixed.version,
        build=fixed.build,
        wire=fixed.wire,
        pid=fixed.pid,
        uptime=uptime,
        devices=[_device(name) for name in device.available()],
        default_device=fixed.default_device,
        threads=fixed.threads,
        models=[_model(card) for card in models().values()],
        limits=_limits(fixed.limits),
        features=engine_pb2.Features(plate_statistics=False, jobs=fixed.jobs),
        color_configs=color_configs,
        active_calls=active_calls,
        roots=fixed.roots,
    )


def matte(event: MatteEvent, chunk_bytes: int) -> Iterator[matte_pb2.MatteReply]:
    """Tell what happened to a frame; a finished one in chunks of ``chunk_bytes``."""
    match event:
        case StageBegan(frame, stage):
            done = STAGE_STARTS.get(stage, 0.0)
            yield matte_pb2.MatteReply(progress=matte_pb2.FrameProgress(frame=frame, stage=stage, done=done))
        case FrameMade():
            yield from _finished_frame(event, chunk_bytes)
        case FrameLost(frame, error):
            yield matte_pb2.MatteReply(failed=matte_pb2.FrameFailed(frame=frame, error=error_detail(error)))


def error_detail(error: EngineError) -> error_pb2.ErrorDetail:
    """Translate an error."""
    return error_pb2.ErrorDetail(
        reason=error.reason,
        message=error.message,
        next_step=error.next_step,
        facts=error.facts,
    )


def _finished_frame(made: FrameMade, chunk_bytes: int) -> Iterator[matte_pb2.MatteReply]:
    for start in range(0, len(made.data), chunk_bytes):
        piece = made.data[start : start + chunk_bytes]
        yield matte_pb2.MatteReply(chunk=matte_pb2.FrameChunk(frame=made.frame, data=piece))
    done = matte_pb2.FrameDone(
        frame=made.frame,
        sha256=hashlib.sha256(made.data).hexdigest(),
        size=len(made.data),
        report=matte_pb2.FrameReport(**asdict(made.report)),
    )
    yield matte_pb2.MatteReply(done=done)


def _device(name: str) -> engine_pb2.Device:
    half = device.preferred_precision(name) == "half"
    return engine_pb2.Device(
        id=name,
        name=device.name(name),
        memory_total=device.memory_total(name),
        memory_free=device.memory_free(name),
        precision=matte_pb2.PRECISION_HALF if half else matte_pb2.PRECISION_FLOAT,
    )


def _model(card: ModelCard) -> engine_pb2.Model:
    return engine_pb2.Model(
        name=card.name,
        weights_sha256=card.sha256,
        weights_size=card.size,
        parameters=card.parameters,
        licence=card.licence,
        commercial_use=card.commercial_use,
        data=card.data,
    )


def _limits(limits: Limits) -> engine_pb2.Limits:
    return engine_pb2.Limits(
        message_bytes=limits.message_bytes,
        chunk_bytes=limits.chunk_bytes,
        blob_bytes=min(limits.blob_bytes, limits.store_bytes),
        store_bytes=limits.store_bytes,
        plate_cache_bytes=limits.plate_cache_bytes,
        frames_in_flight=limits.frames_in_flight,
    )
