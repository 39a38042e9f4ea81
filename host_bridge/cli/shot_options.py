"""Options that several commands take, declared once: of the shot, of its colour, and of the engine that is asked."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from typer import Argument, Option


class PlateUse(Enum):
    """What several plate images are: one a frame, a burst to average, or a background that moves."""

    SEQUENCE = "sequence"
    BURST = "burst"
    MOVING = "moving"


class Registration(Enum):
    """How frames are brought onto the reference."""

    AUTO = "auto"
    LOCKED = "locked"
    OFF = "off"


Footage = Annotated[str, Argument(help="Footage: a file, a pattern like plate.####.exr, or a folder.")]
CleanPlate = Annotated[str, Option(help="Frame number of the footage, a file, or a sequence.")]
PlateOffset = Annotated[int, Option(help="Frame n uses image n + this of a plate sequence.")]
PlateImages = Annotated[PlateUse, Option(help="What several plate images are.")]
Aligned = Annotated[Registration, Option(help="Bring the plate onto each frame, as in 'platekey matte'.")]
Garbage = Annotated[str, Option(help="Garbage matte, file or sequence: 1 is never subject.")]
Core = Annotated[str, Option(help="Core matte, file or sequence: 1 is always subject.")]
Part = Annotated[str, Option(help="Part of multi-part EXR footage.")]
PlatePart = Annotated[str, Option(help="Of a multi-part plate; the footage's for a frame of it.")]

Colorspace = Annotated[str, Option(help="Of the footage; an EXR is scene-linear unless stated.")]
PlateColorspace = Annotated[str, Option(help="Of the plate; the footage's unless stated.")]
Ocio = Annotated[str, Option(help="Colour configuration: a file, or a built-in's URI.")]

Device = Annotated[str, Option(help="cpu, cuda:0, mps; the engine's choice unless stated.")]
WhoseEngine = Annotated[str, Option(help="cpu, cuda:0, mps: whose engine does it.")]
Engine = Annotated[str, Option(help="HOST:PORT of a running engine; else one is started here.")]
TokenFile = Annotated[str, Option(help="File with that engine's token; or set PLATEKEY_TOKEN.")]
TlsCa = Annotated[str, Option(help="Certificate that signs that engine's.")]

Overwrite = Annotated[bool, Option("--overwrite", help="Replace the file.")]
AsJson = Annotated[bool, Option("--json", help="Print events as JSON lines.")]
