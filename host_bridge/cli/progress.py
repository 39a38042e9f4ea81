"""How a job other than matting shows while it runs: a bar on a terminal, JSON lines where asked for, else nothing."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from host_bridge.events import Advanced


@contextmanager
def shown_progress(title: str, as_json: bool) -> Iterator[Callable[[Advanced], None]]:
    """Give a function that shows progress.

    Args:
        title: what the job does, one word.
        as_json: print each event as a JSON line on standard output.
    """
    if as_json:
        yield lambda event: typer.echo(json.dumps(event.as_json()))
        return
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[stage]}"), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=1.0, stage="")
        yield lambda event: progress.update(task, completed=event.done, stage=event.message)
