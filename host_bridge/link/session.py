"""One client of the link, from hello to goodbye. What it started ends with it."""

from __future__ import annotations

import hmac
import logging
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

import host_bridge
from host_bridge.cache import open_cache
from host_bridge.cancellation import Cancellation
from host_bridge.engines import connect, running_engines
from host_bridge.errors import BridgeError
from host_bridge.job import MatteJob
from host_bridge.knobs import knobs_as_json, layer_names
from host_bridge.link.protocol import LINK_VERSION, encode, read_message
from host_bridge.options import options_from_json
from host_bridge.status import status_as_json

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from host_bridge.content import Hasher
    from host_bridge.events import Event

_log = logging.getLogger(__name__)


class Host(Protocol):
    """What a session needs of its server."""

    token: str
    hasher: Hasher

    def stop_unless_busy(self, asking: Session) -> bool:
        """Stop serving, unless another client is at work."""


class Session:
    """One connection.

    Args:
        connection: the socket; closed when the session ends.
        host: the server.
    """

    def __init__(self, connection: socket.socket, host: Host) -> None:
        self._connection = connection
        self._host = host
        self._sending = threading.Lock()
        self._jobs: dict[object, Cancellation] = {}
        self._methods: dict[str, Callable[[dict], object]] = {
            "knobs": lambda _: {"knobs": knobs_as_json(), "layers": layer_names()},
            "status": lambda _: status_as_json(running_engines(), open_cache()),
            "cancel": self._cancel,
            "shutdown": lambda _: {"stopping": self._host.stop_unless_busy(self)},
        }

    @property
    def busy(self) -> bool:
        """Whether a job of this client is running."""
        return bool(self._jobs)

    def run(self) -> None:
        """Answer until the client hangs up, or breaks the rules; then cancel what it left running."""
        try:
            with self._connection, suppress(OSError), self._connection.makefile("rb") as stream:
                self._converse(stream)
        finally:
            self.cancel_all()

    def cancel_all(self) -> None:
        """Cancel every job of this client."""
        for cancellation in tuple(self._jobs.values()):
            cancellation.cancel()

    def _converse(self, stream: BinaryIO) -> None:
        try:
            message = read_message(stream)
            if message and self._greet(message):
                while message := read_message(stream):
                    self._handle(message)
        except BridgeError as error:
            self._send({"id": None, "error": error.as_json()})

    def _greet(self, message: dict) -> bool:
        """The first message has to show token and version."""
        params = message.get("params") or {}
        try:
            if message.get("method") != "hello" or not hmac.compare_digest(
                str(params.get("token", "")).encode(), self._host.token.encode()
            ):
                raise BridgeError("TOKEN_WRONG", "The link's token is missing or wrong.", "Read run/link.json again.")
            if params.get("link") != LINK_VERSION:
                raise BridgeError(
                    "VERSION_MISMATCH",
                    f"This node speaks link {params.get('link')}, the running side-car speaks {LINK_VERSION}.",
                    "Install the same PlateKey for both, and run 'platekey stop'.",
                )
        except BridgeError as error:
            self._send({"id": message.get("id"), "error": error.as_json()})
            return False
        self._send({"id": message.get("id"), "result": {"link": LINK_VERSION, "version": host_bridge.__version__}})
        return True

    def _handle(self, message: dict) -> None:
        call, method = message.get("id"), message.get("method")
        params = message.get("params") or {}
        if method == "matte":
            self._start_matte(call, params)
            return
        self._answer(call, lambda: self._call(method, params))

    def _call(self, method: object, params: dict) -> object:
        if method not in self._methods:
            known = ", ".join(["matte", *self._methods])
            raise BridgeError("UNSUPPORTED", f"The link has no method '{method}'.", f"It has {known}.")
        return self._methods[str(method)](params)

    def _start_matte(self, call: object, params: dict) -> None:
        cancellation = self._jobs[call] = Cancellation()

        def work() -> None:
            try:
                self._answer(call, lambda: self._matte(call, params, cancellation))
            finally:
                self._jobs.pop(call, None)

        threading.Thread(target=work, name=f"matte-{call}", daemon=True).start()

    def _matte(self, call: object, params: dict, cancellation: Cancellation) -> object:
        options = options_from_json(params)
        for path in (options.frames, options.output):
            if not Path(path).is_absolute():
                raise BridgeError("BAD_REQUEST", f"'{path}' is no absolute path.", "Send the whole path.")

        def tell(event: Event) -> None:
            self._send({"id": call, "event": event.as_json()})

        return MatteJob(options, connect, open_cache(), self._host.hasher, tell, cancellation).run().as_json()

    def _cancel(self, params: dict) -> object:
        cancellation = self._jobs.get(params.get("job"))
        if cancellation:
            cancellation.cancel()
        return {"was_running": cancellation is not None}

    def _answer(self, call: object, work: Callable[[], object]) -> None:
        try:
            reply: dict[str, object] = {"id": call, "result": work()}
        except BridgeError as error:
            reply = {"id": call, "error": error.as_json()}
        except Exception as error:  # noqa: BLE001 - a client must not wait for ever on a fault of ours
            _log.error("link call %s", call, exc_info=error)
            fault = BridgeError("INTERNAL", f"The side-car failed: {error}.", "Look at what 'platekey link' prints.")
            reply = {"id": call, "error": fault.as_json()}
        self._send(reply)

    def _send(self, message: dict[str, object]) -> None:
        """Send, or pass over it where the client has gone: reading from it ends the session."""
        with self._sending, suppress(OSError):
            self._connection.sendall(encode(message))
