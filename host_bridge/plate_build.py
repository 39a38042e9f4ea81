"""A clean plate out of a shot: which frames go in, and the job that makes it of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from host_bridge.connection.engines import connect
from host_bridge.engine_job import EngineJob, run_engine_job
from host_bridge.errors import BridgeError
from host_bridge.files.content import Hasher
from host_bridge.files.sequence import Clip, open_clip, parse_range, spread
from host_bridge.options import DEFAULT_CONFIG, SCENE_LINEAR
from host_bridge.request import color_config, color_space_of
from host_bridge.wire.v1 import image_pb2, job_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from host_bridge.cancellation import Cancellation
    from host_bridge.events import Advanced
    from host_bridge.files.content import Content

MOST_FRAMES = 64
"""Frames that go into a plate unless more are asked for: the mean of 64 has an eighth of one frame's grain; time and
the engine's disk (0.9 GiB at 1080p, 3.5 GiB at 4K) grow with every one."""


@dataclass(frozen=True)
class PlateOptions:
    """One plate to build; paths and colour as in `MatteOptions`.

    Attributes:
        frames: footage: a pattern or a folder.
        output: EXR file.
        frame_range: ``1001-1100x2``; empty for every frame.
        most: frames to use; of more, these many evenly spread.
        reference: frame whose view the plate has; None for the middle one.
        registration: ``auto``, ``locked`` or ``off``.
        colorspace: of the footage; empty means scene-linear for EXR.
        output_colorspace: scene-linear space of the plate.
        ocio: configuration file, or a built-in by its URI.
        part: part of multi-part EXR footage.
        device: device whose engine does it.
        engine: HOST:PORT of a running engine.
        token_file: file with that engine's token.
        tls_ca: certificate that signs that engine's.
        overwrite: replace the file.
    """

    frames: str
    output: str
    frame_range: str = ""
    most: int = MOST_FRAMES
    reference: int | None = None
    registration: str = "auto"
    colorspace: str = ""
    output_colorspace: str = SCENE_LINEAR
    ocio: str = DEFAULT_CONFIG
    part: str = ""
    device: str = ""
    engine: str = ""
    token_file: str = ""
    tls_ca: str = ""
    overwrite: bool = False


def build_plate(options: PlateOptions, emit: Callable[[Advanced], None], cancellation: Cancellation) -> dict:
    """Build the plate.

    Args:
        options: what of.
        emit: hears of progress.
        cancellation: ends it.

    Returns:
        What the engine says of it, by the keys that ``BuildPlateSpec`` documents.

    Raises:
        BridgeError: ``BAD_REQUEST`` or ``FILE_MISSING`` for the frames, or what ends the job.
    """
    job = plate_job(options, Hasher())
    job.check_outputs()
    with connect(options, cancellation) as engine:
        done = run_engine_job(job, engine, emit, cancellation)
    return dict(json.loads(done.json))


def plate_job(options: PlateOptions, hasher: Hasher) -> EngineJob:
    """The job of a plate, its frames found and hashed.

    Raises:
        BridgeError: as `build_plate`.
    """
    clip = open_clip(options.frames)
    numbers = chosen_frames(_numbers(options, clip), options.most, options.reference)
    clip.require(numbers, "frames")
    output = Path(options.output).expanduser().absolute()
    _check_output(output, clip)
    space = color_space_of(clip, options.colorspace, "--colorspace")
    mode = f"REGISTRATION_{options.registration.upper()}"
    spec = job_pb2.BuildPlateSpec(registration=mode, reference_frame=options.reference)
    contents: dict[str, Content] = {}
    for number in numbers:
        content = hasher.content(clip.path(number))
        contents[content.sha256] = content
        image = image_pb2.ImageRef(
            sha256=content.sha256, size=content.size, name=content.name, part=options.part, color_space=space
        )
        spec.frames.add(frame=number, image=image)
    spec.color.config.CopyFrom(color_config(options.ocio, hasher, contents))
    spec.color.output_space = options.output_colorspace
    return EngineJob("build_plate", spec, contents, spec.color, {"plate.exr": output}, options.overwrite)


def chosen_frames(numbers: Sequence[int], most: int, reference: int | None) -> list[int]:
    """At most so many of the frames, evenly spread, first and last among them, and the reference always."""
    return sorted({*spread(numbers, most), *(number for number in numbers if number == reference)})


def _numbers(options: PlateOptions, clip: Clip) -> list[int]:
    if clip.still:
        raise BridgeError(
            "BAD_REQUEST",
            f"{clip.name} is one file: nothing in it tells the subject from the set.",
            "Name a sequence in which the subject moves away, like shot.####.exr.",
        )
    numbers = parse_range(options.frame_range) if options.frame_range else clip.stated or tuple(clip.paths)
    return sorted(set(numbers))


def _check_output(output: Path, clip: Clip) -> None:
    if output.suffix.lower() != ".exr":
        raise BridgeError("BAD_REQUEST", f"{output.name}: a plate is an EXR file.", "Name it like plate.exr.")
    if output in clip.paths.values():
        raise BridgeError("BAD_REQUEST", f"{output} is a frame of the shot.", "Choose another output.")
