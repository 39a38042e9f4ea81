"""``platekey inspect``: can this plate work?"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from host_bridge.cancellation import Cancellation
from host_bridge.cli import shot_options as shot
from host_bridge.cli.door import cancelled_by_signals, shown_errors
from host_bridge.cli.progress import shown_progress
from host_bridge.errors import ExitCode
from host_bridge.files.content import Hasher
from host_bridge.inspection import MEASURED, WATCHED, inspect_plate
from host_bridge.options import DEFAULT_CONFIG, SCENE_LINEAR, MatteOptions

_COLOURS = {"good": typer.colors.GREEN, "watch": typer.colors.YELLOW, "bad": typer.colors.RED}


def inspect(
    frames: shot.Footage,
    clean_plate: shot.CleanPlate,
    frame_range: Annotated[str, typer.Option("--frames", help="Frames meant, like 1001-1100.")] = "",
    measured: Annotated[int, typer.Option(min=1, help="Frames to measure, evenly spread.")] = MEASURED,
    watched: Annotated[
        int, typer.Option(min=0, help="Frames to look through for cuts and repeats; of more, those in the middle.")
    ] = WATCHED,
    picture: Annotated[str, typer.Option(help="Where to draw what was found, like inspection.png.")] = "",
    plate_offset: shot.PlateOffset = 0,
    plate_use: shot.PlateImages = shot.PlateUse.SEQUENCE,
    registration: shot.Aligned = shot.Registration.AUTO,
    colorspace: shot.Colorspace = "",
    plate_colorspace: shot.PlateColorspace = "",
    output_colorspace: Annotated[str, typer.Option(help="Scene-linear space to measure in.")] = SCENE_LINEAR,
    ocio: shot.Ocio = DEFAULT_CONFIG,
    part: shot.Part = "",
    plate_part: shot.PlatePart = "",
    device: shot.Device = "",
    engine: shot.Engine = "",
    token_file: shot.TokenFile = "",
    tls_ca: shot.TlsCa = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the picture.")] = False,
    as_json: shot.AsJson = False,
) -> None:
    """Say whether a clean plate can work for FRAMES, before a render; leaves with 1 where it cannot."""
    options = MatteOptions(
        frames=frames,
        clean_plate=clean_plate,
        output="",
        frame_range=frame_range,
        plate_offset=plate_offset,
        plate_use=plate_use.value,
        colorspace=colorspace,
        plate_colorspace=plate_colorspace,
        output_colorspace=output_colorspace,
        ocio=ocio,
        part=part,
        plate_part=plate_part,
        device=device,
        engine=engine,
        token_file=token_file,
        tls_ca=tls_ca,
        overwrite=overwrite,
        knobs={"registration": registration.value},
    )
    wish = Cancellation()
    with shown_errors(as_json), cancelled_by_signals(wish), shown_progress("Inspecting", as_json) as emit:
        found = inspect_plate(options, measured, watched, picture, Hasher(), emit, wish)
    if as_json:
        typer.echo(json.dumps({"event": "finished", **found}))
    else:
        _show(found)
    raise typer.Exit(ExitCode.FRAMES_FAILED if found["verdict"] == "bad" else ExitCode.OK)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(inspect)


def _show(found: dict) -> None:
    """A line a verdict, its tip under it; then the sentences, then the word on the whole."""
    if found["missing"]:
        typer.echo(f"{_word('watch')}  frames missing on disk: {found['missing']}")
    for line in found["lines"]:
        typer.echo(f"{_word(line['verdict'])}  {line['name'] + ':':19}{line['figure']}")
        _tip(line)
    for finding in found["findings"]:
        typer.echo(f"{_word(finding['verdict'])}  {finding['text']}")
        _tip(finding)
    typer.echo(f"{_word(found['verdict'])}  {_CONCLUSIONS[found['verdict']]}")


_CONCLUSIONS = {
    "good": "This plate works.",
    "watch": "This plate can work; look at what is said above.",
    "bad": "This plate will not give a clean matte as it is.",
}


def _word(verdict: str) -> str:
    return typer.style(f"{verdict:5}", fg=_COLOURS[verdict])


def _tip(told: dict) -> None:
    if told["tip"]:
        typer.echo(f"       {told['tip']}")
