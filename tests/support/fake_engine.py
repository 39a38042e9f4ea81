"""An engine without pixels: a real gRPC server, a real process, results that depend on the request alone.

Run as a command it takes the options of ``platekey-engine serve``, and a `Scenario` as JSON in the environment variable
FAKE_ENGINE.
"""
# ruff: noqa: N802 - gRPC names the methods.

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from host_bridge.wire.v1 import engine_pb2, engine_pb2_grpc, error_pb2, job_pb2, matte_pb2

STAGES = ("decode", "matte", "encode")
EXR_MAGIC = b"\x76\x2f\x31\x01"


@dataclass
class Scenario:
    """What this engine is and how it misbehaves.

    Attributes:
        build, weights, weights_size, device_name, memory, wire: what Describe says.
        delay: seconds a frame takes.
        deadly: number of times the process kills itself over a frame, by frame number.
        failing: reason that a frame fails with, by frame number.
        lapses: number of times it forgets every uploaded file before a frame.
        journal: file that a line is added to for every upload, frame and death.
        message_bytes: stated limit.
        start_failure: last words; the process ends with exit code 7 instead of serving.
        uploads_only: state no roots.
        damaged: announce another hash than the file's.
        answers: folder of real EXR files, ``1001.exr``, to answer frames with; empty for bytes that are no picture.
    """

    build: str = "fake-1"
    weights: str = "a" * 64
    weights_size: int = 3 << 20
    device_name: str = "Fake CPU"
    memory: int = 8 << 30
    wire: int = 1
    delay: float = 0.0
    deadly: dict[str, int] = field(default_factory=dict)
    failing: dict[str, str] = field(default_factory=dict)
    lapses: int = 0
    journal: str = ""
    message_bytes: int = 4 << 20
    start_failure: str = ""
    uploads_only: bool = False
    damaged: bool = False
    answers: str = ""

    def note(self, line: str) -> None:
        if self.journal:
            with Path(self.journal).open("a", encoding="utf-8") as file:
                file.write(line + "\n")

    def noted(self, line: str) -> int:
        if not self.journal or not Path(self.journal).exists():
            return 0
        return Path(self.journal).read_text(encoding="utf-8").splitlines().count(line)


class FakeEngine(engine_pb2_grpc.EngineServicer):
    def __init__(self, scenario: Scenario, roots: list[str], stop: threading.Event) -> None:
        self._scenario = scenario
        self._roots = [] if scenario.uploads_only else roots
        self._stop = stop
        self._store: dict[str, bytes] = {}
        self._lapses = scenario.lapses
        self.active = 0
        self.last_call = time.monotonic()

    def Describe(self, request, context):
        scenario = self._scenario
        precision = matte_pb2.PRECISION_FLOAT
        return engine_pb2.DescribeResponse(
            version="0.1.0",
            build=scenario.build,
            wire=scenario.wire,
            pid=os.getpid(),
            devices=[
                engine_pb2.Device(
                    id="cpu", name=scenario.device_name, memory_total=scenario.memory, precision=precision
                )
            ],
            default_device="cpu",
            threads=2,
            models=[
                engine_pb2.Model(name="platenet", weights_sha256=scenario.weights, weights_size=scenario.weights_size)
            ],
            limits=engine_pb2.Limits(
                message_bytes=scenario.message_bytes, chunk_bytes=1 << 16, blob_bytes=1 << 30, frames_in_flight=4
            ),
            color_configs=["platekey://studio"],
            roots=self._roots,
            features=engine_pb2.Features(jobs=["inspect", "adapt"]),
        )

    def FindMissing(self, request, context):
        return engine_pb2.FindMissingResponse(sha256=[item for item in request.sha256 if item not in self._store])

    def Upload(self, requests, context):
        header = next(requests).header
        data = b"".join(request.data for request in requests)
        if hashlib.sha256(data).hexdigest() != header.sha256 or len(data) != header.size:
            refuse(context, "BLOB_MISMATCH", "The bytes do not match.")
        self._store[header.sha256] = data
        self._scenario.note(f"upload {header.sha256}")
        return engine_pb2.UploadResponse(stored=True)

    def Matte(self, requests, context):
        self.active += 1
        try:
            setup = next(requests).setup
            plates = {entry.frame: entry.image for entry in setup.plate.entries}
            for request in requests:
                yield from self._frame(setup, plates, request.frame)
        finally:
            self.active -= 1
            self.last_call = time.monotonic()

    def RunJob(self, request, context):
        """An inspection that finds what it was asked: which frames, against which plate; or a model of that."""
        spec = request.inspect
        yield job_pb2.JobEvent(job_id=request.job_id, progress=job_pb2.JobProgress(done=0.5, message="Measuring"))
        if request.WhichOneof("spec") == "adapt":
            yield from self._adapted(request.job_id, request.adapt)
            return
        for _ in range(100 if self._scenario.delay > 1 else 0):
            time.sleep(0.1)
        figure = f"frames {[frame.frame for frame in spec.frames]}, {len(spec.watched)} looked through"
        line = {"name": "registration", "verdict": "watch", "value": 1.5, "figure": figure, "tip": "Stand further off."}
        found = {"verdict": "watch", "lines": [line], "findings": [], "frames": []}
        yield job_pb2.JobEvent(job_id=request.job_id, done=job_pb2.JobDone(json=json.dumps(found)))

    def _adapted(self, job_id, spec):
        """A model's file that holds the frames' numbers."""
        numbers = [frame.frame for frame in spec.frames]
        data = json.dumps(numbers).encode()
        yield job_pb2.JobEvent(job_id=job_id, chunk=job_pb2.JobChunk(name="adapted.safetensors", data=data))
        file = job_pb2.JobFile(name="adapted.safetensors", sha256=hashlib.sha256(data).hexdigest(), size=len(data))
        found = {"helped": bool(spec.name), "name": spec.name, "sentence": f"From {spec.setup.knobs.model}: {numbers}."}
        yield job_pb2.JobEvent(job_id=job_id, done=job_pb2.JobDone(json=json.dumps(found), files=[file]))

    def Stop(self, request, context):
        if not self.active:
            self._stop.set()
        return engine_pb2.StopResponse(stopping=not self.active)

    def _frame(self, setup, plates, frame):
        number, scenario = frame.frame, self._scenario
        for done, stage in enumerate(STAGES):
            progress = matte_pb2.FrameProgress(frame=number, stage=stage, done=done / len(STAGES))
            yield matte_pb2.MatteReply(progress=progress)
        time.sleep(scenario.delay)
        if scenario.noted(f"death {number}") < scenario.deadly.get(str(number), 0):
            scenario.note(f"death {number}")
            yield matte_pb2.MatteReply(chunk=matte_pb2.FrameChunk(frame=number, data=EXR_MAGIC))
            time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGKILL)
        if self._lapses:
            self._lapses -= 1
            self._store.clear()
        try:
            data = self._result(setup, plates, frame)
        except LookupError as error:
            yield failed(number, "BLOB_MISSING", str(error))
            return
        if reason := scenario.failing.get(str(number)):
            yield failed(number, reason, f"{frame.image.name} is no good.")
            return
        scenario.note(f"frame {number}")
        yield from delivered(number, data, b"damage" if scenario.damaged else b"")

    def _result(self, setup, plates, frame) -> bytes:
        """Bytes that depend on every input's content and every value of the request."""
        digest = hashlib.sha256()
        image_behind = setup.plate.hold_frame if setup.plate.mapping == 1 else frame.frame + setup.plate.offset
        images = [frame.image, plates[image_behind], *(neighbour.image for neighbour in frame.neighbours)]
        images += [getattr(frame, name) for name in ("garbage", "core", "hint") if frame.HasField(name)]
        for image in images:
            digest.update(self._content(image))
        digest.update(setup.knobs.SerializeToString(deterministic=True) + bytes(setup.layers))
        if self._scenario.answers:
            return (Path(self._scenario.answers) / f"{frame.frame}.exr").read_bytes()
        return EXR_MAGIC + digest.digest() * 8192

    def _content(self, image) -> bytes:
        if image.path:
            data = Path(image.path).read_bytes()
            assert hashlib.sha256(data).hexdigest() == image.sha256
            return data
        if image.sha256 not in self._store:
            raise LookupError(f"{image.name} is not in the store")
        return self._store[image.sha256]


class TokenCheck(grpc.ServerInterceptor):
    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}"
        self._refusal = grpc.unary_unary_rpc_method_handler(
            lambda _, context: refuse(context, "TOKEN_WRONG", "The call bears a wrong token.")
        )

    def intercept_service(self, continuation, details):
        known = dict(details.invocation_metadata).get("authorization") == self._expected
        return continuation(details) if known else self._refusal


def failed(number: int, reason: str, message: str) -> matte_pb2.MatteReply:
    error = error_pb2.ErrorDetail(reason=reason, message=message, next_step="Do something about it.")
    return matte_pb2.MatteReply(failed=matte_pb2.FrameFailed(frame=number, error=error))


def delivered(number: int, data: bytes, damage: bytes):
    for start in range(0, len(data), 1 << 16):
        yield matte_pb2.MatteReply(chunk=matte_pb2.FrameChunk(frame=number, data=data[start : start + (1 << 16)]))
    sha256 = hashlib.sha256(data + damage).hexdigest()
    report = matte_pb2.FrameReport(locked_off=True, warnings=[])
    done = matte_pb2.FrameDone(frame=number, sha256=sha256, size=len(data), report=report)
    yield matte_pb2.MatteReply(done=done)


def refuse(context, reason: str, message: str) -> None:
    detail = error_pb2.ErrorDetail(reason=reason, message=message, next_step="Do something about it.")
    context.set_trailing_metadata((("platekey-error-bin", detail.SerializeToString()),))
    context.abort(grpc.StatusCode.INVALID_ARGUMENT, message)


def start(scenario: Scenario, token: str, roots: list[str], stop: threading.Event, port: int = 0, credentials=None):
    """Start a server in this process, with TLS where there are credentials; returns it, its servicer and its port."""
    servicer = FakeEngine(scenario, roots, stop)
    server = grpc.server(ThreadPoolExecutor(8), interceptors=[TokenCheck(token)])
    engine_pb2_grpc.add_EngineServicer_to_server(servicer, server)
    checks = health.HealthServicer()
    checks.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    address = f"127.0.0.1:{port}"
    bound = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    server.start()
    return server, servicer, bound


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("serve")
    parser.add_argument("--handshake", type=Path)
    parser.add_argument("--device")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--root", action="append", default=[])
    parser.add_argument("--idle-stop", type=float, default=0)
    options = parser.parse_args()
    scenario = Scenario(**json.loads(os.environ.get("FAKE_ENGINE", "{}")))
    if scenario.start_failure:
        sys.stderr.write(scenario.start_failure + "\n")
        sys.exit(7)
    stop = threading.Event()
    server, servicer, port = start(scenario, "secret", options.root, stop, options.port)
    handshake = {"pid": os.getpid(), "address": f"127.0.0.1:{port}", "token": "secret", "version": "0.1.0"}
    scenario.note("started")
    text = json.dumps({**handshake, "build": scenario.build, "wire": scenario.wire})
    temporary = options.handshake.with_suffix(".new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(options.handshake)
    while not stop.wait(0.1):
        idle = time.monotonic() - servicer.last_call
        if options.idle_stop and not servicer.active and idle > min(options.idle_stop, 20):
            break
    server.stop(1).wait()
    options.handshake.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
