"""How a job shows on a terminal, in a log, and to a program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

import fileseq
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from host_bridge.cli.figures import frame_figures, worst_figures
from host_bridge.events import Event, FrameLost, FrameReady, JobStarted, Notice, StageBegan

if TYPE_CHECKING:
    from host_bridge.outcome import Outcome

_ORIGINS = {"made": "made", "cache": "from the cache", "fresh": "up to date"}


class Display(Protocol):
    """Shows a job's events, then what came of it."""

    def __enter__(self) -> Display: ...

    def __exit__(self, *exception: object) -> None: ...

    def show(self, event: Event) -> None:
        """Show an event."""

    def conclude(self, outcome: Outcome) -> None:
        """Show what came of the job."""


def display_for(as_json: bool) -> Display:
    """JSON lines where asked for, a progress bar on a terminal, else plain lines."""
    if as_json:
        return JsonDisplay()
    console = Console(stderr=True)
    return BarDisplay(console) if console.is_terminal else PlainDisplay()


class JsonDisplay:
    """One JSON line an event, on standard output."""

    def __enter__(self) -> JsonDisplay:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def show(self, event: Event) -> None:
        """Print the event."""
        typer.echo(json.dumps(event.as_json()))

    def conclude(self, outcome: Outcome) -> None:
        """Print the totals."""
        typer.echo(json.dumps({"event": "finished", **outcome.as_json()}))


class PlainDisplay:
    """A line a frame, on standard error: for logs and farms."""

    def __enter__(self) -> PlainDisplay:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def show(self, event: Event) -> None:
        """Print what is worth a line; stages are not."""
        for line in _lines(event):
            typer.echo(line, err=True)

    def conclude(self, outcome: Outcome) -> None:
        """Print the totals and every failure."""
        for line in _conclusion(outcome):
            typer.echo(line, err=True)


class BarDisplay:
    """A bar with frames, stage and time left, on a terminal.

    Args:
        console: the terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), "{task.fields[stage]}")
        texts = [TextColumn(column) if isinstance(column, str) else column for column in columns]
        self._progress = Progress(*texts, TimeElapsedColumn(), TimeRemainingColumn(), console=console)
        self._task = self._progress.add_task("Starting the engine", total=None, stage="")

    def __enter__(self) -> BarDisplay:
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def show(self, event: Event) -> None:
        """Move the bar; print above it what should stay."""
        match event:
            case JobStarted():
                self._progress.update(self._task, description="Matting", total=len(event.frames))
            case StageBegan():
                self._progress.update(self._task, stage=f"{event.frame} {event.stage}")
            case FrameReady() | FrameLost():
                self._progress.advance(self._task)
        if isinstance(event, FrameLost | Notice) or (isinstance(event, FrameReady) and event.report.get("warnings")):
            for line in _lines(event):
                self._progress.console.print(line, markup=False, highlight=False)

    def conclude(self, outcome: Outcome) -> None:
        """Print the totals and every failure under the bar."""
        self._progress.update(self._task, stage="")
        self._progress.stop()
        for line in _conclusion(outcome):
            self._console.print(line, markup=False, highlight=False)


def _lines(event: Event) -> list[str]:
    match event:
        case JobStarted():
            return [f"Frames to deliver: {len(event.frames)}, on {event.device}"]
        case FrameReady():
            warnings = event.report.get("warnings", ())
            figures = frame_figures(event.report)
            return [
                f"{event.frame}: {_ORIGINS[event.origin]}: {event.path}" + (f" ({figures})" if figures else ""),
                *(f"{event.frame}: warning: {text}" for text in warnings),  # type: ignore[attr-defined]
            ]
        case FrameLost():
            return [f"{event.frame}: failed: {event.error.message}"]
        case Notice():
            return [event.text]
    return []


def _conclusion(outcome: Outcome) -> list[str]:
    parts = [f"{outcome.delivered[origin]} {words}" for origin, words in _ORIGINS.items() if outcome.delivered[origin]]  # type: ignore[index]
    lines = [", ".join(parts) + "."] if parts else []
    lines += filter(None, [worst_figures(outcome.reports)])
    if outcome.failures:
        lines.append(f"Failed: {fileseq.framesToFrameRange(sorted(outcome.failures))}")
    for number, error in sorted(outcome.failures.items()):
        lines.append(f"  {number}: {error.message} {error.next_step}")
    return lines
