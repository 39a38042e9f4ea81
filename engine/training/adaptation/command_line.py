"""The options of `platekey-engine adapt`; nothing heavy is imported until it runs."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

_INTERRUPTED = 130


def adapt(
    shot: Annotated[str, typer.Argument(help="The clip: a pattern like frame.####.exr, or a folder of one sequence.")],
    clean_plate: Annotated[str, typer.Option(help="A file, a sequence that counts as the clip, or a frame of it.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write, like shot.safetensors.")],
    model: Annotated[str, typer.Option(help="Model to adapt.")] = "platenet",
    method: Annotated[str, typer.Option(help="exact, or adversarial as the 2020 system.")] = "exact",
    frames: Annotated[str, typer.Option(help="Frames to learn from, like 1001-1100x10; all where left out.")] = "",
    seconds: Annotated[float, typer.Option(help="Seconds to work, all in all.")] = 600.0,
    name: Annotated[str, typer.Option("--as", help="Make it a model of this name, too.")] = "",
    colorspace: Annotated[str, typer.Option(help="Of clip and plate; an EXR is scene-linear unless stated.")] = "",
    ocio: Annotated[str, typer.Option(help="Colour configuration: a file, or a built-in's URI.")] = "platekey://studio",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda:0 or mps.")] = "auto",
    threads: Annotated[int, typer.Option(min=0, help="Arithmetic threads on the CPU; 0: torch's choice.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
) -> None:
    """Adapt a model to one clip; may be interrupted and started again. The model itself is not changed."""
    commands = import_module("engine.training.adaptation.commands")
    job = commands.ClipJob(shot, clean_plate, frames, model, colorspace, ocio, device, threads)
    if not commands.run_adaptation(job, commands.checked_method(method), seconds, output, name, overwrite):
        raise typer.Exit(_INTERRUPTED)
