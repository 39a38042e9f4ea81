"""One page about a finished shot: its delivered files, the footage behind them, and the job that reads both."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from host_bridge.connection.engines import connect
from host_bridge.engine_job import EngineJob, run_engine_job
from host_bridge.errors import BridgeError
from host_bridge.files.content import Hasher
from host_bridge.files.sequence import open_clip, parse_range
from host_bridge.options import DEFAULT_CONFIG, SCENE_LINEAR
from host_bridge.request import color_config, color_space_of
from host_bridge.wire.v1 import image_pb2, job_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from host_bridge.cancellation import Cancellation
    from host_bridge.events import Advanced
    from host_bridge.files.content import Content
    from host_bridge.files.sequence import Clip


@dataclass(frozen=True)
class ReportOptions:
    """One page to make; paths and colour as in `MatteOptions`.

    Attributes:
        results: delivered files: a pattern, a folder or one file.
        output: HTML file.
        frames: the footage behind them, by the same numbers; empty for none.
        frame_range: ``1001-1100x2``; empty for every result on disk.
        title: of the page; empty for the results' name.
        colorspace: of the footage; empty means scene-linear for EXR.
        ocio: configuration file, or a built-in by its URI: that of the render.
        part: part of multi-part EXR footage.
        device: device whose engine does it.
        engine: HOST:PORT of a running engine.
        token_file: file with that engine's token.
        tls_ca: certificate that signs that engine's.
        overwrite: replace the file.
    """

    results: str
    output: str
    frames: str = ""
    frame_range: str = ""
    title: str = ""
    colorspace: str = ""
    ocio: str = DEFAULT_CONFIG
    part: str = ""
    device: str = ""
    engine: str = ""
    token_file: str = ""
    tls_ca: str = ""
    overwrite: bool = False


def make_report(options: ReportOptions, emit: Callable[[Advanced], None], cancellation: Cancellation) -> dict:
    """Make the page.

    Args:
        options: what about.
        emit: hears of progress.
        cancellation: ends it.

    Returns:
        What the engine says of it, by the keys that ``ReportSpec`` documents.

    Raises:
        BridgeError: ``BAD_REQUEST`` or ``FILE_MISSING`` for the files, or what ends the job.
    """
    job = report_job(options, Hasher())
    job.check_outputs()
    with connect(options, cancellation) as engine:
        done = run_engine_job(job, engine, emit, cancellation)
    return dict(json.loads(done.json))


def report_job(options: ReportOptions, hasher: Hasher) -> EngineJob:
    """The job, its files found and hashed.

    Raises:
        BridgeError: as `make_report`.
    """
    results = open_clip(options.results)
    numbers = sorted(set(parse_range(options.frame_range))) if options.frame_range else list(results.paths)
    results.require(numbers, "results")
    if results.ending != ".exr":
        raise BridgeError(
            "BAD_REQUEST",
            f"{results.name}: results are EXR files.",
            "Name what 'platekey matte' wrote, like k.####.exr.",
        )
    output = Path(options.output).expanduser().absolute()
    if output.suffix.lower() not in (".html", ".htm"):
        raise BridgeError("BAD_REQUEST", f"{output.name}: a report is an HTML file.", "Name it like report.html.")
    contents: dict[str, Content] = {}
    spec = job_pb2.ReportSpec(title=options.title or results.name)
    for number in numbers:
        spec.results.add(frame=number, image=_image(results, number, hasher, contents))
    if options.frames:
        footage = open_clip(options.frames)
        footage.require(numbers, "frames")
        space = color_space_of(footage, options.colorspace, "--colorspace")
        for number in numbers:
            image = _image(footage, number, hasher, contents)
            image.color_space, image.part = space, options.part
            spec.frames.add(frame=number, image=image)
    spec.color.config.CopyFrom(color_config(options.ocio, hasher, contents))
    spec.color.output_space = SCENE_LINEAR
    return EngineJob("report", spec, contents, spec.color, {"report.html": output}, options.overwrite)


def _image(clip: Clip, number: int, hasher: Hasher, contents: dict[str, Content]) -> image_pb2.ImageRef:
    content = hasher.content(clip.path(number))
    contents[content.sha256] = content
    return image_pb2.ImageRef(sha256=content.sha256, size=content.size, name=content.name)
