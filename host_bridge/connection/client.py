"""One engine, as seen from here: its calls, its token on each of them, its errors as ours."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import grpc

from host_bridge.errors import BridgeError, from_detail
from host_bridge.wire.v1 import engine_pb2, engine_pb2_grpc, error_pb2, job_pb2, matte_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from host_bridge.cancellation import Cancellation
    from host_bridge.connection.address import Address
    from host_bridge.files.content import Content

WIRE = 1
"""Version of the wire, ``host_bridge/wire/v1``."""

_ERROR_TRAILER = "platekey-error-bin"
"""Where a failed call carries its ``ErrorDetail``, by ``error.proto``."""

_ANSWER_SECONDS = 20.0
"""How long a cheap call may take: the engine answers it beside its work, but Python shares one lock."""

_KEEPALIVE_MS = 360_000
"""Finds a dead host; above the 5 minutes between pings that any gRPC server tolerates."""

_MAX_REPLY = 16 << 20
"""Largest reply taken, bytes; engines send chunks of about 1 MiB."""

_STATUS_REASONS = {
    grpc.StatusCode.UNAVAILABLE: "ENGINE_UNAVAILABLE",
    grpc.StatusCode.DEADLINE_EXCEEDED: "ENGINE_UNAVAILABLE",
    grpc.StatusCode.UNAUTHENTICATED: "TOKEN_WRONG",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "LIMIT_EXCEEDED",
    grpc.StatusCode.CANCELLED: "CANCELLED",
    grpc.StatusCode.UNIMPLEMENTED: "UNSUPPORTED",
}
"""Reason of a failure that carries no detail of ours: it came from gRPC itself."""


@dataclass(frozen=True)
class Identity:
    """Who computes: the part of an engine that pixels depend on.

    Attributes:
        description: as the engine gave it.
        device: the one that a job runs on.
    """

    description: engine_pb2.DescribeResponse
    device: engine_pb2.Device

    def as_json(self, knobs: matte_pb2.Knobs) -> dict[str, object]:
        """Build, weights, device with its memory, precision and threads, for the cache key."""
        asked = knobs.precision
        precision = self.device.precision if asked == matte_pb2.PRECISION_AUTO else asked
        weights = {model.name: model.weights_sha256 for model in self.description.models}
        return {
            "build": self.description.build,
            "weights": weights.get(knobs.model, ""),
            "device": self.device.name,
            "memory_total": self.device.memory_total,  # the network's tiles follow from it
            "precision": matte_pb2.Precision.Name(precision),
            "threads": self.description.threads,
        }


class Engine:
    """A connection to one engine. Every method raises `BridgeError` for whatever the call ends with.

    Args:
        address: where it is.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._metadata = (("authorization", f"Bearer {address.token}"),)
        self._channel = _channel(address)
        self._stub = engine_pb2_grpc.EngineStub(self._channel)

    def close(self) -> None:
        """Hang up."""
        self._channel.close()

    def describe(self) -> engine_pb2.DescribeResponse:
        """What the engine is and can do; ``VERSION_MISMATCH`` where it speaks another wire."""
        with self._errors():
            description = self._stub.Describe(
                engine_pb2.DescribeRequest(), metadata=self._metadata, timeout=_ANSWER_SECONDS
            )
        if description.wire != WIRE:
            raise BridgeError(
                "VERSION_MISMATCH",
                f"The engine at {self.address.target} speaks wire {description.wire}, this PlateKey speaks {WIRE}.",
                "Install the same PlateKey on both sides.",
            )
        return description

    def identify(self, device: str) -> Identity:
        """Describe the engine and pick a device; ``DEVICE_UNAVAILABLE`` where it has none of that id."""
        description = self.describe()
        wanted = device or description.default_device
        devices = {item.id: item for item in description.devices}
        if wanted not in devices:
            raise BridgeError(
                "DEVICE_UNAVAILABLE",
                f"The engine at {self.address.target} has no device '{wanted}'.",
                f"Choose one of {', '.join(devices) or 'none'}.",
            )
        return Identity(description, devices[wanted])

    def is_healthy(self) -> bool:
        """Whether its device answers, by ``grpc.health.v1``.

        The request for the whole server is the empty message, and SERVING is field 1 = 1, which saves a dependency.
        """
        check = self._channel.unary_unary("/grpc.health.v1.Health/Check", None, None)
        with self._errors():
            return check(b"", metadata=self._metadata, timeout=_ANSWER_SECONDS) == b"\x08\x01"

    def find_missing(self, hashes: list[str]) -> set[str]:
        """Those of these files that the engine does not hold."""
        request = engine_pb2.FindMissingRequest(sha256=hashes)
        with self._errors():
            return set(self._stub.FindMissing(request, metadata=self._metadata, timeout=_ANSWER_SECONDS).sha256)

    def upload(self, content: Content, chunk: int, cancellation: Cancellation) -> None:
        """Hand over a file in pieces of ``chunk`` bytes; ``FILE_MISSING`` where it has gone."""
        with content.opened() as file, self._errors():
            call = self._stub.Upload.future(_pieces(content, file, chunk), metadata=self._metadata)
            with cancellation.watch(call.cancel):
                call.exception()
            cancellation.check()
            call.result()

    def matte(self, requests: Iterator[matte_pb2.MatteRequest]) -> Any:  # noqa: ANN401 - grpcio names no such type
        """Open a stream; its errors appear while it is read, inside `translated_errors`."""
        return self._stub.Matte(requests, metadata=self._metadata)

    def run_job(self, request: job_pb2.JobRequest) -> Any:  # noqa: ANN401 - grpcio names no such type
        """Start a job of another kind; its errors appear while its events are read, inside `translated_errors`."""
        return self._stub.RunJob(request, metadata=self._metadata)

    def stop(self) -> bool:
        """Ask it to stop; false where other clients are at work."""
        with self._errors():
            return self._stub.Stop(engine_pb2.StopRequest(), metadata=self._metadata, timeout=_ANSWER_SECONDS).stopping

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with translated_errors(self.address):
            yield


@contextmanager
def translated_errors(address: Address) -> Iterator[None]:
    """Turn gRPC's errors into ours.

    Args:
        address: the engine's, for the message.
    """
    try:
        yield
    except grpc.RpcError as error:
        raise _translate(error, address) from error


def _translate(error: grpc.RpcError, address: Address) -> BridgeError:
    metadata: Any = error.trailing_metadata() or ()
    trailers = dict(metadata)
    if _ERROR_TRAILER in trailers:
        sent = from_detail(error_pb2.ErrorDetail.FromString(trailers[_ERROR_TRAILER]))
        return _token_refused(address) if sent.reason == "TOKEN_WRONG" else sent
    reason = _STATUS_REASONS.get(error.code(), "INTERNAL")
    said = error.details() or error.code().name
    if reason == "ENGINE_UNAVAILABLE":
        step = address.advice if address.log else "Start it, or check the address."
        return BridgeError(reason, f"No engine answers at {address.target} ({said}).", step)
    if reason == "TOKEN_WRONG":
        return _token_refused(address)
    if reason == "CANCELLED":
        return BridgeError(reason, "The job was cancelled.", "Run it again to go on: finished frames are kept.")
    return BridgeError(reason, f"The engine at {address.target} failed: {said}.", address.advice)


def _token_refused(address: Address) -> BridgeError:
    """In this side's words: an engine does not know where its client read the token."""
    source = f" from {address.token_from}" if address.token_from else ""
    return BridgeError(
        "TOKEN_WRONG",
        f"The engine at {address.target} refused the token{source}.",
        "Ask whoever started that engine for the file with its token, and pass it with --token-file.",
    )


def _channel(address: Address) -> grpc.Channel:
    options = [
        ("grpc.max_receive_message_length", _MAX_REPLY),
        ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
        # A studio's HTTP proxy must not see calls inside this machine.
        ("grpc.enable_http_proxy", int(not address.is_local)),
    ]
    if address.is_local and address.tls_ca is None:
        return grpc.insecure_channel(address.target, options)
    roots = None
    if address.tls_ca is not None:
        try:
            roots = address.tls_ca.read_bytes()
        except OSError as error:
            raise BridgeError(
                "FILE_MISSING", f"{address.tls_ca} cannot be read: {error.strerror}.", "Check --tls-ca."
            ) from error
    return grpc.secure_channel(address.target, grpc.ssl_channel_credentials(roots), options)


def _pieces(content: Content, file: BinaryIO, chunk: int) -> Iterator[engine_pb2.UploadRequest]:
    yield engine_pb2.UploadRequest(header=engine_pb2.UploadRequest.Header(sha256=content.sha256, size=content.size))
    while data := file.read(chunk):
        yield engine_pb2.UploadRequest(data=data)
