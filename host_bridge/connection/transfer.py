"""Files to the engine: by path where both see the same disk, else uploaded when it lacks them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from host_bridge.wire.v1 import image_pb2, matte_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from host_bridge.cancellation import Cancellation
    from host_bridge.connection.client import Engine
    from host_bridge.files.content import Content
    from host_bridge.wire.v1 import engine_pb2


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

    def upload_config(self, setup: matte_pb2.MatteSetup, contents: Mapping[str, Content]) -> None:
        """Hand over the colour configuration, which has no path on the wire."""
        sha256 = setup.color.config.sha256
        if sha256 and self._engine.find_missing([sha256]):
            self._engine.upload(contents[sha256], self._chunk, self._cancellation)

    def addressed_setup(self, setup: matte_pb2.MatteSetup, contents: Mapping[str, Content]) -> matte_pb2.MatteSetup:
        """A copy of the setup with the paths that the engine can read."""
        copy = matte_pb2.MatteSetup()
        copy.CopyFrom(setup)
        self._fill(contents, (entry.image for entry in copy.plate.entries))
        return copy

    def addressed_frame(self, frame: matte_pb2.MatteFrame, contents: Mapping[str, Content]) -> matte_pb2.MatteFrame:
        """A copy of a frame with the paths that the engine can read."""
        copy = matte_pb2.MatteFrame()
        copy.CopyFrom(frame)
        self._fill(contents, _images(copy))
        return copy

    def _fill(self, contents: Mapping[str, Content], images: Iterator[image_pb2.ImageRef]) -> None:
        for image in images:
            content = contents[image.sha256]
            if self._sees(content):
                image.path = content.wire_path

    def _sees(self, content: Content) -> bool:
        return bool(content.wire_path) and any(content.path.is_relative_to(root) for root in self._roots)


def _images(frame: matte_pb2.MatteFrame) -> Iterator[image_pb2.ImageRef]:
    yield frame.image
    yield from (neighbour.image for neighbour in frame.neighbours)
    yield from (getattr(frame, name) for name in ("garbage", "core", "hint") if frame.HasField(name))
