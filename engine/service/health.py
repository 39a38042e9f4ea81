"""`grpc.health.v1`: serving means that the device answers, not that a socket is open. Busy is not dead."""
# ruff: noqa: N802 - gRPC names the methods.

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

POLL_SECONDS = 5.0
"""How often `Watch` asks the devices."""


class HealthServicer(health_pb2_grpc.HealthServicer):
    """Health of the engine, under its service's name and under the empty one."""

    def __init__(self, service: str, healthy: Callable[[], bool]) -> None:
        """Make a servicer.

        Args:
            service: full name of the service it speaks for.
            healthy: touches the devices; must not wait for their queues.
        """
        self._names = ("", service)
        self._healthy = healthy
        self._closed = threading.Event()

    def close(self) -> None:
        """End every watch, so that none holds up a stop."""
        self._closed.set()

    def Check(
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        """Answer once."""
        if request.service not in self._names:
            context.set_code(grpc.StatusCode.NOT_FOUND)
        return health_pb2.HealthCheckResponse(status=self._status(request.service))

    def Watch(
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> Iterator[health_pb2.HealthCheckResponse]:
        """Answer now and whenever it changes."""
        told: int | None = None
        while context.is_active():
            if (status := self._status(request.service)) != told:
                told = status
                yield health_pb2.HealthCheckResponse(status=status)
            if self._closed.wait(POLL_SECONDS):
                return

    def _status(self, service: str) -> int:
        answer = health_pb2.HealthCheckResponse
        if service not in self._names:
            return answer.SERVICE_UNKNOWN
        return answer.SERVING if self._healthy() else answer.NOT_SERVING
