"""The way from a host node to PlateKey's side-car: one JSON line a message over a loopback socket.

Runs inside hosts, so: the standard library only, and Python 3.7's grammar. A node connects when it renders, and the
side-car is started where none runs. Pixels never come this way; they are EXR files, named by path.

    with LinkClient(["platekey", "link"]) as link:
        for event in link.matte(frames="/shot/plate.####.exr", clean_plate="1001", output="/shot/key.####.exr"):
            ...
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

LINK_VERSION = 1
"""Version of the messages; the side-car refuses another."""

_START_SECONDS = 30.0
"""How long a side-car may take to start; it loads no network."""

_POLL_SECONDS = 0.05


class LinkError(Exception):
    """What the side-car, or the way to it, could not do.

    Attributes:
        reason: name of the kind of error, for programs.
        message: one sentence: what is wrong.
        next_step: one sentence: what to do about it.
    """

    def __init__(self, reason: str, message: str, next_step: str) -> None:
        super().__init__("{} {}".format(message, next_step))
        self.reason = reason
        self.message = message
        self.next_step = next_step


class LinkClient:
    """A connection to the side-car. One thread calls and reads; `cancel` may come from any other.

    Args:
        command: starts the side-car where none runs; empty to only look for one.
        home: PlateKey's folder; ``$PLATEKEY_HOME`` or ``~/.platekey`` where None.

    Raises:
        LinkError: there is no side-car and none can be started, or it speaks another version.
    """

    def __init__(self, command: Optional[List[str]] = None, home: Optional[Path] = None) -> None:
        self._state = (home or _default_home()) / "run" / "link.json"
        self._sending = threading.Lock()
        self._last_call = 0
        self._socket, token = self._connect(command)
        self._stream = self._socket.makefile("rb")
        try:
            self.side_car = self.call("hello", token=token, link=LINK_VERSION)
        except LinkError:
            self.close()
            raise

    def __enter__(self) -> LinkClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; the side-car cancels what this client left running."""
        self._stream.close()
        self._socket.close()

    def call(self, method: str, **params: Any) -> Dict[str, Any]:  # noqa: ANN401 - JSON values
        """Call a method and wait for its result.

        Raises:
            LinkError: what the side-car answered, or that it is gone.
        """
        number = self._send(method, params)
        for message in self._messages(number):
            if "result" in message:
                return message["result"]
        raise _gone()

    def matte(self, **options: Any) -> Iterator[Dict[str, Any]]:  # noqa: ANN401 - JSON values
        """Key a shot; yields its events, the last one being ``finished`` with the totals.

        Args:
            **options: as the command line's, by their long names: frames, clean_plate, output, frame_range, knobs ...

        Raises:
            LinkError: the job as a whole failed or was cancelled. A failed frame is an event.
        """
        number = self._send("matte", options)
        for message in self._messages(number):
            if "event" in message:
                yield message["event"]
            else:
                yield dict(message["result"], event="finished")
                return

    def cancel(self) -> None:
        """Cancel the last call; whoever reads its events gets a `LinkError` with reason CANCELLED."""
        self._send("cancel", {"job": self._last_call}, counted=False)

    def _send(self, method: str, params: Dict[str, Any], counted: bool = True) -> int:
        with self._sending:
            self._last_call += counted
            number = self._last_call if counted else 0
            line = json.dumps({"id": number, "method": method, "params": params})
            try:
                self._socket.sendall(line.encode("ascii") + b"\n")
            except OSError as error:
                raise _gone() from error
            return number

    def _messages(self, number: int) -> Iterator[Dict[str, Any]]:
        """What comes for a call; answers to others, such as `cancel`, are passed over."""
        while True:
            try:
                line = self._stream.readline()
            except OSError as error:
                raise _gone() from error
            if not line:
                raise _gone()
            message = json.loads(line.decode("ascii"))
            if message.get("id") not in (number, None):
                continue
            if "error" in message:
                told = message["error"]
                raise LinkError(told["reason"], told["message"], told["next_step"])
            yield message

    def _connect(self, command: Optional[List[str]]) -> Any:  # noqa: ANN401 - (socket, token)
        found = self._try_connect()
        if found is None and command:
            process = _spawn(command)
            deadline = time.monotonic() + _START_SECONDS
            while found is None and time.monotonic() < deadline and process.poll() in (None, 0):
                time.sleep(_POLL_SECONDS)
                found = self._try_connect()
        if found is None:
            raise LinkError(
                "ENGINE_UNAVAILABLE",
                "PlateKey's side-car is not running{}.".format(" and does not start" if command else ""),
                "Run 'platekey doctor' in a terminal.",
            )
        return found

    def _try_connect(self) -> Any:  # noqa: ANN401 - (socket, token), or None
        try:
            state = json.loads(self._state.read_text(encoding="utf-8"))
            return socket.create_connection(("127.0.0.1", state["port"])), state["token"]
        except (OSError, ValueError, KeyError):
            return None


def _default_home() -> Path:
    chosen = os.environ.get("PLATEKEY_HOME")
    return Path(chosen).expanduser() if chosen else Path.home() / ".platekey"


def _spawn(command: List[str]) -> subprocess.Popen:
    """Start the side-car so that it outlives the host; another one that runs already makes it end with 0."""
    options = {}  # type: Dict[str, Any]
    if sys.platform == "win32":
        options["creationflags"] = 0x08000000 | 0x00000200  # CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP
    else:
        options["start_new_session"] = True
    quiet = subprocess.DEVNULL
    try:
        return subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, **options)
    except OSError as error:
        raise LinkError(
            "ENGINE_UNAVAILABLE",
            "PlateKey's side-car cannot be started: {}: {}.".format(command[0], error.strerror),
            "Install PlateKey, or correct the path to 'platekey' in the node's settings.",
        ) from error


def _gone() -> LinkError:
    return LinkError("ENGINE_LOST", "PlateKey's side-car has gone away.", "Render again; finished frames are kept.")
