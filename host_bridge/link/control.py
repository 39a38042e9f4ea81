"""Asking the side-car that runs here to stop; of whatever version it is, so that an old one can be got rid of."""

from __future__ import annotations

import json
import socket
from contextlib import suppress

from host_bridge.files import home
from host_bridge.link.protocol import encode

_ANSWER_SECONDS = 5.0


def stop_link() -> bool | None:
    """Ask the side-car to stop: true where it does, false where another client is at work, None where none answers."""
    state = home.read_json(home.folder("run") / "link.json") or {}
    with suppress(OSError, ValueError, LookupError, TypeError):
        hello = {"token": state["token"], "link": state["link"]}
        with socket.create_connection(("127.0.0.1", state["port"]), _ANSWER_SECONDS) as connection:
            calls = [{"id": 1, "method": "hello", "params": hello}, {"id": 2, "method": "shutdown", "params": {}}]
            connection.sendall(b"".join(map(encode, calls)))
            with connection.makefile("rb") as answers:
                _, answer = (json.loads(line) for line in (answers.readline(), answers.readline()))
            return bool(answer["result"]["stopping"])
    return None
