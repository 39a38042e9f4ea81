"""Results that are no longer true: taken from their final names before any frame is made anew.

Otherwise what a failure or a cancellation leaves would pass for a result of the inputs and settings of today.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from host_bridge.errors import BridgeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from host_bridge.cancellation import Cancellation
    from host_bridge.connection.client import Identity
    from host_bridge.files.outputs import Outputs
    from host_bridge.request import MatteRequest


def withdraw_stale(
    frames: Iterable[int], request: MatteRequest, outputs: Outputs, identity: Identity, cancellation: Cancellation
) -> list[int]:
    """Withdraw the stale ones of these frames' results. Somebody else's files, and edited ones, stay.

    Args:
        frames: frame numbers; only those with a file under their final name cost a look at their inputs.
        request: tells what a result depends on.
        outputs: the delivered files.
        identity: who would compute them now.
        cancellation: asked before each frame.

    Returns:
        Numbers of the frames that were withdrawn, ascending.

    Raises:
        BridgeError: ``OUTPUT_NOT_WRITABLE`` or ``CANCELLED``.
    """
    withdrawn = []
    for number in sorted(frames):
        cancellation.check()
        stale = outputs.paths[number].exists() and not outputs.is_fresh(number, _key(number, request, identity))
        if stale and outputs.withdraw(number):
            withdrawn.append(number)
    return withdrawn


def _key(number: int, request: MatteRequest, identity: Identity) -> str:
    """The key of today's result; empty, which is nobody's, where an input cannot be read: the frame fails in turn."""
    try:
        return request.key(request.frame(number).message, identity)
    except BridgeError:
        return ""
