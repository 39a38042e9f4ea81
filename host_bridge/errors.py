"""The side-car's errors: one class, one reason each, and one table from reason to exit code.

A reason is a name of ``ErrorReason`` in ``host_bridge/wire/v1/error.proto``, or one of `LOCAL_REASONS` for what goes
wrong on this side of the wire.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from host_bridge.wire.v1 import error_pb2

LOCAL_REASONS: tuple[str, ...] = (
    "OUTPUT_NOT_WRITABLE",
    "OUTPUT_EXISTS",
    "ENGINE_UNAVAILABLE",
    "ENGINE_LOST",
    "VERSION_MISMATCH",
)
"""Reasons that never cross the wire: files that cannot be written or are not ours, and an engine that is not there."""


class ExitCode(IntEnum):
    """What ``platekey`` returns to the shell."""

    OK = 0
    """Every frame asked for is there."""
    FRAMES_FAILED = 1
    """Some frames could not be made; the others are there. Also: the pictures do not allow the job."""
    BAD_INPUT = 2
    """The command line or a file that it names is wrong."""
    NO_ENGINE = 3
    """No engine can be started or reached, it died twice, or its device is missing or out of memory."""
    NO_OUTPUT = 4
    """The output folder is missing, full or write-protected, or holds a file that PlateKey did not write."""
    NO_ACCESS = 5
    """The token is missing or wrong, or the engine may not read a path."""
    INTERNAL = 6
    """A fault of PlateKey's."""
    CANCELLED = 130
    """Cancelled; 128 + SIGINT, as shells count it. Finished frames are kept."""


EXIT_CODES: dict[str, ExitCode] = {
    "ERROR_REASON_UNSPECIFIED": ExitCode.INTERNAL,
    "BAD_REQUEST": ExitCode.BAD_INPUT,
    "IMAGE_UNREADABLE": ExitCode.BAD_INPUT,
    "CHANNELS_MISSING": ExitCode.BAD_INPUT,
    "PART_UNSUPPORTED": ExitCode.BAD_INPUT,
    "SIZE_MISMATCH": ExitCode.BAD_INPUT,
    "COLOR_UNKNOWN": ExitCode.BAD_INPUT,
    "COLOR_NOT_LINEAR": ExitCode.BAD_INPUT,
    "MODEL_UNKNOWN": ExitCode.BAD_INPUT,
    "REGISTRATION_FAILED": ExitCode.FRAMES_FAILED,
    "VALUE_OUT_OF_RANGE": ExitCode.FRAMES_FAILED,
    "BLOB_MISSING": ExitCode.NO_ENGINE,
    "BLOB_MISMATCH": ExitCode.BAD_INPUT,
    "PATH_NOT_ALLOWED": ExitCode.NO_ACCESS,
    "FILE_MISSING": ExitCode.BAD_INPUT,
    "TOKEN_WRONG": ExitCode.NO_ACCESS,
    "OUT_OF_MEMORY": ExitCode.NO_ENGINE,
    "LIMIT_EXCEEDED": ExitCode.BAD_INPUT,
    "ENGINE_STOPPING": ExitCode.NO_ENGINE,
    "DEVICE_UNAVAILABLE": ExitCode.NO_ENGINE,
    "UNSUPPORTED": ExitCode.BAD_INPUT,
    "CANCELLED": ExitCode.CANCELLED,
    "INTERNAL": ExitCode.INTERNAL,
    "OUTPUT_NOT_WRITABLE": ExitCode.NO_OUTPUT,
    "OUTPUT_EXISTS": ExitCode.NO_OUTPUT,
    "ENGINE_UNAVAILABLE": ExitCode.NO_ENGINE,
    "ENGINE_LOST": ExitCode.NO_ENGINE,
    "VERSION_MISMATCH": ExitCode.NO_ENGINE,
}
"""Exit code of a run that nothing else came out of, by the reason of its error."""


class BridgeError(Exception):
    """An error with its facts.

    Attributes:
        reason: name of an ``ErrorReason``, or one of `LOCAL_REASONS`.
        message: one sentence that names the input and what is wrong with it.
        next_step: one sentence, what the artist does next.
        facts: the figures behind the message, as text.
    """

    def __init__(self, reason: str, message: str, next_step: str, **facts: object) -> None:
        super().__init__(f"{message} {next_step}".strip())
        self.reason = reason
        self.message = message
        self.next_step = next_step
        self.facts = {name: str(value) for name, value in facts.items()}

    @property
    def exit_code(self) -> ExitCode:
        """Exit code of a process that this error ends."""
        return EXIT_CODES.get(self.reason, ExitCode.INTERNAL)

    def as_json(self) -> dict[str, object]:
        """``{reason, message, next_step, facts}``, as the link and ``--json`` show it."""
        return {
            "reason": self.reason,
            "message": self.message,
            "next_step": self.next_step,
            "facts": self.facts,
        }


def from_detail(detail: error_pb2.ErrorDetail) -> BridgeError:
    """The error that an engine sent. A reason newer than this side-car becomes ``INTERNAL`` and keeps its words."""
    from host_bridge.wire.v1 import error_pb2  # noqa: PLC0415 - keeps this module importable without protobuf

    names = error_pb2.ErrorReason.DESCRIPTOR.values_by_number
    reason = names[detail.reason].name if detail.reason in names else "INTERNAL"
    return BridgeError(reason, detail.message, detail.next_step, **dict(detail.facts))


def exit_code_of(failures: Iterable[BridgeError], delivered: int) -> ExitCode:
    """Exit code of a run: the reason's own where everything failed alike, else `ExitCode.FRAMES_FAILED`.

    Args:
        failures: errors of the frames that failed.
        delivered: number of frames that are there.
    """
    codes = {failure.exit_code for failure in failures}
    if not codes:
        return ExitCode.OK
    return codes.pop() if len(codes) == 1 and not delivered else ExitCode.FRAMES_FAILED
