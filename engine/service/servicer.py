"""The engine's calls: translate, compute, translate."""
# ruff: noqa: N802 - gRPC names the methods.

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

import grpc
import PyOpenColorIO

from engine.network import device
from engine.pipeline.colour import SHIPPED
from engine.service.calls import Calls
from engine.service.compute import Compute
from engine.service.device_queue import DeviceQueues
from engine.service.job_kinds import KINDS, run_of
from engine.service.job_kinds.work import JobWork
from engine.service.jobs import Jobs
from engine.service.library import FileRef, Library
from engine.service.matte_stream import MatteStream
from engine.service.store import ContentStore
from engine.service.translate import replies, requests
from engine.service.translate.job_reply import JobReply
from engine.settings import Source
from host_bridge.wire.v1 import engine_pb2, engine_pb2_grpc, job_pb2, matte_pb2

SERVICE = engine_pb2.DESCRIPTOR.services_by_name["Engine"].full_name


class EngineServicer(engine_pb2_grpc.EngineServicer):
    """The calls of `host_bridge/wire/v1/engine.proto`. Errors are raised; the interceptor turns them into a status."""

    def __init__(
        self,
        fixed: replies.Description,
        compute: Compute,
        store: ContentStore,
        library: Library,
        queues: DeviceQueues,
        calls: Calls,
        stop: Callable[[], None],
    ) -> None:
        """Make a servicer over the parts that the server composes.

        Args:
            fixed: what `Describe` tells and does not change.
            compute: the pipeline.
            store: where uploads go.
            library: where references are read from.
            queues: the devices' queues.
            calls: counter of calls in progress, kept by the interceptor.
            stop: called once `Stop` is granted.
        """
        self._fixed = fixed
        self._compute = compute
        self._store = store
        self._library = library
        self._queues = queues
        self._calls = calls
        self._stop = stop
        self._jobs = Jobs()
        self._started = time.monotonic()

    def Describe(
        self, request: engine_pb2.DescribeRequest, context: grpc.ServicerContext
    ) -> engine_pb2.DescribeResponse:
        """Say what this engine is and can do."""
        configs = [
            SHIPPED,
            *(f"ocio://{name}" for name, *_ in PyOpenColorIO.BuiltinConfigRegistry().getBuiltinConfigs()),
        ]
        uptime = time.monotonic() - self._started
        return replies.describe(self._fixed, configs, uptime, self._calls.active - 1)

    def FindMissing(
        self, request: engine_pb2.FindMissingRequest, context: grpc.ServicerContext
    ) -> engine_pb2.FindMissingResponse:
        """Say which files are not held."""
        return engine_pb2.FindMissingResponse(sha256=self._store.missing(request.sha256))

    def Upload(
        self, request_iterator: Iterator[engine_pb2.UploadRequest], context: grpc.ServicerContext
    ) -> engine_pb2.UploadResponse:
        """Take one file."""
        header = requests.upload_header(request_iterator)
        data = requests.upload_data(request_iterator)
        return engine_pb2.UploadResponse(stored=self._store.receive(header.sha256, header.size, data))

    def Matte(
        self, request_iterator: Iterator[matte_pb2.MatteRequest], context: grpc.ServicerContext
    ) -> Iterator[matte_pb2.MatteReply]:
        """Matte a stream of frames."""
        message = requests.first_setup(request_iterator)
        setup = requests.matte_setup(message, device.choose(message.device or self._fixed.default_device), self._load)
        frames = requests.matte_frames(request_iterator, setup.plate, self._load)
        limits = self._fixed.limits
        with self._queues.of(setup.job.device).lane() as lane, self._jobs.running(setup.job_id) as job:
            job.follow(context)
            stream = MatteStream(partial(self._compute.matte, setup.job), job, lane, limits.frames_in_flight)
            for event in stream.events(frames):
                yield from replies.matte(event, limits.chunk_bytes)

    def RunJob(self, request: job_pb2.JobRequest, context: grpc.ServicerContext) -> Iterator[job_pb2.JobEvent]:
        """Run a job of another kind."""
        kind = requests.job_kind(request, KINDS)
        with self._jobs.running(request.job_id) as job:
            job.follow(context)
            work = JobWork(job, self._load, self._compute, self._queues, self._fixed.default_device)
            reply = JobReply(request.job_id, self._fixed.limits.chunk_bytes)
            for step in run_of(kind)(getattr(request, kind), work):
                job.check()
                yield from reply.events(step)

    def CancelJob(self, request: job_pb2.CancelJobRequest, context: grpc.ServicerContext) -> job_pb2.CancelJobResponse:
        """Cancel a stream or a job."""
        return job_pb2.CancelJobResponse(was_running=self._jobs.cancel(request.job_id))

    def Stop(self, request: engine_pb2.StopRequest, context: grpc.ServicerContext) -> engine_pb2.StopResponse:
        """Stop, where this call is the only one."""
        stopping = self._calls.close(at_most=1)
        if stopping:
            self._stop()
        return engine_pb2.StopResponse(stopping=stopping)

    def _load(self, ref: FileRef) -> Source:
        """Read a file for new work; there is none once the engine stops."""
        self._calls.check_open()
        return self._library.load(ref)
