"""One client of the link, from hello to goodbye. What it started ends with it."""

from __future__ import annotations

import hmac
import logging
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

import host_bridge
from host_bridge.adaptation import adapt_shot, adaptation_from_json
from host_bridge.cancellation import Cancellation
from host_bridge.connection.engines import connect, running_engines
from host_bridge.errors import BridgeError
from host_bridge.files.cache import open_cache
from host_bridge.inspection import MEASURED, WATCHED, inspect_plate
from host_bridge.job import MatteJob
from host_bridge.knobs import knobs_as_json, layer_names
from host_bridge.link.protocol import LINK_VERSION, Call, encode, read_call
from host_bridge.options import engine_from_json, options_from_json
from host_bridge.status import identity_as_json, status_as_json

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from host_bridge.events import Event
    from host_bridge.files.content import Hasher

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
        self._jobs: dict[int, Cancellation] = {}
        self._long: dict[str, Callable[[Call], object]] = {
            "matte": self._matte,
            "describe": self._describe,
            "inspect": self._inspect,
            "adapt": self._adapt,
        }
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
            hello = read_call(stream)
            if hello and self._answer(hello, self._greet):
                while call := read_call(stream):
                    self._handle(call)
        except BridgeError as error:
            self._send({"id": None, "error": error.as_json()})

    def _greet(self, call: Call) -> object:
        """The first call has to show token and version."""
        token = str(call.params.get("token", "")).encode()
        if call.method != "hello" or not hmac.compare_digest(token, self._host.token.encode()):
            raise BridgeError("TOKEN_WRONG", "The link's token is missing or wrong.", "Read run/link.json again.")
        if call.params.get("link") != LINK_VERSION:
            raise BridgeError(
                "VERSION_MISMATCH",
                f"This node speaks link {call.params.get('link')}, the running side-car speaks {LINK_VERSION}.",
                "Install the same PlateKey for both, then run 'platekey stop' and try again.",
            )
        return {"link": LINK_VERSION, "version": host_bridge.__version__}

    def _handle(self, call: Call) -> None:
        if call.method in self._long:
            self._jobs[call.id] = Cancellation()
            threading.Thread(target=self._work, args=(call,), name=f"{call.method}-{call.id}", daemon=True).start()
        else:
            self._answer(call, self._call)

    def _call(self, call: Call) -> object:
        if call.method not in self._methods:
            known = ", ".join([*self._long, *self._methods])
            raise BridgeError("UNSUPPORTED", f"The link has no method '{call.method}'.", f"It has {known}.")
        return self._methods[call.method](call.params)

    def _work(self, call: Call) -> None:
        try:
            self._answer(call, self._long[call.method])
        finally:
            self._jobs.pop(call.id, None)

    def _matte(self, call: Call) -> object:
        options = options_from_json(call.params)
        _require_absolute(options.frames, options.output)
        tell = partial(self._tell, call)
        job = MatteJob(options, connect, open_cache(), self._host.hasher, tell, self._jobs[call.id])
        return job.run().as_json()

    def _inspect(self, call: Call) -> object:
        """Whether the plate can work; options are those of a matte without an output, and the counts below."""
        counts = {"measured": MEASURED, "watched": WATCHED}
        values = {name: value for name, value in call.params.items() if name not in counts}
        for name in counts.keys() & call.params.keys():
            counts[name] = _count(name, call.params[name])
        options = options_from_json(values, needed=("frames", "clean_plate"))
        _require_absolute(options.frames)
        tell = partial(self._tell, call)
        return inspect_plate(
            options, **counts, picture="", hasher=self._host.hasher, emit=tell, cancellation=self._jobs[call.id]
        )

    def _adapt(self, call: Call) -> object:
        """A model for the shot; options are those of a matte whose output is the model's file, and `AdaptOptions`."""
        options, wish = adaptation_from_json(call.params)
        _require_absolute(options.frames, options.output)
        return adapt_shot(options, wish, self._host.hasher, partial(self._tell, call), self._jobs[call.id])

    def _tell(self, call: Call, event: Event) -> None:
        self._send({"id": call.id, "event": event.as_json()})

    def _describe(self, call: Call) -> object:
        """Who would compute; an engine is started for that, as for a job."""
        options = engine_from_json(call.params)
        cancellation = self._jobs[call.id]
        with connect(options, cancellation) as engine:
            return identity_as_json(engine.identify(options.device))

    def _cancel(self, params: dict) -> object:
        cancellation = self._jobs.get(params.get("job", 0))
        if cancellation:
            cancellation.cancel()
        return {"was_running": cancellation is not None}

    def _answer(self, call: Call, work: Callable[[Call], object]) -> bool:
        """Send what a call comes to; false where that is an error."""
        try:
            reply: dict[str, object] = {"id": call.id, "result": work(call)}
        except BridgeError as error:
            reply = {"id": call.id, "error": error.as_json()}
        except Exception as error:  # noqa: BLE001 - a client must not wait for ever on a fault of ours
            _log.error("link call %s", call.method, exc_info=error)
            fault = BridgeError("INTERNAL", f"The side-car failed: {error}.", "Look at what 'platekey link' prints.")
            reply = {"id": call.id, "error": fault.as_json()}
        self._send(reply)
        return "result" in reply

    def _send(self, message: dict[str, object]) -> None:
        """Send, or pass over it where the client has gone: reading from it ends the session."""
        with self._sending, suppress(OSError):
            self._connection.sendall(encode(message))


def _require_absolute(*paths: str) -> None:
    """The side-car's working folder is not the host's."""
    for path in paths:
        if not Path(path).is_absolute():
            raise BridgeError("BAD_REQUEST", f"'{path}' is no absolute path.", "Send the whole path.")


def _count(name: str, value: object) -> int:
    """A number of frames; at least one has to be measured."""
    if type(value) is not int or value < (name == "measured"):
        raise BridgeError("BAD_REQUEST", f"Field {name} cannot be {value!r}.", "It is a number of frames.")
    return value
