"""Messages of the link: one JSON object a line, of bounded length."""

from __future__ import annotations

import json
from typing import BinaryIO

from host_bridge.errors import BridgeError

LINK_VERSION = 1
"""Raised when a client of the last version would misunderstand."""

MAX_LINE = 1 << 20
"""Bytes of a line with its end. A matte call with every field is about 2 KiB."""


def encode(message: dict[str, object]) -> bytes:
    """A message as its line; ASCII only, so that no host's text encoding matters."""
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


def read_message(stream: BinaryIO) -> dict | None:
    """The next message, or None where the other side has hung up.

    Raises:
        BridgeError: ``LIMIT_EXCEEDED`` for a line that is too long, ``BAD_REQUEST`` for one that is no JSON object.
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
    except ValueError as error:
        raise BridgeError("BAD_REQUEST", "A message is no JSON.", "Send one JSON object a line.") from error
    if not isinstance(message, dict):
        raise BridgeError("BAD_REQUEST", "A message is no JSON object.", "Send one JSON object a line.")
    return message
