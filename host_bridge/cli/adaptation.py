"""``platekey adapt``: a model that knows the shot."""

from __future__ import annotations

import json
from enum import Enum
from typing import Annotated

import typer

from host_bridge.adaptation import SECONDS, AdaptOptions, adapt_shot
from host_bridge.cancellation import Cancellation
from host_bridge.cli import shot_options as shot
from host_bridge.cli.door import cancelled_by_signals, shown_errors
from host_bridge.cli.progress import shown_progress
from host_bridge.files.content import Hasher
from host_bridge.options import DEFAULT_CONFIG, SCENE_LINEAR, MatteOptions


class Method(Enum):
    """How the model learns: from the clip's own subject over its own set, or against a discriminator."""

    EXACT = "exact"
    ADVERSARIAL = "adversarial"


def adapt(
    frames: Annotated[str, typer.Argument(help="Footage: a pattern like plate.####.exr, or a folder.")],
    clean_plate: shot.CleanPlate,
    output: Annotated[str, typer.Option("--output", "-o", help="Where to write the model, like shot.safetensors.")],
    name: Annotated[str, typer.Option("--as", help="Model name for --model, where it helped.")] = "",
    frame_range: Annotated[str, typer.Option("--frames", help="Frames to learn from, like 1001-1100x10.")] = "",
    model: Annotated[str, typer.Option(help="Model to adapt.")] = "platenet",
    method: Annotated[Method, typer.Option(help="How it learns.")] = Method.EXACT,
    seconds: Annotated[float, typer.Option(min=10, help="Seconds of the device's time.")] = SECONDS,
    plate_offset: shot.PlateOffset = 0,
    plate_use: shot.PlateImages = shot.PlateUse.SEQUENCE,
    registration: shot.Aligned = shot.Registration.AUTO,
    colorspace: shot.Colorspace = "",
    plate_colorspace: shot.PlateColorspace = "",
    output_colorspace: Annotated[str, typer.Option(help="Scene-linear space to key in.")] = SCENE_LINEAR,
    ocio: shot.Ocio = DEFAULT_CONFIG,
    garbage: shot.Garbage = "",
    core: shot.Core = "",
    part: shot.Part = "",
    plate_part: shot.PlatePart = "",
    device: shot.Device = "",
    engine: shot.Engine = "",
    token_file: shot.TokenFile = "",
    tls_ca: shot.TlsCa = "",
    overwrite: shot.Overwrite = False,
    as_json: shot.AsJson = False,
) -> None:
    """Adapt a model to FRAMES; ended early, the same command goes on. The model itself is not changed."""
    options = MatteOptions(
        frames=frames,
        clean_plate=clean_plate,
        output=output,
        frame_range=frame_range,
        plate_offset=plate_offset,
        plate_use=plate_use.value,
        colorspace=colorspace,
        plate_colorspace=plate_colorspace,
        output_colorspace=output_colorspace,
        ocio=ocio,
        garbage=garbage,
        core=core,
        part=part,
        plate_part=plate_part,
        device=device,
        engine=engine,
        token_file=token_file,
        tls_ca=tls_ca,
        overwrite=overwrite,
        knobs={"model": model, "registration": registration.value},
    )
    cancellation = Cancellation()
    wish = AdaptOptions(name, method.value, seconds)
    with shown_errors(as_json), cancelled_by_signals(cancellation), shown_progress("Adapting", as_json) as emit:
        adapted = adapt_shot(options, wish, Hasher(), emit, cancellation)
    if as_json:
        typer.echo(json.dumps({"event": "finished", "path": output, **adapted}))
    else:
        typer.echo(f"{output}: {adapted['sentence']}", err=True)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(adapt)
