"""``platekey report``: one page about a finished shot."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from host_bridge.cancellation import Cancellation
from host_bridge.cli import shot_options as shot
from host_bridge.cli.door import cancelled_by_signals, shown_errors
from host_bridge.cli.progress import shown_progress
from host_bridge.options import DEFAULT_CONFIG
from host_bridge.reporting import ReportOptions, make_report


def report(
    results: Annotated[str, typer.Argument(help="Layered EXR files as delivered: a pattern, a folder or one file.")],
    output: Annotated[str, typer.Option("--output", "-o", help="Where to write, like report.html.")] = "report.html",
    footage: Annotated[str, typer.Option(help="The footage behind them, to compare with; by the same numbers.")] = "",
    frame_range: Annotated[str, typer.Option("--frames", help="Results to report on, like 1001-1100.")] = "",
    title: Annotated[str, typer.Option(help="Of the page; the results' name unless stated.")] = "",
    colorspace: shot.Colorspace = "",
    ocio: Annotated[str, typer.Option(help="Colour configuration of the render: a file or a URI.")] = DEFAULT_CONFIG,
    part: shot.Part = "",
    device: shot.WhoseEngine = "",
    engine: shot.Engine = "",
    token_file: shot.TokenFile = "",
    tls_ca: shot.TlsCa = "",
    overwrite: shot.Overwrite = False,
    as_json: shot.AsJson = False,
) -> None:
    """Make one self-contained page about RESULTS: pictures, plots over time, frames to look at first."""
    options = ReportOptions(
        results=results,
        output=output,
        frames=footage,
        frame_range=frame_range,
        title=title,
        colorspace=colorspace,
        ocio=ocio,
        part=part,
        device=device,
        engine=engine,
        token_file=token_file,
        tls_ca=tls_ca,
        overwrite=overwrite,
    )
    wish = Cancellation()
    with shown_errors(as_json), cancelled_by_signals(wish), shown_progress("Reporting", as_json) as emit:
        made = make_report(options, emit, wish)
    if as_json:
        typer.echo(json.dumps({"event": "finished", "path": output, **made}))
        return
    first = f"look first at {', '.join(map(str, made['first']))}" if made["first"] else "no frame stands out"
    cuts = f"; cut before {', '.join(map(str, made['cuts']))}" if made["cuts"] else ""
    typer.echo(f"{output}: {made['frames']} frames, {first}{cuts}", err=True)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)
