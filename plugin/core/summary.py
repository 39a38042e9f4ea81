"""What a run has come to so far: frames that are there, frames that failed, and what a progress bar shows."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, NamedTuple

from .errors import LinkError
from .frames import compact

_ORIGINS = (("made", "made"), ("cache", "from the cache"), ("fresh", "up to date"))


class Delivered(NamedTuple):
    """A frame whose file is there.

    Attributes:
        frame: its number.
        path: the result, an EXR under its final name.
        origin: ``made`` now, out of the ``cache``, or ``fresh``: there already and still true.
        report: what the engine measured; empty unless made now.
    """

    frame: int
    path: str
    origin: str
    report: Dict[str, Any]


class Progress(NamedTuple):
    """For a progress bar.

    Attributes:
        share: of the run that is done, 0..1, frames in work counted by their stages.
        done: frames that are there or have failed.
        total: frames of the run.
        text: what is going on, for the line above the bar.
    """

    share: float
    done: int
    total: int
    text: str


class Summary:
    """What a run has come to so far.

    Args:
        frames: numbers of its frames.

    Attributes:
        frames: the same, ascending.
        delivered: frames whose file is there, by number.
        failures: error of every frame that could not be made, by number.
        device: what computes, as an artist knows it; empty until an engine answered.
        notices: sentences for the artist.
    """

    def __init__(self, frames: Iterable[int]) -> None:
        self.frames = sorted(set(frames))
        self.delivered: Dict[int, Delivered] = {}
        self.failures: Dict[int, LinkError] = {}
        self.device = ""
        self.notices: List[str] = []
        self._shares: Dict[int, float] = {}
        self._text = "Waiting for the engine"

    @property
    def complete(self) -> bool:
        """Whether every frame of the run is there."""
        return len(self.delivered) == len(self.frames)

    def hear(self, event: Dict[str, Any]) -> None:
        """Take in an event of the side-car's; kinds that this node does not know are passed over."""
        kind = event["event"]
        if kind == "started":
            self.device = event["device"]
        elif kind == "stage":
            self._shares[event["frame"]] = event["done"]
            self._text = "Frame {}: {}".format(event["frame"], event["stage"])
        elif kind == "done":
            frame = event["frame"]
            self.delivered[frame] = Delivered(frame, event["path"], event["origin"], event.get("report", {}))
        elif kind == "failed":
            told = event["error"]
            self.failures[event["frame"]] = LinkError(told["reason"], told["message"], told["next_step"])
        elif kind == "notice":
            self.notices.append(event["text"])

    def progress(self, text: str = "") -> Progress:
        """How far the run is.

        Args:
            text: what the host itself is doing; empty for what the engine last told.
        """
        done = len(self.delivered) + len(self.failures)
        total = max(len(self.frames), 1)
        working = sum(share for frame, share in self._shares.items() if not self._concluded(frame))
        return Progress(min((done + working) / total, 1.0), done, len(self.frames), text or self._text)

    def sentence(self) -> str:
        """``24 frames: 20 made, 4 up to date.``, and what failed."""
        counts = [(sum(it.origin == origin for it in self.delivered.values()), words) for origin, words in _ORIGINS]
        parts = ["{} {}".format(count, words) for count, words in counts if count]
        if self.failures:
            parts.append("{} failed ({})".format(len(self.failures), compact(self.failures)))
        noun = "frame" if len(self.frames) == 1 else "frames"
        return "{} {}: {}.".format(len(self.frames), noun, ", ".join(parts) or "none made")

    def warnings(self) -> Dict[int, List[str]]:
        """The engine's warnings, by the number of the frame; frames without any are left out."""
        told = {frame: list(it.report.get("warnings", ())) for frame, it in sorted(self.delivered.items())}
        return {frame: texts for frame, texts in told.items() if texts}

    def require_complete(self) -> None:
        """Raise the first failure as the run's error.

        Raises:
            LinkError: a frame failed; its reason and next step are that frame's.
        """
        if self.failures:
            first = self.failures[min(self.failures)]
            frames = compact(self.failures)
            message = "{} of {} frames failed ({}). {}".format(
                len(self.failures), len(self.frames), frames, first.message
            )
            raise LinkError(first.reason, message, first.next_step)

    def _concluded(self, frame: int) -> bool:
        return frame in self.delivered or frame in self.failures
