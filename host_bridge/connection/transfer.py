"""Files to the engine: by path where both see the same disk, else uploaded when it lacks them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from google.protobuf.message import Message

from host_bridge.wire.v1 import image_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from host_bridge.cancellation import Cancellation
    from host_bridge.connection.client import Engine
    from host_bridge.files.content import Content
    from host_bridge.wire.v1 import engine_pb2

Request = TypeVar("Request", bound=Message)


class Transfer:
    """Makes sure that an engine can read what a request names.

    Args:
        engine: who is to read.
        description: what it said of its limits and roots.
        cancellation: ends an upload half-way.
    """

    def __init__(self, engine: Engine, description: engine_pb2.DescribeResponse, cancellation: Cancellation) -> None:
        self._engine = engine
        self._cancellation = cancellation
        self._chunk = description.limits.chunk_bytes
        roots = description.roots if engine.address.shares_disk else ()
        self._roots = tuple(Path(root) for root in roots)

    def upload(self, contents: Mapping[str, Content]) -> None:
        """Hand over those files that the engine cannot read by path and does not hold.

        Raises:
            BridgeError: whatever the upload ends with.
        """
        unseen = [sha256 for sha256, content in contents.items() if not self._sees(content)]
        if not unseen:
            return
        for sha256 in sorted(self._engine.find_missing(unseen)):
            self._engine.upload(contents[sha256], self._chunk, self._cancellation)

    def upload_config(self, color: image_pb2.ColorSetup, contents: Mapping[str, Content]) -> None:
        """Hand over the colour configuration, which has no path on the wire."""
        sha256 = color.config.sha256
        if sha256 and self._engine.find_missing([sha256]):
            self._engine.upload(contents[sha256], self._chunk, self._cancellation)

    def addressed(self, message: Request, contents: Mapping[str, Content]) -> Request:
        """A copy of a message in which every image that the engine can read has its path."""
        copy = type(message)()
        copy.CopyFrom(message)
        for image in _images(copy):
            content = contents[image.sha256]
            if self._sees(content):
                image.path = content.wire_path
        return copy

    def unseen_bytes(self, contents: Mapping[str, Content]) -> int:
        """Size of those files that would have to be uploaded, bytes."""
        return sum(content.size for content in contents.values() if not self._sees(content))

    def _sees(self, content: Content) -> bool:
        return bool(content.wire_path) and any(content.path.is_relative_to(root) for root in self._roots)


def _images(message: Message) -> Iterator[image_pb2.ImageRef]:
    """Every image that a message names, however deep."""
    if isinstance(message, image_pb2.ImageRef):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type:
            for part in (value,) if isinstance(value, Message) else value:
                yield from _images(part)
