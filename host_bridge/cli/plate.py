"""``platekey plate``: clean plates out of a shot."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from host_bridge.cancellation import Cancellation
from host_bridge.cli import shot_options as shot
from host_bridge.cli.door import cancelled_by_signals, shown_errors
from host_bridge.cli.progress import shown_progress
from host_bridge.options import DEFAULT_CONFIG, SCENE_LINEAR
from host_bridge.plate_build import MOST_FRAMES, PlateOptions, build_plate

app = typer.Typer(help="Make clean plates.", no_args_is_help=True)


@app.callback()
def _plate() -> None:
    """Make clean plates."""


@app.command()
def build(
    frames: Annotated[str, typer.Argument(help="Footage in which the subject moves away: a pattern or a folder.")],
    output: Annotated[str, typer.Option("--output", "-o", help="Where to write, like plate.exr.")],
    frame_range: Annotated[str, typer.Option("--frames", help="Frames to use, like 1001-1100x2.")] = "",
    most: Annotated[int, typer.Option(min=2, help="Of more frames, use so many, evenly spread.")] = MOST_FRAMES,
    reference: Annotated[int | None, typer.Option(help="Frame whose view the plate has; else the middle one.")] = None,
    registration: Annotated[
        shot.Registration, typer.Option(help="Bring frames onto the reference; locked refuses a camera that moved.")
    ] = shot.Registration.AUTO,
    colorspace: shot.Colorspace = "",
    output_colorspace: Annotated[str, typer.Option(help="Scene-linear space of the plate.")] = SCENE_LINEAR,
    ocio: shot.Ocio = DEFAULT_CONFIG,
    part: shot.Part = "",
    device: shot.WhoseEngine = "",
    engine: shot.Engine = "",
    token_file: shot.TokenFile = "",
    tls_ca: shot.TlsCa = "",
    overwrite: shot.Overwrite = False,
    as_json: shot.AsJson = False,
) -> None:
    """Make a clean plate from FRAMES: what most of them agree on, with holes where none do."""
    options = PlateOptions(
        frames=frames,
        output=output,
        frame_range=frame_range,
        most=most,
        reference=reference,
        registration=registration.value,
        colorspace=colorspace,
        output_colorspace=output_colorspace,
        ocio=ocio,
        part=part,
        device=device,
        engine=engine,
        token_file=token_file,
        tls_ca=tls_ca,
        overwrite=overwrite,
    )
    cancellation = Cancellation()
    with shown_errors(as_json), cancelled_by_signals(cancellation), shown_progress("Building", as_json) as emit:
        built = build_plate(options, emit, cancellation)
    if as_json:
        typer.echo(json.dumps({"event": "finished", "path": options.output, **built}))
    else:
        for line in _lines(options.output, built):
            typer.echo(line, err=True)


def register(parent: typer.Typer) -> None:
    """Add the command."""
    parent.add_typer(app, name="plate")


def _lines(path: str, built: dict) -> list[str]:
    figures = f"{len(built['frames'])} frames, holes {built['holes']:.1%}, seen by few {built['seen_few']:.1%}"
    return [f"{path}: {figures}", *(f"warning: {text}" for text in built["warnings"])]
