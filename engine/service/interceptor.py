"""The service's door: the one place where a token is checked and an exception becomes a status."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import partial
from traceback import clear_frames
from typing import Any

import grpc

from engine.errors import EngineError, Reason
from engine.network import device
from engine.service.calls import Calls
from engine.service.translate.replies import error_detail

TRAILER = "platekey-error-bin"

STATUS: Mapping[Reason, grpc.StatusCode] = {
    "BAD_REQUEST": grpc.StatusCode.INVALID_ARGUMENT,
    "IMAGE_UNREADABLE": grpc.StatusCode.INVALID_ARGUMENT,
    "CHANNELS_MISSING": grpc.StatusCode.INVALID_ARGUMENT,
    "PART_UNSUPPORTED": grpc.StatusCode.INVALID_ARGUMENT,
    "SIZE_MISMATCH": grpc.StatusCode.INVALID_ARGUMENT,
    "COLOR_UNKNOWN": grpc.StatusCode.INVALID_ARGUMENT,
    "COLOR_NOT_LINEAR": grpc.StatusCode.INVALID_ARGUMENT,
    "MODEL_UNKNOWN": grpc.StatusCode.INVALID_ARGUMENT,
    "REGISTRATION_FAILED": grpc.StatusCode.FAILED_PRECONDITION,
    "VALUE_OUT_OF_RANGE": grpc.StatusCode.FAILED_PRECONDITION,
    "BLOB_MISSING": grpc.StatusCode.FAILED_PRECONDITION,
    "BLOB_MISMATCH": grpc.StatusCode.FAILED_PRECONDITION,
    "PATH_NOT_ALLOWED": grpc.StatusCode.PERMISSION_DENIED,
    "FILE_MISSING": grpc.StatusCode.NOT_FOUND,
    "TOKEN_WRONG": grpc.StatusCode.UNAUTHENTICATED,
    "OUT_OF_MEMORY": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "LIMIT_EXCEEDED": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "ENGINE_STOPPING": grpc.StatusCode.UNAVAILABLE,
    "DEVICE_UNAVAILABLE": grpc.StatusCode.UNAVAILABLE,
    "UNSUPPORTED": grpc.StatusCode.UNIMPLEMENTED,
    "CANCELLED": grpc.StatusCode.CANCELLED,
    "INTERNAL": grpc.StatusCode.INTERNAL,
}

_log = logging.getLogger(__name__)


class Door(grpc.ServerInterceptor):
    """Stands before every method, of every service on the port."""

    def __init__(self, token: str, calls: Calls, counted: str) -> None:
        """Make a door.

        Args:
            token: what a call must bear.
            calls: counter of the calls that keep the engine alive.
            counted: beginning of the names of the methods that count; health and reflection do not.
        """
        self._expected = f"Bearer {token}".encode()
        self._calls = calls
        self._counted = counted

    def intercept_service(
        self, continuation: Callable[[Any], Any], handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler | None:
        """Put the guard around a method's behaviour."""
        handler = continuation(handler_call_details)
        return handler and _wrap(handler, partial(self._guard, handler_call_details))

    @contextmanager
    def _guard(self, details: grpc.HandlerCallDetails, context: grpc.ServicerContext) -> Iterator[None]:
        try:
            self._check_token(details.invocation_metadata)
            with self._calls.entered() if details.method.startswith(self._counted) else nullcontext():
                yield
        except Exception as exception:  # noqa: BLE001 the process's outermost door: whatever arrives leaves as a status
            error = as_engine_error(exception, details.method)
            context.set_trailing_metadata(((TRAILER, error_detail(error).SerializeToString()),))
            context.abort(STATUS[error.reason], str(error))

    def _check_token(self, metadata: tuple[tuple[str, str | bytes], ...]) -> None:
        given = str(dict(metadata).get("authorization", ""))
        if not hmac.compare_digest(given.encode(), self._expected):
            raise EngineError(
                "TOKEN_WRONG",
                "The call bears no token, or a wrong one.",
                "Read the token from the handshake file or --token-file of the engine that is running now.",
            )


def as_engine_error(exception: BaseException, where: str) -> EngineError:
    """Say in the engine's terms what went wrong; log what is a fault of ours or of the machine.

    Args:
        exception: whatever was raised.
        where: method, or job, frame and stage; for the log.
    """
    if isinstance(exception, EngineError):
        _log.info("%s: %s: %s", where, exception.reason, str(exception))
        return exception
    if isinstance(exception, grpc.RpcError):
        return EngineError("CANCELLED", "The client went away.", "Send the work again if it is wanted after all.")
    if _is_out_of_memory(exception):
        _log.warning("%s: out of memory: %s", where, str(exception))
        clear_frames(exception.__traceback__)  # or the arrays of the failed stage would live on in it
        for name in device.available():
            device.release(name)
        return EngineError("OUT_OF_MEMORY", f"Memory ran out ({where}).", "Close other programs, or choose Draft.")
    _log.error("%s: unexpected", where, exc_info=exception)
    return EngineError("INTERNAL", f"A fault in the engine ({where}).", "Send its log to the developers.")


def _is_out_of_memory(exception: BaseException) -> bool:
    return isinstance(exception, MemoryError) or (
        isinstance(exception, RuntimeError) and device.is_out_of_memory(exception)
    )


def _wrap(handler: grpc.RpcMethodHandler, guard: Callable[[Any], Any]) -> grpc.RpcMethodHandler:
    kind = "_".join(
        "stream" if streams else "unary" for streams in (handler.request_streaming, handler.response_streaming)
    )
    behaviour = getattr(handler, kind)

    def answer(request: object, context: grpc.ServicerContext) -> object:
        with guard(context):
            return behaviour(request, context)

    def answers(request: object, context: grpc.ServicerContext) -> Iterator[object]:
        with guard(context):
            yield from behaviour(request, context)

    make = getattr(grpc, f"{kind}_rpc_method_handler")
    guarded = answers if handler.response_streaming else answer
    return make(guarded, handler.request_deserializer, handler.response_serializer)
