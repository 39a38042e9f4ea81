"""The engine's server: composed of its parts, started, waited for, drained, stopped."""

from __future__ import annotations

import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import grpc
import torch
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

import engine
from engine.network import device
from engine.service.binding import bind
from engine.service.build import WIRE, build_hash
from engine.service.calls import Calls
from engine.service.compute import Compute, Pipeline
from engine.service.device_queue import DeviceQueues
from engine.service.handshake import Handshake, published
from engine.service.health import HealthServicer
from engine.service.interceptor import Door
from engine.service.job_kinds import KINDS
from engine.service.library import Library
from engine.service.limits import Limits
from engine.service.options import ServeOptions
from engine.service.pulse import Pulse
from engine.service.servicer import SERVICE, EngineServicer
from engine.service.store import ContentStore
from engine.service.translate.replies import Description
from host_bridge.wire.v1 import engine_pb2_grpc

GRACE_SECONDS = 10.0
"""How long calls may finish once the engine stops. A 2K frame takes about that on a CPU."""

LET_GO_SECONDS = 5.0
"""How long a dropped frame may take to notice, after the grace; it looks between stages and between tiles."""

WORKERS = 64
"""Threads that answer calls. A `Matte` stream or a health watch holds one; streams are limited to fewer."""

_POLL_SECONDS = 0.25

_log = logging.getLogger(__name__)


class EngineServer:
    """One engine."""

    def __init__(self, options: ServeOptions, compute: Compute | None = None) -> None:
        """Compose the parts; nothing is bound yet.

        Args:
            options: how to serve.
            compute: stands in for the pipeline.

        Raises:
            EngineError: DEVICE_UNAVAILABLE.
        """
        limits = options.limits
        self._options = options
        self._stop_asked = threading.Event()
        self._calls = Calls()
        self._exit = ExitStack()
        pulse = Pulse()
        self._queues = DeviceQueues(limits.streams, pulse.add)
        store = ContentStore(limits.store_bytes, limits.blob_bytes)
        library = Library(store, options.roots)
        self._fixed = _describe(options, library)
        self._queues.of(self._fixed.default_device)
        self._grpc = _grpc_server(limits, Door(options.token, self._calls, f"/{SERVICE}/"))
        servicer = EngineServicer(
            self._fixed,
            compute or Pipeline(limits.plate_cache_bytes, self._fixed.threads),
            store,
            library,
            self._queues,
            self._calls,
            self.ask_to_stop,
        )
        health = HealthServicer(SERVICE, pulse.beats)
        self._exit.callback(health.close)
        _add_services(self._grpc, servicer, health)

    def start(self) -> str:
        """Bind and answer.

        Returns:
            The address: ``host:port`` with the port that was found, or ``unix:path``.

        Raises:
            OSError: the address cannot be bound, or the handshake not be written.
        """
        fixed = self._fixed
        address = bind(self._grpc, self._options.address)
        self._grpc.start()
        handshake = Handshake(fixed.pid, address, self._options.token, fixed.version, fixed.build, fixed.wire)
        self._exit.enter_context(published(self._options.handshake, handshake))
        _log.info("engine %s, build %s, answers at %s on %s", fixed.version, fixed.build, address, fixed.default_device)
        return address

    def ask_to_stop(self) -> None:
        """Make `wait` return; safe in a signal handler and from any thread."""
        self._stop_asked.set()

    def wait(self) -> None:
        """Return when the engine is asked to stop, or has been idle for long enough."""
        idle = self._options.idle_stop
        while not self._stop_asked.wait(_POLL_SECONDS):
            if idle and self._calls.close(at_most=0, idle=idle):
                _log.info("idle for %g s", idle)
                return

    def stop(self, grace: float = GRACE_SECONDS) -> bool:
        """Let no new call in, let those in progress finish, then drop them.

        Args:
            grace: seconds that calls in progress may take.

        Returns:
            False where work that was dropped has not ended; the process must be left the hard way then.
        """
        self._calls.close()
        self._exit.close()
        self._grpc.stop(grace).wait()
        ended = self._queues.close(LET_GO_SECONDS)
        _log.info("stopped" if ended else "stopped; a dropped frame would not end")
        return ended


def _describe(options: ServeOptions, library: Library) -> Description:
    return Description(
        version=engine.__version__,
        build=build_hash(),
        wire=WIRE,
        pid=os.getpid(),
        threads=_set_threads(options.threads),
        default_device=device.choose(options.device),
        limits=options.limits,
        jobs=tuple(KINDS),
        roots=tuple(str(root) for root in library.roots),
    )


def _set_threads(count: int) -> int:
    """Set torch's threads on the CPU, 0 for its own choice; return their number."""
    if count:
        torch.set_num_threads(count)
    return torch.get_num_threads()


def _grpc_server(limits: Limits, door: Door) -> grpc.Server:
    """Make gRPC's server.

    Without ``so_reuseport`` 0 a second engine would share a taken port unnoticed. The keep-alive pings find clients
    that vanished without closing their connection; the last option bears theirs while a frame is long in the making.
    """
    options = (
        ("grpc.max_receive_message_length", limits.message_bytes),
        ("grpc.max_send_message_length", limits.message_bytes),
        ("grpc.so_reuseport", 0),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    )
    pool = ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="call")
    return grpc.server(pool, interceptors=[door], options=options, maximum_concurrent_rpcs=WORKERS)


def _add_services(server: grpc.Server, servicer: EngineServicer, health: HealthServicer) -> None:
    engine_pb2_grpc.add_EngineServicer_to_server(servicer, server)
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    health_name = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
    reflection.enable_server_reflection((SERVICE, health_name, reflection.SERVICE_NAME), server)
