"""One ``Matte`` call: frames go out as room appears, replies come back in order."""

from __future__ import annotations

from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING

from host_bridge.connection.client import Engine, translated_errors
from host_bridge.errors import BridgeError
from host_bridge.wire.v1 import matte_pb2

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from host_bridge.cancellation import Cancellation


@dataclass(frozen=True)
class Work:
    """A frame that the engine has to make: its message, with its key in it."""

    message: matte_pb2.MatteFrame

    @property
    def number(self) -> int:
        """Frame number."""
        return self.message.frame


class MatteStream:
    """Keeps a few frames in the engine: one at work, the next already there.

    Args:
        engine: who mattes.
        setup: first message.
        window: frames that may be in the engine at once.
        cancellation: ends the call.

    Attributes:
        in_flight: frames sent and not yet answered; what is lost when the engine dies.
    """

    def __init__(self, engine: Engine, setup: matte_pb2.MatteSetup, window: int, cancellation: Cancellation) -> None:
        self.in_flight: dict[int, Work] = {}
        self._engine = engine
        self._setup = setup
        self._window = window
        self._cancellation = cancellation
        self._outbox: SimpleQueue[matte_pb2.MatteRequest | None] = SimpleQueue()

    def run(self, works: Iterator[Work]) -> Generator[tuple[Work, matte_pb2.MatteReply]]:
        """Send the frames and yield each reply with its frame. No call is made where there is no frame.

        Raises:
            BridgeError: whatever ends the call; a frame's own failure is a reply.
        """
        self._outbox.put(matte_pb2.MatteRequest(setup=self._setup))
        self._send(works)
        if not self.in_flight:
            return
        call = self._engine.matte(iter(self._outbox.get, None))
        try:
            with self._cancellation.watch(call.cancel), translated_errors(self._engine.address):
                for reply in call:
                    yield self._answered(reply), reply
                    self._send(works)
        finally:
            self._outbox.put(None)
            call.cancel()
        if self.in_flight:
            raise BridgeError("ENGINE_LOST", "The engine ended the stream early.", self._engine.address.advice)

    def _send(self, works: Iterator[Work]) -> None:
        while len(self.in_flight) < self._window:
            work = next(works, None)
            if work is None:
                break
            self.in_flight[work.number] = work
            self._outbox.put(matte_pb2.MatteRequest(frame=work.message))
        if not self.in_flight:
            self._outbox.put(None)

    def _answered(self, reply: matte_pb2.MatteReply) -> Work:
        kind = reply.WhichOneof("reply")
        number = getattr(reply, kind).frame
        return self.in_flight.pop(number) if kind in {"done", "failed"} else self.in_flight[number]
