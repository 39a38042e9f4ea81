"""``platekey doctor``: is everything there, and what to do where it is not."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from host_bridge.checks import run_checks
from host_bridge.cli.door import shown_errors
from host_bridge.errors import ExitCode


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check the installation; exit code 1 where a check fails."""
    with shown_errors(as_json):
        checks = run_checks()
    if as_json:
        typer.echo(json.dumps([check.as_json() for check in checks]))
    else:
        for check in checks:
            typer.echo(f"{'ok  ' if check.passed else 'FAIL'}  {check.name:10} {check.found}")
            if not check.passed:
                typer.echo(f"{'':17}{check.next_step}")
    raise typer.Exit(ExitCode.OK if all(check.passed for check in checks) else ExitCode.FRAMES_FAILED)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)
