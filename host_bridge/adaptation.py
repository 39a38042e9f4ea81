"""A model adapted to one clip: which frames it learns from, and the job that does it."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import fileseq

from host_bridge.connection.engines import connect
from host_bridge.engine_job import EngineJob, run_engine_job
from host_bridge.errors import BridgeError
from host_bridge.files.sequence import open_clip, parse_range, spread
from host_bridge.files.shot import open_shot
from host_bridge.options import options_from_json
from host_bridge.request import MatteRequest
from host_bridge.wire.v1 import job_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from host_bridge.cancellation import Cancellation
    from host_bridge.events import Advanced
    from host_bridge.files.content import Content, Hasher
    from host_bridge.files.sequence import Clip
    from host_bridge.options import MatteOptions

MOST_FRAMES = 16
"""Frames that are sent; the engine looks at no more of them."""

SECONDS = 600.0
"""Seconds of the device's time unless another budget is asked for."""

_FILE = "adapted.safetensors"

_METHODS = {"exact": job_pb2.ADAPT_EXACT, "adversarial": job_pb2.ADAPT_ADVERSARIAL}


@dataclass(frozen=True)
class AdaptOptions:
    """How to adapt.

    Attributes:
        name: model name that the engine is to keep the result under; empty for the file alone.
        method: ``exact`` or ``adversarial``.
        seconds: of the device's time.
    """

    name: str = ""
    method: str = "exact"
    seconds: float = SECONDS


def adapt_shot(
    options: MatteOptions,
    wish: AdaptOptions,
    hasher: Hasher,
    emit: Callable[[Advanced], None],
    cancellation: Cancellation,
) -> dict:
    """Adapt the model of a render to its clip.

    Args:
        options: the render that is meant; its output is the model's file, its knob ``model`` the base.
        wish: how.
        hasher: remembers hashes.
        emit: hears of progress.
        cancellation: ends it; the same call goes on then, on the same engine's machine.

    Returns:
        What the engine says of it, by the keys that ``AdaptSpec`` documents.

    Raises:
        BridgeError: ``BAD_REQUEST`` or ``FILE_MISSING`` for the shot, or what ends the job.
    """
    job = adaptation_job(options, wish, hasher)
    job.check_outputs()
    with connect(options, cancellation) as engine:
        done = run_engine_job(job, engine, emit, cancellation)
    return dict(json.loads(done.json))


def adaptation_job(options: MatteOptions, wish: AdaptOptions, hasher: Hasher) -> EngineJob:
    """The job, its frames found and hashed.

    Raises:
        BridgeError: as `adapt_shot`.
    """
    if wish.method not in _METHODS:
        raise BridgeError("BAD_REQUEST", f"There is no method '{wish.method}'.", f"Choose {' or '.join(_METHODS)}.")
    output = Path(options.output).expanduser().absolute()
    if output.suffix != ".safetensors":
        step = "Name it like shot.safetensors."
        raise BridgeError("BAD_REQUEST", f"{output.name or 'The output'} is no name for a model's file.", step)
    numbers = _chosen(options, open_clip(options.frames))
    chosen = str(fileseq.framesToFrameRange(numbers))
    knobs = {**options.knobs, "temporal_window": 0}
    few = replace(options, frame_range=chosen, clip_range="", layers=(), knobs=knobs)
    shot = open_shot(few, 0)
    request = MatteRequest(few, shot, hasher)
    contents: dict[str, Content] = dict(request.contents)
    spec = job_pb2.AdaptSpec(
        setup=request.setup, seconds=wish.seconds, method=_METHODS[wish.method], name=wish.name.strip()
    )
    for number in shot.frames:
        frame = request.frame(number)
        contents |= frame.contents
        spec.frames.append(frame.message)
    return EngineJob("adapt", spec, contents, spec.setup.color, {_FILE: output}, options.overwrite)


def adaptation_from_json(values: Mapping[str, object]) -> tuple[MatteOptions, AdaptOptions]:
    """Options out of a message of the link: those of a render, and those of `AdaptOptions` among them.

    Raises:
        BridgeError: ``BAD_REQUEST`` for an unknown, missing or mistyped field.
    """
    kinds = {"name": str, "method": str, "seconds": (int, float)}
    own = {item.name: values[item.name] for item in fields(AdaptOptions) if item.name in values}
    for name, value in own.items():
        if not isinstance(value, kinds[name]) or isinstance(value, bool):  # type: ignore[arg-type]
            raise BridgeError("BAD_REQUEST", f"Field {name} cannot be {value!r}.", "Send text, or a number of seconds.")
    options = options_from_json({name: value for name, value in values.items() if name not in own})
    return options, AdaptOptions(**own)  # type: ignore[arg-type]


def _chosen(options: MatteOptions, clip: Clip) -> list[int]:
    """Frames to learn from; the one that is the plate itself shows no subject."""
    if clip.still:
        raise BridgeError(
            "BAD_REQUEST",
            f"{clip.name} is one file: what is learned from some frames must be measured on others.",
            "Name a sequence by its pattern, like shot.####.exr.",
        )
    numbers = sorted(set(parse_range(options.frame_range) if options.frame_range else clip.stated or tuple(clip.paths)))
    own = int(options.clean_plate) if options.clean_plate.lstrip("-").isdigit() else None
    return list(spread([number for number in numbers if number != own], MOST_FRAMES))
