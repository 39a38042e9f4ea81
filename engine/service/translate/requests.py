"""Wire to values: what a client asks for, checked field by field."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import get_args

from engine.errors import EngineError
from engine.network.device import preferred_precision
from engine.network.table import card
from engine.service.library import FileRef
from engine.service.plates import PlateManifest
from engine.service.translate.knobs import knobs
from engine.settings import DEFAULT_LAYERS, FrameJob, LayerName, MatteJob, Neighbour, PlateUse, Source
from host_bridge.wire.v1 import engine_pb2, image_pb2, job_pb2, matte_pb2, plate_pb2

Load = Callable[[FileRef], Source]

_SHA256 = re.compile("[0-9a-f]{64}")
_USES: dict[int, PlateUse] = {plate_pb2.PlateManifest.BURST: "burst", plate_pb2.PlateManifest.MOVING: "moving"}
_SETUP_FIRST = "Send the setup once, first, and then frames."


@dataclass(frozen=True)
class MatteSetup:
    """A `Matte` call's first message."""

    job_id: str
    job: MatteJob
    plate: PlateManifest


def first_setup(requests: Iterator[matte_pb2.MatteRequest]) -> matte_pb2.MatteSetup:
    """Take the setup off a `Matte` stream.

    Raises:
        EngineError: BAD_REQUEST, the stream begins with something else.
    """
    request = next(requests, None)
    if request is None or request.WhichOneof("request") != "setup":
        raise EngineError("BAD_REQUEST", "The stream does not begin with a setup.", _SETUP_FIRST)
    return request.setup


def matte_setup(message: matte_pb2.MatteSetup, device: str, load: Load) -> MatteSetup:
    """Translate and check what all frames of a stream have in common.

    Args:
        message: the setup as sent.
        device: id of the one it asks for.
        load: reads an uploaded colour configuration.

    Raises:
        EngineError: BAD_REQUEST, MODEL_UNKNOWN, UNSUPPORTED, or what ``load`` raises.
    """
    values = knobs(message.knobs, preferred_precision(device))
    card(values.model)
    config, output_space = color_setup(message.color, load)
    job = MatteJob(
        knobs=values,
        layers=_layers(message.layers),
        config=config,
        output_space=output_space,
        device=device,
    )
    return MatteSetup(message.job_id, job, plate_manifest(message.plate))


def matte_frames(
    requests: Iterator[matte_pb2.MatteRequest], plate: PlateManifest, load: Load
) -> Iterator[tuple[int, FrameJob | EngineError]]:
    """Translate the frames of a stream as they come; a frame that is wrong in itself does not end the stream.

    Raises:
        EngineError: BAD_REQUEST, something else than a frame came.
    """
    for request in requests:
        if request.WhichOneof("request") != "frame":
            raise EngineError("BAD_REQUEST", "A message of the stream is no frame.", _SETUP_FIRST)
        yield request.frame.frame, _frame_or_error(request.frame, plate, load)


def plate_manifest(message: plate_pb2.PlateManifest) -> PlateManifest:
    """Translate a clean plate.

    Raises:
        EngineError: UNSUPPORTED for statistics; BAD_REQUEST.
    """
    if message.HasField("statistics"):
        raise EngineError("UNSUPPORTED", "This engine takes no plate statistics.", "Send the plate's images.")
    images = {entry.frame: image_ref(entry.image, f"plate {entry.frame}") for entry in message.entries}
    if len(images) < len(message.entries):
        raise EngineError("BAD_REQUEST", "A frame of the clean plate is listed twice.", "List each frame once.")
    mapping = message.mapping
    if mapping in _USES:
        if len(images) < 2:
            raise EngineError("BAD_REQUEST", "A set of plates has fewer than two images.", "List more, or set HOLD.")
        return PlateManifest(images, use=_USES[mapping])
    if mapping not in (message.HOLD, message.MATCH, message.OFFSET):
        raise EngineError("BAD_REQUEST", "plate.mapping is not set.", "Set HOLD, MATCH, OFFSET, BURST or MOVING.")
    hold = message.hold_frame if mapping == message.HOLD else None
    return PlateManifest(images, hold, message.offset if mapping == message.OFFSET else 0)


def upload_header(requests: Iterator[engine_pb2.UploadRequest]) -> engine_pb2.UploadRequest.Header:
    """Take the announcement off an upload.

    Raises:
        EngineError: BAD_REQUEST.
    """
    request = next(requests, None)
    if request is None or request.WhichOneof("part") != "header":
        raise EngineError("BAD_REQUEST", "The upload does not begin with its header.", "Send hash and size first.")
    _check_hash(request.header.sha256, "header")
    return request.header


def upload_data(requests: Iterator[engine_pb2.UploadRequest]) -> Iterator[bytes]:
    """Yield an upload's pieces.

    Raises:
        EngineError: BAD_REQUEST, a second header came.
    """
    for request in requests:
        if request.WhichOneof("part") != "data":
            raise EngineError("BAD_REQUEST", "A message of the upload holds no data.", "Send one header, then data.")
        yield request.data


def job_kind(message: job_pb2.JobRequest, known: Collection[str]) -> str:
    """Name the field that says what a job is to do.

    Raises:
        EngineError: BAD_REQUEST where it has no spec; UNSUPPORTED, naming the kind.
    """
    kind = message.WhichOneof("spec")
    if kind is None:
        raise EngineError("BAD_REQUEST", "The job has no spec.", "Set one of the kinds of JobRequest.spec.")
    if kind not in known:
        raise EngineError("UNSUPPORTED", f"This engine runs no {kind} jobs.", f"It runs {', '.join(known)}.", kind=kind)
    return str(kind)


def file_ref(message: image_pb2.ImageRef, where: str) -> FileRef:
    """Translate a reference to a file; ``where`` names it in errors.

    Raises:
        EngineError: BAD_REQUEST, it has no SHA-256.
    """
    _check_hash(message.sha256, where)
    return FileRef(message.sha256, message.name or where, message.path, message.part, message.color_space)


def image_ref(message: image_pb2.ImageRef, where: str) -> FileRef:
    """Translate a reference to an image with colours.

    Raises:
        EngineError: BAD_REQUEST, it has no SHA-256 or no colour space.
    """
    if not message.color_space:
        raise EngineError("BAD_REQUEST", f"The image of {where} has no colour space.", "Name its stored space.")
    return file_ref(message, where)


def color_setup(message: image_pb2.ColorSetup, load: Load) -> tuple[str | Source, str]:
    """Translate the colour of a job: its configuration, and the scene-linear space of its arithmetic.

    Raises:
        EngineError: BAD_REQUEST, or what ``load`` raises for an uploaded configuration.
    """
    if not message.output_space:
        raise EngineError("BAD_REQUEST", "color.output_space is empty.", "Name a scene-linear space of the config.")
    return _config(message.config, load), message.output_space


def _frame_or_error(message: matte_pb2.MatteFrame, plate: PlateManifest, load: Load) -> FrameJob | EngineError:
    try:
        return matte_frame(message, plate, load)
    except EngineError as error:
        return error


def matte_frame(message: matte_pb2.MatteFrame, plate: PlateManifest, load: Load) -> FrameJob:
    """Translate a frame and load all that it names.

    Raises:
        EngineError: BAD_REQUEST, or what ``load`` raises.
    """

    def matte(name: str) -> Source | None:
        where = f"frame {message.frame}, {name}"
        return load(file_ref(getattr(message, name), where)) if message.HasField(name) else None

    return FrameJob(
        number=message.frame,
        image=load(image_ref(message.image, f"frame {message.frame}")),
        plate=plate.load(message.frame, load),
        neighbours=tuple(
            Neighbour(
                neighbour.frame,
                load(image_ref(neighbour.image, f"frame {message.frame}, neighbour {neighbour.frame}")),
                plate.load(neighbour.frame, load),
            )
            for neighbour in message.neighbours
        ),
        garbage=matte("garbage"),
        core=matte("core"),
        hint=matte("hint"),
        key=message.key,
    )


def _check_hash(sha256: str, where: str) -> None:
    if not _SHA256.fullmatch(sha256):
        raise EngineError("BAD_REQUEST", f"The file of {where} has no SHA-256.", "Send 64 lower-case hex digits.")


def _config(message: image_pb2.ColorConfig, load: Load) -> str | Source:
    if message.WhichOneof("config") is None:
        raise EngineError("BAD_REQUEST", "color.config is not set.", "Name a built-in config or upload one.")
    if message.builtin:
        return message.builtin
    _check_hash(message.sha256, "color.config")
    return load(FileRef(message.sha256, message.name or "config.ocio"))


def _layers(numbers: Iterable[int]) -> tuple[LayerName, ...]:
    names = {matte_pb2.Layer.Value(name.upper()): name for name in get_args(LayerName)}
    unknown = sorted(set(numbers) - set(names))
    if unknown:
        raise EngineError("BAD_REQUEST", f"There are no layers {unknown}.", f"Choose from {', '.join(names.values())}.")
    return tuple(names[number] for number in dict.fromkeys(numbers)) or DEFAULT_LAYERS
