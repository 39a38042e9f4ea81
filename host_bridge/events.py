"""What a job tells while it runs; the command line draws it, the link sends it on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

    from host_bridge.errors import BridgeError

Origin = Literal["made", "cache", "fresh"]
"""Made by the engine now, copied from the frame cache, or already delivered and still true."""


@dataclass(frozen=True)
class JobStarted:
    """The files are there and an engine answers."""

    frames: tuple[int, ...]
    device: str

    def as_json(self) -> dict[str, object]:
        """Plain values with the event's name."""
        return {"event": "started", "frames": list(self.frames), "device": self.device}


@dataclass(frozen=True)
class StageBegan:
    """The engine begins a stage of a frame; ``done`` is the frame's share, 0..1."""

    frame: int
    stage: str
    done: float

    def as_json(self) -> dict[str, object]:
        """Plain values with the event's name."""
        return {"event": "stage", "frame": self.frame, "stage": self.stage, "done": round(self.done, 3)}


@dataclass(frozen=True)
class FrameReady:
    """A frame's file lies under its final name. ``report`` holds what the engine measured, where it made the frame."""

    frame: int
    path: Path
    origin: Origin
    report: dict[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Plain values with the event's name."""
        path = str(self.path)
        return {"event": "done", "frame": self.frame, "path": path, "origin": self.origin, "report": self.report}


@dataclass(frozen=True)
class FrameLost:
    """A frame could not be made."""

    frame: int
    error: BridgeError

    def as_json(self) -> dict[str, object]:
        """Plain values with the event's name."""
        return {"event": "failed", "frame": self.frame, "error": self.error.as_json()}


@dataclass(frozen=True)
class Notice:
    """A sentence for the artist."""

    text: str

    def as_json(self) -> dict[str, object]:
        """Plain values with the event's name."""
        return {"event": "notice", "text": self.text}


@dataclass(frozen=True)
class Advanced:
    """A job other than matting has come further: the share that is done, 0..1, and what is being done."""

    done: float
    message: str

    def as_json(self) -> dict[str, object]:
        """Plain values with the event's name."""
        return {"event": "progress", "done": round(self.done, 3), "message": self.message}


Event: TypeAlias = JobStarted | StageBegan | FrameReady | FrameLost | Notice | Advanced
