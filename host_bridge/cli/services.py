"""``platekey status``, ``stop``, ``knobs`` and ``link``: what runs in the background, and what hosts need of it."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Annotated

import typer

import host_bridge
from host_bridge.cancellation import Cancellation
from host_bridge.cli.door import cancelled_by_signals, shown_errors
from host_bridge.connection.client import Engine
from host_bridge.connection.engines import RunningEngine, running_engines
from host_bridge.errors import BridgeError
from host_bridge.files.cache import open_cache
from host_bridge.knobs import KnobSpec, knob_specs, knobs_as_json
from host_bridge.link.control import stop_link
from host_bridge.link.server import IDLE_SECONDS, serve_link
from host_bridge.status import status_as_json

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def status(as_json: AsJson = False) -> None:
    """Show which engines run here, and how full the frame cache is."""
    with shown_errors(as_json):
        found = status_as_json(running_engines(), open_cache())
        typer.echo(json.dumps(found) if as_json else _as_text(found))


def stop() -> None:
    """Stop the side-car and the engines of this installation; one that others are using goes on."""
    with shown_errors():
        if (stopping := stop_link()) is not None:
            typer.echo(f"side-car: {'stopping' if stopping else 'in use, not stopped'}")
        ours = [engine for engine in running_engines() if engine.ours]
        for engine in ours:
            typer.echo(f"{engine.address.target}: {_stop(engine)}")
        if not ours:
            typer.echo("No engine of this installation is running.")


def knobs(as_json: AsJson = False) -> None:
    """List the knobs with range, default and help."""
    if as_json:
        typer.echo(json.dumps(knobs_as_json()))
        return
    for knob in knob_specs():
        typer.echo(_knob_as_text(knob))


def link(
    idle_stop: Annotated[float, typer.Option(min=1, help="Seconds without a client before it stops.")] = IDLE_SECONDS,
) -> None:
    """Serve the host nodes; started by them when they need it."""
    with shown_errors():
        cancellation = Cancellation()
        with cancelled_by_signals(cancellation):
            if not serve_link(idle_stop, cancellation):
                typer.echo("The link is already served by another process.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (status, stop, knobs, link):
        app.command()(command)


def _stop(engine: RunningEngine) -> str:
    try:
        with closing(Engine(engine.address)) as connection:
            return "stopping" if connection.stop() else "in use, not stopped"
    except BridgeError as error:
        return f"not stopped: {error.message}"


def _knob_as_text(knob: KnobSpec) -> str:
    choices = "|".join(choice.name for choice in knob.choices)
    values = f"{knob.low:g} to {knob.high:g} {knob.unit}".rstrip() if knob.low < knob.high else choices or knob.kind
    initial = knob.initial if isinstance(knob.initial, str) else f"{knob.initial:g}"
    where = " (in the host only)" if knob.merge_only else ""
    return f"{knob.name:16} {values:18} {initial:9} {knob.help}{where}"


def _as_text(found: dict) -> str:
    lines = [f"PlateKey {host_bridge.__version__}, {found['home']}"]
    for engine in found["engines"]:
        models = ", ".join(engine["models"])
        calls = "1 call" if engine["active_calls"] == 1 else f"{engine['active_calls']} calls"
        lines.append(f"engine {engine['address']} on {engine['device']} ({models}), {calls}")
    if not found["engines"]:
        lines.append("no engine is running; one starts when it is needed")
    cache = found["cache"]
    lines.append(f"frame cache {cache['size'] / 2**30:.2f} of {cache['limit'] / 2**30:.2f} GiB, {cache['files']} files")
    lines.append(f"engine logs {found['logs']}")
    return "\n".join(lines)
