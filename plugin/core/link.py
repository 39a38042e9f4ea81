"""The way from a host node to PlateKey's side-car: one JSON line a message over a loopback socket.

Runs inside hosts, so: the standard library only, and Python 3.7's grammar. A node connects when it renders, and the
side-car is started where none runs. Pixels never come this way; they are EXR files, named by path.

    with LinkClient(["platekey", "link"]) as link:
        for event in link.matte(frames="/shot/plate.####.exr", clean_plate="1001", output="/shot/key.####.exr"):
            ...
"""

from __future__ import annotations

import json
import selectors
import socket
import threading
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

from .errors import LinkError
from .home import home as default_home
from .launch import start_side_car

LINK_VERSION = 1
"""Version of the messages; the side-car refuses another."""

_START_SECONDS = 30.0
"""How long a side-car may take to start; it loads no network."""

_HELLO_SECONDS = 10.0
"""How long it may take to greet; a stranger that got its port says nothing at all."""

_POLL_SECONDS = 0.05
_PIECE = 1 << 16


class LinkClient:
    """A connection to the side-car. One thread calls and reads; `cancel` may come from any other.

    Args:
        command: starts the side-car where none runs; empty to only look for one.
        home: PlateKey's folder; ``$PLATEKEY_HOME`` or ``~/.platekey`` where None.

    Attributes:
        side_car: what it said of itself: ``link`` and ``version``.

    Raises:
        LinkError: there is no side-car and none can be started, or it speaks another version.
    """

    def __init__(self, command: Optional[List[str]] = None, home: Optional[Path] = None) -> None:
        self._home = home or default_home()
        self._sending = threading.Lock()
        self._last_call = 0
        self._received = b""
        self._socket, token = self._connect(command or [])
        self._ready = selectors.DefaultSelector()
        self._ready.register(self._socket, selectors.EVENT_READ)
        try:
            self.side_car = self._greet(token)
        except LinkError:
            self.close()
            raise

    def __enter__(self) -> LinkClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; the side-car cancels what this client left running."""
        self._ready.close()
        self._socket.close()

    def call(self, method: str, **params: Any) -> Dict[str, Any]:  # noqa: ANN401 - JSON values
        """Call a method and wait for its result.

        Raises:
            LinkError: what the side-car answered, or that it is gone, or too old to know the method.
        """
        number = self.submit(method, **params)
        while True:
            message = self.receive() or {}
            if message.get("id") == number and "event" not in message:
                return self._result(method, message)

    def matte(self, **options: Any) -> Iterator[Dict[str, Any]]:  # noqa: ANN401 - JSON values
        """Key a shot; yields its events, the last one being ``finished`` with the totals.

        Args:
            **options: as the command line's, by their long names: frames, clean_plate, output, frame_range, knobs ...

        Raises:
            LinkError: the job as a whole failed or was cancelled. A failed frame is an event.
        """
        number = self.submit("matte", **options)
        while True:
            message = self.receive() or {}
            if message.get("id") != number:
                continue
            if "event" not in message:
                yield dict(self._result("matte", message), event="finished")
                return
            yield message["event"]

    def submit(self, method: str, **params: Any) -> int:  # noqa: ANN401 - JSON values
        """Send a call without waiting; the messages about it bear the number returned here."""
        with self._sending:
            self._last_call += 1
            self._send(self._last_call, method, params)
            return self._last_call

    def receive(self, patience: Optional[float] = None) -> Optional[Dict[str, Any]]:
        """The next message, about whichever call: ``{id, event}``, ``{id, result}`` or ``{id, error}``.

        Args:
            patience: seconds to wait for it; None for as long as it takes, 0 to only look.

        Returns:
            The message; None where none came in time.

        Raises:
            LinkError: the side-car is gone, or it ends the connection and says why.
        """
        while b"\n" not in self._received:
            if not self._ready.select(patience):
                return None
            try:
                piece = self._socket.recv(_PIECE)
            except OSError as error:
                raise _gone() from error
            if not piece:
                raise _gone()
            self._received += piece
        line, _, self._received = self._received.partition(b"\n")
        message = json.loads(line.decode("ascii"))
        if message.get("id") is None:
            raise error_of(message)
        return message

    def cancel(self, number: int = 0) -> None:
        """Cancel a call, the last one where none is named; its end is an error with reason CANCELLED."""
        with self._sending:
            self._send(0, "cancel", {"job": number or self._last_call})

    def _send(self, number: int, method: str, params: Dict[str, Any]) -> None:
        line = json.dumps({"id": number, "method": method, "params": params})
        try:
            self._socket.sendall(line.encode("ascii") + b"\n")
        except OSError as error:
            raise _gone() from error

    def _result(self, method: str, message: Dict[str, Any]) -> Dict[str, Any]:
        if "result" in message:
            return message["result"]
        error = error_of(message)
        if error.reason != "UNSUPPORTED":
            raise error
        raise LinkError(
            "VERSION_MISMATCH",
            "The running side-car, PlateKey {}, is older than this node and does not know '{}'.".format(
                self.side_car.get("version", "of no version"), method
            ),
            "Install the same PlateKey for both, then run 'platekey stop' and try again.",
        ) from error

    def _greet(self, token: str) -> Dict[str, Any]:
        self.submit("hello", token=token, link=LINK_VERSION)
        answer = self.receive(_HELLO_SECONDS)
        if answer is None:
            raise _absent(" (another program has its port)")
        if "result" not in answer:
            raise error_of(answer)
        return answer["result"]

    def _connect(self, command: List[str]) -> Tuple[socket.socket, str]:
        found = self._try_connect()
        if found is None and command:
            process = start_side_car(command, self._home)
            deadline = time.monotonic() + _START_SECONDS
            while found is None and time.monotonic() < deadline and process.poll() in (None, 0):
                time.sleep(_POLL_SECONDS)
                found = self._try_connect()
        if found is None:
            raise _absent(" and does not start" if command else "")
        return found

    def _try_connect(self) -> Optional[Tuple[socket.socket, str]]:
        try:
            state = json.loads((self._home / "run" / "link.json").read_text(encoding="utf-8"))
            return socket.create_connection(("127.0.0.1", state["port"])), state["token"]
        except (OSError, ValueError, LookupError, TypeError):
            return None


def error_of(message: Dict[str, Any]) -> LinkError:
    """The error in an answer of the side-car's."""
    told = message.get("error", {})
    return LinkError(told.get("reason", "INTERNAL"), told.get("message", str(message)), told.get("next_step", ""))


def _absent(why: str) -> LinkError:
    return LinkError(
        "ENGINE_UNAVAILABLE",
        "PlateKey's side-car is not running{}.".format(why),
        "Run 'platekey doctor' in a terminal.",
    )


def _gone() -> LinkError:
    return LinkError("ENGINE_LOST", "PlateKey's side-car has gone away.", "Render again; finished frames are kept.")
