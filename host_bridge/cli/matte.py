"""``platekey matte``: key a shot."""

from __future__ import annotations

import inspect
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from host_bridge.cancellation import Cancellation
from host_bridge.cli import shot_options as shot
from host_bridge.cli.display import display_for
from host_bridge.cli.door import cancelled_by_signals, shown_errors
from host_bridge.connection.engines import connect
from host_bridge.files.cache import open_cache
from host_bridge.files.content import Hasher
from host_bridge.job import MatteJob
from host_bridge.knobs import DEFAULT_LAYERS, KnobSpec, knob_specs
from host_bridge.options import DEFAULT_CONFIG, SCENE_LINEAR, MatteOptions

if TYPE_CHECKING:
    from collections.abc import Callable

_TYPES: dict[str, type] = {"number": float, "whole": int, "switch": bool, "text": str}


def _stated_range(text: str | None) -> str | None:
    """An empty range is a script's unset variable, not a wish for every frame."""
    if text is not None and not text.strip():
        raise typer.BadParameter("it is empty. Leave the option out to render every frame.")
    return text


def matte(
    frames: shot.Footage,
    clean_plate: shot.CleanPlate,
    output: Annotated[str, typer.Option("--output", "-o", help="Where to write, like out.####.exr.")],
    frame_range: Annotated[
        str | None,
        typer.Option("--frames", help="Frames to render, like 1001-1100x2.", callback=_stated_range),
    ] = None,
    clip_range: Annotated[str, typer.Option(help="First-last of the clip, for a temporal window; else by disk.")] = "",
    plate_offset: shot.PlateOffset = 0,
    plate_use: shot.PlateImages = shot.PlateUse.SEQUENCE,
    colorspace: shot.Colorspace = "",
    plate_colorspace: shot.PlateColorspace = "",
    output_colorspace: Annotated[str, typer.Option(help="Scene-linear space of the result.")] = SCENE_LINEAR,
    ocio: shot.Ocio = DEFAULT_CONFIG,
    garbage: shot.Garbage = "",
    core: shot.Core = "",
    hint: Annotated[str, typer.Option(help="Rough matte, file or sequence, for the network to weigh.")] = "",
    layers: Annotated[str, typer.Option(help="Layers beside RGBA, by commas.")] = ",".join(DEFAULT_LAYERS),
    part: shot.Part = "",
    plate_part: shot.PlatePart = "",
    matte_part: Annotated[str, typer.Option(help="Of multi-part mattes.")] = "",
    device: shot.Device = "",
    engine: shot.Engine = "",
    token_file: shot.TokenFile = "",
    tls_ca: shot.TlsCa = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files PlateKey did not write.")] = False,
    as_json: shot.AsJson = False,
    **knobs: Any,  # noqa: ANN401 - one option a knob, see `with_knobs`
) -> None:
    """Key a subject out of FRAMES; render only what is missing or stale."""
    options = MatteOptions(
        frames=frames,
        clean_plate=clean_plate,
        output=output,
        frame_range=frame_range or "",
        clip_range=clip_range,
        plate_offset=plate_offset,
        plate_use=plate_use.value,
        colorspace=colorspace,
        plate_colorspace=plate_colorspace,
        output_colorspace=output_colorspace,
        ocio=ocio,
        garbage=garbage,
        core=core,
        hint=hint,
        layers=tuple(filter(None, map(str.strip, layers.split(",")))),
        part=part,
        plate_part=plate_part,
        matte_part=matte_part,
        device=device,
        engine=engine,
        token_file=token_file,
        tls_ca=tls_ca,
        overwrite=overwrite,
        knobs={name: value.value if isinstance(value, Enum) else value for name, value in knobs.items()},
    )
    with shown_errors(as_json):
        raise typer.Exit(_run(options, as_json))


def with_knobs(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command one option a knob, in place of its ``**knobs``."""
    signature = inspect.signature(command, eval_str=True)
    stated = [item for item in signature.parameters.values() if item.kind is not inspect.Parameter.VAR_KEYWORD]
    knobs = [_parameter(spec) for spec in knob_specs() if not spec.merge_only]
    command.__signature__ = signature.replace(parameters=[*stated, *knobs])  # type: ignore[attr-defined]
    command.__annotations__.update({knob.name: knob.annotation for knob in knobs})
    return command


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_knobs(matte))


def _run(options: MatteOptions, as_json: bool) -> int:
    cancellation = Cancellation()
    with cancelled_by_signals(cancellation), display_for(as_json) as display:
        job = MatteJob(options, connect, open_cache(), Hasher(), display.show, cancellation)
        outcome = job.run()
        display.conclude(outcome)
    return outcome.exit_code


def _parameter(spec: KnobSpec) -> inspect.Parameter:
    kind = _choice_type(spec) if spec.choices else _TYPES[spec.kind]
    ranged = {"min": kind(spec.low), "max": kind(spec.high)} if spec.low < spec.high else {}
    unit = f" {spec.unit}" if spec.unit else ""
    option = typer.Option(
        f"--{spec.name.replace('_', '-')}",
        help=f"{spec.help} Default: {spec.initial:g}{unit}." if ranged else f"{spec.help} Default: {spec.initial}.",
        rich_help_panel="Knobs",
        **ranged,
    )
    return inspect.Parameter(
        spec.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option]
    )


def _choice_type(spec: KnobSpec) -> type:
    return Enum(spec.name, {choice.name: choice.name for choice in spec.choices})  # type: ignore[return-value]
