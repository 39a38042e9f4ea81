"""What happens to the frames of a stream, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from engine.errors import EngineError
from engine.settings import FrameReport


@dataclass(frozen=True)
class StageBegan:
    """A stage of a frame begins."""

    frame: int
    stage: str


@dataclass(frozen=True)
class FrameMade:
    """A frame is complete: its EXR file and what the stages measured."""

    frame: int
    data: bytes
    report: FrameReport


@dataclass(frozen=True)
class FrameLost:
    """A frame could not be made."""

    frame: int
    error: EngineError


MatteEvent: TypeAlias = StageBegan | FrameMade | FrameLost
