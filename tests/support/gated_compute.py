"""A stand-in for the pipeline whose frames take as long as a test wants."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.errors import EngineError
from engine.settings import FrameJob, FrameReport, MatteJob, Source

if TYPE_CHECKING:
    from engine.pipeline.decode import Header

WAIT_SECONDS = 20.0

REPORT = FrameReport(
    locked_off=True,
    residual_median_px=0.25,
    residual_p95_px=0.5,
    inliers=123,
    gain=(1.0, 1.1, 0.9),
    offset=(0.0, 0.01, -0.01),
    photometric_confidence=0.75,
    nonfinite_frame=3,
    nonfinite_plate=0,
    valid_share=1.0,
    foreground_share=0.5,
    residual_layer_median=0.001,
    residual_layer_p999=0.01,
    warnings=("a sentence",),
    seconds={"decode": 0.5},
    tiles=1,
)


class GatedCompute:
    """Returns the frame's own bytes as its result, once the gate is open.

    Attributes:
        gate: frames wait here while it is closed.
        began: ``(plate name, frame)`` of every frame that began, in order.
        cancelled: frames that were told to stop.
        failures: exceptions to raise, by frame.
    """

    def __init__(self, *, is_open: bool = True) -> None:
        self.gate = threading.Event()
        self.began: list[tuple[str, int]] = []
        self.cancelled: list[int] = []
        self.jobs: list[MatteJob] = []
        self.frames: list[FrameJob] = []
        self.failures: dict[int, Exception] = {}
        if is_open:
            self.gate.set()

    def matte(
        self, job: MatteJob, frame: FrameJob, progress: Callable[[str], None], cancelled: Callable[[], bool]
    ) -> tuple[bytes, FrameReport]:
        self.began.append((frame.plate.name, frame.number))
        self.jobs.append(job)
        self.frames.append(frame)
        for stage in ("decode", "matte", "encode"):
            progress(stage)
        end = time.monotonic() + WAIT_SECONDS
        while not self.gate.wait(0.005):
            assert time.monotonic() < end, "the test left the gate closed"
            if cancelled():
                self.cancelled.append(frame.number)
                raise EngineError("CANCELLED", "Cancelled.", "")
        if frame.number in self.failures:
            raise self.failures[frame.number]
        return frame.image.data, REPORT

    def forget(self) -> list[weakref.ref[FrameJob]]:
        """Let go of the frames that came, but for weak references."""
        kept = [weakref.ref(frame) for frame in self.frames]
        self.frames.clear()
        return kept

    def probe(self, source: Source) -> Header:
        raise RuntimeError("unforeseen")
