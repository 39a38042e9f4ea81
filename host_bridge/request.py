"""From a shot's files to the messages of the wire, and to the key that says whether a result is still true."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf import json_format

from host_bridge.errors import BridgeError
from host_bridge.files.content import Content, Hasher
from host_bridge.knobs import build_knobs, build_layers
from host_bridge.wire.v1 import image_pb2, matte_pb2, plate_pb2

if TYPE_CHECKING:
    from host_bridge.connection.client import Identity
    from host_bridge.files.sequence import Clip
    from host_bridge.files.shot import Shot
    from host_bridge.options import MatteOptions

_LINEAR_ENDING = ".exr"
"""OpenEXR's specification makes its values scene-linear; of the other formats nothing is known."""


@dataclass(frozen=True)
class FrameRequest:
    """One frame, ready to be sent.

    Attributes:
        message: what the engine gets; without paths.
        contents: the files that it names, by hash.
    """

    message: matte_pb2.MatteFrame
    contents: dict[str, Content]


class MatteRequest:
    """A job's messages. Files are hashed when first needed.

    Args:
        options: the job.
        shot: its files.
        hasher: remembers hashes; may outlive the job.

    Attributes:
        setup: first message of the stream.
        contents: files that the setup names, by hash.
    """

    def __init__(self, options: MatteOptions, shot: Shot, hasher: Hasher) -> None:
        self._shot = shot
        self._hasher = hasher
        self._part, self._plate_part, self._matte_part = options.part, options.plate_part, options.matte_part
        self._footage = set(shot.clip.paths.values())
        self._space = color_space_of(shot.clip, options.colorspace, "--colorspace")
        same_format = shot.plate.clip.ending == shot.clip.ending
        plate_space = options.plate_colorspace or (self._space if same_format else "")
        self._plate_space = color_space_of(shot.plate.clip, plate_space, "--plate-colorspace")
        self.contents: dict[str, Content] = {}
        self.setup = matte_pb2.MatteSetup(
            job_id=uuid.uuid4().hex,
            plate=self._manifest(),
            knobs=build_knobs(options.knobs),
            layers=build_layers(options.layers),
            device=options.device,
        )
        self.setup.color.config.CopyFrom(color_config(options.ocio, hasher, self.contents))
        self.setup.color.output_space = options.output_colorspace
        self._plates = {entry.frame: entry.image for entry in self.setup.plate.entries}

    def frame(self, number: int) -> FrameRequest:
        """Hash a frame's files and put them into a message.

        Raises:
            BridgeError: ``FILE_MISSING`` where one cannot be read any more.
        """
        contents: dict[str, Content] = {}
        clip, mattes = self._shot.clip, self._shot.mattes
        message = matte_pb2.MatteFrame(frame=number)
        message.image.CopyFrom(self._ref(clip.path(number), contents, self._part, self._space))
        for other in self._shot.neighbours(number):
            image = self._ref(clip.path(other), contents, self._part, self._space)
            message.neighbours.add(frame=other, image=image)
        for name, matte in mattes.items():
            getattr(message, name).CopyFrom(self._ref(matte.path(number), contents, self._matte_part))
        for plate in self._plates_behind(message):
            contents[plate.sha256] = self.contents[plate.sha256]
        return FrameRequest(message, contents)

    def key(self, frame: matte_pb2.MatteFrame, engine: Identity) -> str:
        """Hash of every byte and value that a result depends on.

        Job id, paths and names stay out, but for a name's ending, which tells the format. Of the plate's images only
        those behind this frame and its neighbours count, so that a new plate image makes no other frame stale.

        Args:
            frame: as `frame` made it.
            engine: who would compute it.
        """
        setup = matte_pb2.MatteSetup()
        setup.CopyFrom(self.setup)
        for name in ("job_id", "device"):
            setup.ClearField(name)
        del setup.plate.entries[:]
        if not self._shot.plate.is_set:
            setup.plate.ClearField("mapping")
        setup.plate.ClearField("hold_frame")
        setup.plate.ClearField("offset")
        identity = {
            "setup": _plain(setup),
            "frame": {**_plain(frame), "key": ""},
            "plates": [_plain(plate) for plate in self._plates_behind(frame)],
            "engine": engine.as_json(setup.knobs),
        }
        text = json.dumps(_without_places(identity), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def _plates_behind(self, frame: matte_pb2.MatteFrame) -> list[image_pb2.ImageRef]:
        numbers = [frame.frame, *(neighbour.frame for neighbour in frame.neighbours)]
        return [self._plates[image] for number in numbers for image in self._shot.plate.images_of(number)]

    def _manifest(self) -> plate_pb2.PlateManifest:
        plate, shot = self._shot.plate, self._shot
        windowed = {other for frame in shot.frames for other in (frame, *shot.neighbours(frame))}
        manifest = plate_pb2.PlateManifest(mapping=plate.mapping, hold_frame=plate.hold_frame, offset=plate.offset)
        for number in sorted({image for frame in windowed for image in plate.images_of(frame)}):
            path = plate.clip.path(number)
            part = self._plate_part or (self._part if path in self._footage else "")
            image = self._ref(path, self.contents, part, self._plate_space)
            manifest.entries.add(frame=number, image=image)
        return manifest

    def _ref(self, path: Path, contents: dict[str, Content], part: str, space: str = "") -> image_pb2.ImageRef:
        content = self._hasher.content(path)
        contents[content.sha256] = content
        return image_pb2.ImageRef(
            sha256=content.sha256, size=content.size, name=content.name, part=part, color_space=space
        )


def color_config(config: str, hasher: Hasher, contents: dict[str, Content]) -> image_pb2.ColorConfig:
    """A configuration as the wire names it: a built-in's URI, or a file, which goes into ``contents``.

    Raises:
        BridgeError: ``FILE_MISSING``.
    """
    if "://" in config:
        return image_pb2.ColorConfig(builtin=config)
    content = hasher.content(Path(config).expanduser().absolute())
    contents[content.sha256] = content
    return image_pb2.ColorConfig(sha256=content.sha256, name=content.name, size=content.size)


def color_space_of(clip: Clip, stated: str, option: str) -> str:
    """The stated colour space; where none is stated, the linear role for EXR.

    Raises:
        BridgeError: ``BAD_REQUEST`` for another format: its values could mean anything.
    """
    if stated or clip.ending == _LINEAR_ENDING:
        return stated or "scene_linear"
    raise BridgeError(
        "BAD_REQUEST",
        f"{clip.name}: the colour space of a {clip.ending[1:].upper()} file has to be stated.",
        f"Add {option} with a name of the configuration, for example {option} 'sRGB - Texture'.",
    )


def _plain(message: object) -> dict:
    return json_format.MessageToDict(
        message,  # type: ignore[arg-type]
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )


def _without_places(value: object) -> object:
    """Drop paths, and of names all but the ending."""
    if isinstance(value, dict):
        kept = {name: _without_places(item) for name, item in value.items() if name != "path"}
        if "sha256" in kept and "name" in kept:
            kept["name"] = Path(str(kept["name"])).suffix.lower()
        return kept
    if isinstance(value, list):
        return [_without_places(item) for item in value]
    return value
