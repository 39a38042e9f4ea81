"""Whether a clean plate can work for a shot: which of its frames are looked at, and the job that looks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import fileseq

from host_bridge.connection.engines import connect
from host_bridge.engine_job import EngineJob, run_engine_job
from host_bridge.errors import BridgeError
from host_bridge.files.sequence import open_clip, parse_range, spread
from host_bridge.files.shot import open_shot
from host_bridge.request import MatteRequest
from host_bridge.wire.v1 import job_pb2
from host_bridge.wire.v1.plate_pb2 import PlateManifest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from host_bridge.cancellation import Cancellation
    from host_bridge.events import Advanced
    from host_bridge.files.content import Content, Hasher
    from host_bridge.files.sequence import Clip
    from host_bridge.options import MatteOptions

MEASURED = 5
"""Frames that are measured unless more are asked for: both ends, the middle, and one between each."""

WATCHED = 96
"""Frames that are looked through for cuts and repeats unless more are asked for: four seconds of film."""

_PICTURE = "inspection.png"


def inspect_plate(
    options: MatteOptions,
    measured: int,
    watched: int,
    picture: str,
    hasher: Hasher,
    emit: Callable[[Advanced], None],
    cancellation: Cancellation,
) -> dict:
    """Inspect.

    Args:
        options: the render that is meant; its output, mattes and layers do not matter.
        measured: frames to measure, spread over the range.
        watched: frames to look through; 0 for none.
        picture: PNG file to draw; empty for none.
        hasher: remembers hashes.
        emit: hears of progress.
        cancellation: ends it.

    Returns:
        What the engine says of it, by the keys that ``InspectSpec`` documents, and ``missing``: the frames of the range
        that are not on disk, as text.

    Raises:
        BridgeError: ``BAD_REQUEST`` or ``FILE_MISSING`` for the shot, or what ends the job.
    """
    job, missing = inspection_job(options, measured, watched, picture, hasher)
    job.check_outputs()
    with connect(options, cancellation) as engine:
        done = run_engine_job(job, engine, emit, cancellation)
    return {**json.loads(done.json), "missing": missing}


def inspection_job(
    options: MatteOptions, measured: int, watched: int, picture: str, hasher: Hasher
) -> tuple[EngineJob, str]:
    """The job, its frames found and hashed; and the frames of the range that are missing, as text.

    Raises:
        BridgeError: as `inspect_plate`.
    """
    clip = open_clip(options.frames)
    wanted = _wanted(options, clip)
    there = [number for number in wanted if number in clip.paths]
    if not there:
        clip.require(wanted, "frames")
    chosen = _text(_chosen(options, there, measured))
    few = replace(options, frame_range=chosen, clip_range="", garbage="", core="", hint="")
    shot = open_shot(few, 0)
    request = MatteRequest(few, shot, hasher)
    contents: dict[str, Content] = dict(request.contents)
    spec = job_pb2.InspectSpec(setup=request.setup, picture=bool(picture), shot_length=0 if clip.still else len(wanted))
    for number in shot.frames:
        frame = request.frame(number)
        contents |= frame.contents
        spec.frames.append(frame.message)
    for number in _consecutive(there, watched):
        frame = request.frame(number)
        contents |= frame.contents
        spec.watched.append(PlateManifest.Entry(frame=number, image=frame.message.image))
    outputs = {_PICTURE: _picture_path(picture)} if picture else {}
    missing = _text([number for number in wanted if number not in clip.paths])
    return EngineJob("inspect", spec, contents, spec.setup.color, outputs, options.overwrite), missing


def _wanted(options: MatteOptions, clip: Clip) -> list[int]:
    if clip.still:
        return [clip.first]
    numbers = parse_range(options.frame_range) if options.frame_range else clip.stated
    return sorted(set(numbers or range(clip.first, clip.last + 1)))


def _chosen(options: MatteOptions, numbers: Sequence[int], most: int) -> list[int]:
    """Frames to measure; the one that is the plate itself says nothing."""
    own = int(options.clean_plate) if options.clean_plate.lstrip("-").isdigit() else None
    others = [number for number in numbers if number != own]
    if not others:
        raise BridgeError(
            "BAD_REQUEST",
            f"Frame {own} is the clean plate, and no other is to be inspected.",
            "Widen the range to frames with the subject.",
        )
    return list(spread(others, most))


def _consecutive(numbers: Sequence[int], most: int) -> list[int]:
    """All frames, or of more than so many the ones in the middle, since only neighbours can be compared."""
    start = max((len(numbers) - most) // 2, 0)
    return list(numbers[start : start + most])


def _text(numbers: Sequence[int]) -> str:
    return fileseq.framesToFrameRange(list(numbers)) if numbers else ""


def _picture_path(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    if path.suffix.lower() != ".png":
        raise BridgeError("BAD_REQUEST", f"{path.name}: the picture is a PNG file.", "Name it like inspection.png.")
    return path
