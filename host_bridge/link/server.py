"""The link's server: one a user, elected by a lock, gone when nobody has called for a while."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time

import host_bridge
from host_bridge.cancellation import Cancellation
from host_bridge.files import home
from host_bridge.files.content import Hasher
from host_bridge.files.lock import FileLock
from host_bridge.link.protocol import LINK_VERSION
from host_bridge.link.session import Session

IDLE_SECONDS = 900.0
"""A quarter of an hour: an artist who looks at a result comes back to a running side-car."""

EXCHANGE_SECONDS = 86400.0
"""A day: no host takes that long over the frame for which it made a folder in ``exchange``."""

_POLL = 0.25


def serve_link(idle_seconds: float, cancellation: Cancellation) -> bool:
    """Serve until idle, asked to stop or cancelled; false at once where another process serves already.

    Args:
        idle_seconds: time without a client after which it stops.
        cancellation: ends it, and every job with it.

    Raises:
        BridgeError: PlateKey's folder cannot be written.
    """
    run = home.folder("run")
    with FileLock(run / "link.lock") as lock:
        if not lock.acquire():
            return False
        home.sweep("exchange", EXCHANGE_SECONDS)
        server = LinkServer(idle_seconds)
        state = run / "link.json"
        home.write_json(state, server.state(), home.PRIVATE)
        try:
            with cancellation.watch(server.stop):
                server.serve()
        finally:
            state.unlink(missing_ok=True)
    return True


class LinkServer:
    """Listens on loopback; a thread a client.

    Args:
        idle_seconds: time without a client after which `serve` returns.
    """

    def __init__(self, idle_seconds: float) -> None:
        self.token = secrets.token_urlsafe(32)
        self.hasher = Hasher()
        self._idle_seconds = idle_seconds
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._sessions: set[Session] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(_POLL)

    def state(self) -> dict[str, object]:
        """What a client needs to find it."""
        return {
            "port": self._listener.getsockname()[1],
            "token": self.token,
            "pid": os.getpid(),
            "link": LINK_VERSION,
            "version": host_bridge.__version__,
        }

    def serve(self) -> None:
        """Accept clients until asked to stop or idle; then cancel what still runs."""
        last_client = time.monotonic()
        with self._listener:
            while not self._stopping.is_set() and time.monotonic() - last_client < self._idle_seconds:
                self._accept()
                if self._sessions:
                    last_client = time.monotonic()
        for session in self._current():
            session.cancel_all()

    def stop(self) -> None:
        """Make `serve` return."""
        self._stopping.set()

    def stop_unless_busy(self, asking: Session) -> bool:
        """Stop serving, unless a client other than the one that asks is at work."""
        if any(session.busy for session in self._current() if session is not asking):
            return False
        self.stop()
        return True

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except TimeoutError:
            return
        connection.settimeout(None)
        session = Session(connection, self)
        with self._lock:
            self._sessions.add(session)
        threading.Thread(target=self._run, args=(session,), name="link", daemon=True).start()

    def _run(self, session: Session) -> None:
        try:
            session.run()
        finally:
            with self._lock:
                self._sessions.discard(session)

    def _current(self) -> tuple[Session, ...]:
        with self._lock:
            return tuple(self._sessions)
