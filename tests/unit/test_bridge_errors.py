"""One table from what went wrong to what the shell sees."""

import pytest

from host_bridge.errors import EXIT_CODES, LOCAL_REASONS, BridgeError, ExitCode, exit_code_of, from_detail
from host_bridge.wire.v1 import error_pb2


def test_every_reason_has_an_exit_code_and_no_other():
    assert set(EXIT_CODES) == {*error_pb2.ErrorReason.keys(), *LOCAL_REASONS}


def test_every_exit_code_can_happen():
    assert set(EXIT_CODES.values()) | {ExitCode.OK} == set(ExitCode)


@pytest.mark.parametrize(
    ("reasons", "delivered", "code"),
    [
        ([], 3, ExitCode.OK),
        (["IMAGE_UNREADABLE"], 0, ExitCode.BAD_INPUT),
        (["IMAGE_UNREADABLE"], 1, ExitCode.FRAMES_FAILED),
        (["IMAGE_UNREADABLE", "SIZE_MISMATCH"], 0, ExitCode.BAD_INPUT),
        (["IMAGE_UNREADABLE", "ENGINE_LOST"], 0, ExitCode.FRAMES_FAILED),
        (["ENGINE_LOST"], 0, ExitCode.NO_ENGINE),
    ],
)
def test_exit_code_of_a_run(reasons, delivered, code):
    assert exit_code_of([BridgeError(reason, "", "") for reason in reasons], delivered) == code


def test_an_engine_error_keeps_its_words_and_figures():
    detail = error_pb2.ErrorDetail(
        reason=error_pb2.REGISTRATION_FAILED, message="No.", next_step="Do.", facts={"residual_px": "14.2"}
    )
    error = from_detail(detail)
    assert (error.reason, error.message, error.next_step) == ("REGISTRATION_FAILED", "No.", "Do.")
    assert error.facts == {"residual_px": "14.2"}


def test_a_reason_from_a_newer_engine_is_shown_as_internal():
    error = from_detail(error_pb2.ErrorDetail(reason=999, message="New trouble.", next_step="Update."))
    assert (error.reason, error.message) == ("INTERNAL", "New trouble.")
