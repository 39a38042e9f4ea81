"""``platekey``, the command line. Its exit codes are `host_bridge.errors.ExitCode`."""

from __future__ import annotations

import traceback
from typing import Annotated

import typer

import host_bridge
from host_bridge.cli import adaptation, doctor, inspection, install, matte, plate, report, services
from host_bridge.errors import ExitCode

app = typer.Typer(
    help="Key a subject out of footage with a clean plate.",
    epilog="Exit codes: " + ", ".join(f"{code.value} {code.name.lower().replace('_', ' ')}" for code in ExitCode),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"PlateKey {host_bridge.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    pass


matte.register(app)
plate.register(app)
inspection.register(app)
report.register(app)
adaptation.register(app)
services.register(app)
doctor.register(app)
install.register(app)


def main() -> None:
    """Run the command line; the process's outermost door."""
    try:
        app()
    except Exception as error:
        typer.echo(traceback.format_exc(), err=True)
        typer.echo(f"PlateKey failed: {error}. Please report the lines above.", err=True)
        raise SystemExit(ExitCode.INTERNAL) from error
