"""The pipeline as the service sees it: two questions, and the sessions behind them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, TypeAlias

from engine.settings import FrameJob, FrameReport, MatteJob, Source

if TYPE_CHECKING:
    from engine.pipeline.decode import Header
    from engine.pipeline.session import Session

Progress: TypeAlias = Callable[[str], None]
Cancelled: TypeAlias = Callable[[], bool]


class Compute(Protocol):
    """What the service asks of the pipeline."""

    def matte(
        self, job: MatteJob, frame: FrameJob, progress: Progress, cancelled: Cancelled
    ) -> tuple[bytes, FrameReport]:
        """Matte one frame, on the calling thread; see `engine.pipeline.matte_frame`."""

    def probe(self, source: Source) -> Header:
        """Read an image's headers; see `engine.pipeline.decode`."""

    def session(self, device: str) -> Session:
        """What a device keeps between frames; to be used on its worker only."""


class Pipeline:
    """The real one. Its libraries and networks are loaded with the first work, so that an engine starts quickly."""

    def __init__(self, plate_cache_bytes: int, threads: int) -> None:
        """Load nothing yet.

        Args:
            plate_cache_bytes: memory for decoded plates, for each device.
            threads: arithmetic threads of OpenCV; torch's are set for the whole process.
        """
        self._plate_cache_bytes = plate_cache_bytes
        self._threads = threads
        self._sessions: dict[str, Session] = {}

    def matte(
        self, job: MatteJob, frame: FrameJob, progress: Progress, cancelled: Cancelled
    ) -> tuple[bytes, FrameReport]:
        """Matte one frame with its device's session; a device has one worker, so nobody else uses that session."""
        stages = import_module("engine.pipeline.matte_frame")
        made: tuple[bytes, FrameReport] = stages.matte_frame(job, frame, self.session(job.device), progress, cancelled)
        return made

    def probe(self, source: Source) -> Header:
        """Read an image's headers."""
        header: Header = import_module("engine.pipeline.decode").probe(source)
        return header

    def session(self, device: str) -> Session:
        """The device's session, made with its first work."""
        if device not in self._sessions:
            import_module("cv2").setNumThreads(self._threads)
            self._sessions[device] = import_module("engine.pipeline.session").Session(device, self._plate_cache_bytes)
        return self._sessions[device]
