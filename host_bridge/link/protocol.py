"""Messages of the link: one JSON object a line, of bounded length."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import BinaryIO

from host_bridge.errors import BridgeError

LINK_VERSION = 1
"""Raised when a client of the last version would misunderstand."""

MAX_LINE = 1 << 20
"""Bytes of a line with its end. A matte call with every field is about 2 KiB."""


def encode(message: dict[str, object]) -> bytes:
    """A message as its line; ASCII only, so that no host's text encoding matters."""
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


@dataclass(frozen=True)
class Call:
    """A client's message.

    Attributes:
        id: chosen by the client; what is said about the call bears it.
        method: what it wants.
        params: how.
    """

    id: int
    method: str
    params: dict[str, object]


def read_call(stream: BinaryIO) -> Call | None:
    """The next call, or None where the client has hung up.

    Raises:
        BridgeError: ``LIMIT_EXCEEDED`` for a line that is too long, ``BAD_REQUEST`` for one that is no call.
    """
    line = stream.readline(MAX_LINE + 1)
    if len(line) > MAX_LINE:
        raise BridgeError(
            "LIMIT_EXCEEDED",
            f"A message is longer than {MAX_LINE} bytes.",
            "Name files by path instead of sending them.",
        )
    if not line.endswith(b"\n"):
        return None
    try:
        message = json.loads(line)
        call = Call(message["id"], message["method"], message.get("params", {}))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise _no_call() from error
    if not (isinstance(call.id, int) and isinstance(call.method, str) and isinstance(call.params, dict)):
        raise _no_call()
    return call


def _no_call() -> BridgeError:
    return BridgeError(
        "BAD_REQUEST",
        "A message is no call.",
        'Send one JSON object a line: {"id": number, "method": text, "params": object}.',
    )
