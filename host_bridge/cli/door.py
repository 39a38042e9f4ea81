"""From an error to what the shell sees of it, and from a signal to a wish to stop."""

from __future__ import annotations

import json
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from host_bridge.errors import BridgeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from host_bridge.cancellation import Cancellation

_STOP_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name))
"""Ctrl-C, a farm's polite kill, and Ctrl-Break on Windows."""


@contextmanager
def shown_errors(as_json: bool = False) -> Iterator[None]:
    """Print an error as two sentences, or as one JSON line, and leave with its exit code."""
    try:
        yield
    except BridgeError as error:
        if as_json:
            typer.echo(json.dumps({"event": "error", "error": error.as_json()}))
        else:
            typer.echo(f"Error: {error.message}\n{error.next_step}", err=True)
        raise typer.Exit(error.exit_code) from error


@contextmanager
def cancelled_by_signals(cancellation: Cancellation) -> Iterator[None]:
    """Cancel cleanly on the first signal; the second one acts as if nobody listened.

    The listeners run in a thread of their own: a handler interrupts code that may hold the very locks they need.
    """
    before = {number: signal.getsignal(number) for number in _STOP_SIGNALS}

    def cancel(_number: int, _frame: object) -> None:
        restore()
        threading.Thread(target=cancellation.cancel, name="cancel").start()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in _STOP_SIGNALS:
        signal.signal(number, cancel)
    try:
        yield
    finally:
        restore()
