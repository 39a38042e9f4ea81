"""The engine's errors: one class, one reason each, and the artist's next step.

A reason is a name of ``ErrorReason`` in ``host_bridge/wire/v1/error.proto``; ``engine.service.interceptor`` maps it to
a gRPC status. Every reason that the engine raises stands in `REASONS`, and a test holds the two lists together.
"""

from __future__ import annotations

from typing import Literal, get_args

Reason = Literal[
    "BAD_REQUEST",
    "IMAGE_UNREADABLE",
    "CHANNELS_MISSING",
    "PART_UNSUPPORTED",
    "SIZE_MISMATCH",
    "COLOR_UNKNOWN",
    "COLOR_NOT_LINEAR",
    "MODEL_UNKNOWN",
    "REGISTRATION_FAILED",
    "VALUE_OUT_OF_RANGE",
    "BLOB_MISSING",
    "BLOB_MISMATCH",
    "PATH_NOT_ALLOWED",
    "FILE_MISSING",
    "TOKEN_WRONG",
    "OUT_OF_MEMORY",
    "LIMIT_EXCEEDED",
    "ENGINE_STOPPING",
    "DEVICE_UNAVAILABLE",
    "UNSUPPORTED",
    "CANCELLED",
    "INTERNAL",
]

REASONS: tuple[str, ...] = get_args(Reason)


class EngineError(Exception):
    """An error with its facts.

    Attributes:
        reason: name of the wire's ``ErrorReason``.
        message: one sentence that names the input and what is wrong with it.
        next_step: one sentence, what the artist does next.
        facts: the figures behind the message, as text.
    """

    def __init__(self, reason: Reason, message: str, next_step: str, **facts: object) -> None:
        super().__init__(f"{message} {next_step}")
        self.reason: Reason = reason
        self.message = message
        self.next_step = next_step
        self.facts = {name: str(value) for name, value in facts.items()}
