"""What one matting job asks for, as the command line and the link hand it over."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Protocol, get_type_hints

from host_bridge.errors import BridgeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class EngineChoice(Protocol):
    """The options that say who computes; meaning as in `MatteOptions`."""

    @property
    def device(self) -> str: ...  # noqa: D102

    @property
    def engine(self) -> str: ...  # noqa: D102

    @property
    def token_file(self) -> str: ...  # noqa: D102

    @property
    def tls_ca(self) -> str: ...  # noqa: D102


DEFAULT_CONFIG = "platekey://studio"
"""The colour configuration that PlateKey ships."""

SCENE_LINEAR = "scene_linear"
"""OCIO's role for a config's linear working space: what an EXR holds unless somebody says otherwise."""


@dataclass(frozen=True)
class MatteOptions:
    """One matting job. Paths may be relative to the working folder; `files.sequence` says how sequences are written.

    Attributes:
        frames: footage: a file, a pattern or a folder.
        clean_plate: a frame number of the footage, a file, or a sequence.
        output: EXR pattern.
        frame_range: ``1001-1100x2``; empty for every frame.
        clip_range: first and last frame of the clip, ``1001-1100``, where a temporal window is cut; empty where all of
            it is on disk.
        plate_offset: frame n uses plate image n + offset; only with a plate sequence.
        plate_use: of a plate sequence: empty or ``sequence`` for an image a frame; ``burst`` for the average of all
            behind every frame; ``moving`` for a background that moves, from whose images each pixel takes its own.
        colorspace: of the footage; empty means scene-linear for EXR.
        plate_colorspace: of the plate; empty means the footage's, where the formats are the same.
        output_colorspace: scene-linear space of the delivered layers.
        ocio: configuration file, or a built-in by its URI.
        garbage: file or sequence, as `core` and `hint`; empty for none.
        layers: layers beside the main one; empty for the usual ones.
        part: part of multi-part EXR footage.
        plate_part: part of a multi-part EXR plate; empty means `part` where the plate is a frame of the footage.
        matte_part: part of multi-part EXR mattes.
        device: device id, or empty for the engine's own choice.
        engine: HOST:PORT of a running engine; empty to start one here on demand.
        token_file: file with that engine's token.
        tls_ca: certificate that signs that engine's; empty for the system's list.
        overwrite: replace files that PlateKey did not write.
        knobs: value by knob name.
    """

    frames: str
    clean_plate: str
    output: str
    frame_range: str = ""
    clip_range: str = ""
    plate_offset: int = 0
    plate_use: str = ""
    colorspace: str = ""
    plate_colorspace: str = ""
    output_colorspace: str = SCENE_LINEAR
    ocio: str = DEFAULT_CONFIG
    garbage: str = ""
    core: str = ""
    hint: str = ""
    layers: tuple[str, ...] = ()
    part: str = ""
    plate_part: str = ""
    matte_part: str = ""
    device: str = ""
    engine: str = ""
    token_file: str = ""
    tls_ca: str = ""
    overwrite: bool = False
    knobs: dict[str, object] = field(default_factory=dict)


ENGINE_FIELDS = ("device", "engine", "token_file", "tls_ca")
"""The options that say who computes."""

_JSON_TYPES: dict[str, tuple[type, ...]] = {"tuple[str, ...]": (list, tuple), "dict[str, object]": (dict,)}


def options_from_json(
    values: Mapping[str, object], needed: Sequence[str] = ("frames", "clean_plate", "output")
) -> MatteOptions:
    """Options out of a message of the link.

    Args:
        values: by field name.
        needed: fields that must not be empty.

    Raises:
        BridgeError: ``BAD_REQUEST`` for an unknown, missing or mistyped field.
    """
    if missing := [name for name in needed if not values.get(name)]:
        raise BridgeError("BAD_REQUEST", f"Field {', '.join(missing)} is missing.", "Fill it in.")
    _check(values, [item.name for item in fields(MatteOptions)])
    prepared = {"output": "", **values, "layers": tuple(values.get("layers", ()))}  # type: ignore[arg-type]
    return MatteOptions(**prepared)  # type: ignore[arg-type]


def engine_from_json(values: Mapping[str, object]) -> MatteOptions:
    """Options that only say who computes, out of a message of the link.

    Raises:
        BridgeError: ``BAD_REQUEST`` for an unknown or mistyped field.
    """
    _check(values, ENGINE_FIELDS)
    return MatteOptions(frames="", clean_plate="", output="", **values)  # type: ignore[arg-type]


def _check(values: Mapping[str, object], known: Sequence[str]) -> None:
    if unknown := sorted(values.keys() - set(known)):
        raise BridgeError("BAD_REQUEST", f"Unknown field {', '.join(unknown)}.", f"Known: {', '.join(known)}.")
    declared = {item.name: str(item.type) for item in fields(MatteOptions)}
    hints = get_type_hints(MatteOptions)
    for name, value in values.items():
        if type(value) not in _JSON_TYPES.get(declared[name], (hints[name],)):
            raise BridgeError("BAD_REQUEST", f"Field {name} cannot be {value!r}.", f"It is a {declared[name]}.")
