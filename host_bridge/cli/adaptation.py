"""``platekey adapt``: a model that knows the shot."""

from __future__ import annotations

import json
from enum import Enum
from typing import Annotated

import typer

from host_bridge.adaptation import SECONDS, AdaptOptions, adapt_shot
from host_bridge.cancellation import Cancellation
from host_bridge.cli.door import cancelled_by_signals, shown_errors
from host_bridge.cli.matte import PlateUse
from host_bridge.cli.plate import Registration
from host_bridge.cli.progress import shown_progress
from host_bridge.files.content import Hasher
from host_bridge.options import DEFAULT_CONFIG, SCENE_LINEAR, MatteOptions


class Method(Enum):
    """How the model learns: from the clip's own subject over its own set, or against a discriminator."""

    EXACT = "exact"
    ADVERSARIAL = "adversarial"


def adapt(
    frames: Annotated[str, typer.Argument(help="Footage: a pattern like plate.####.exr, or a folder.")],
    clean_plate: Annotated[str, typer.Option(help="Frame number of the footage, a file, or a sequence.")],
    output: Annotated[str, typer.Option("--output", "-o", help="Where to write the model, like shot.safetensors.")],
    name: Annotated[str, typer.Option("--as", help="Model name for --model, on the engine that adapts.")] = "",
    frame_range: Annotated[str, typer.Option("--frames", help="Frames to learn from, like 1001-1100x10.")] = "",
    model: Annotated[str, typer.Option(help="Model to adapt.")] = "platenet",
    method: Annotated[Method, typer.Option(help="How it learns.")] = Method.EXACT,
    seconds: Annotated[float, typer.Option(min=10, help="Seconds of the device's time.")] = SECONDS,
    plate_offset: Annotated[int, typer.Option(help="Frame n uses image n + this of a plate sequence.")] = 0,
    plate_use: Annotated[PlateUse, typer.Option(help="What several plate images are.")] = PlateUse.SEQUENCE,
    registration: Annotated[
        Registration, typer.Option(help="Bring the plate onto each frame, as in 'platekey matte'.")
    ] = Registration.AUTO,
    colorspace: Annotated[str, typer.Option(help="Of the footage; an EXR is scene-linear unless stated.")] = "",
    plate_colorspace: Annotated[str, typer.Option(help="Of the plate; the footage's unless stated.")] = "",
    output_colorspace: Annotated[str, typer.Option(help="Scene-linear space to key in.")] = SCENE_LINEAR,
    ocio: Annotated[str, typer.Option(help="Colour configuration: a file, or a built-in's URI.")] = DEFAULT_CONFIG,
    garbage: Annotated[str, typer.Option(help="Garbage matte, file or sequence: 1 is never subject.")] = "",
    core: Annotated[str, typer.Option(help="Core matte, file or sequence: 1 is always subject.")] = "",
    part: Annotated[str, typer.Option(help="Part of multi-part EXR footage.")] = "",
    plate_part: Annotated[str, typer.Option(help="Of a multi-part plate; the footage's for a frame of it.")] = "",
    device: Annotated[str, typer.Option(help="cpu, cuda:0, mps; the engine's choice unless stated.")] = "",
    engine: Annotated[str, typer.Option(help="HOST:PORT of a running engine; else one is started here.")] = "",
    token_file: Annotated[str, typer.Option(help="File with that engine's token; or set PLATEKEY_TOKEN.")] = "",
    tls_ca: Annotated[str, typer.Option(help="Certificate that signs that engine's.")] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print events as JSON lines.")] = False,
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
