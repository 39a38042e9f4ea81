"""What a request asks of the pipeline, as plain values. ``engine.service.translate`` builds it from the wire."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

RegistrationMode = Literal["off", "auto", "locked"]

LayerName = Literal["shadow", "residual", "shadow_ratio", "uncertainty", "difference", "validity", "fg", "cleanplate"]

DEFAULT_LAYERS: tuple[LayerName, ...] = (
    "shadow",
    "residual",
    "shadow_ratio",
    "uncertainty",
    "difference",
    "validity",
)


@dataclass(frozen=True)
class Knobs:
    """The node's knobs, every one set. Meaning, unit and range: ``Knobs`` in ``host_bridge/wire/v1/matte.proto``."""

    model: str = "platenet"
    quality: Literal["draft", "full"] = "full"
    registration: RegistrationMode = "auto"
    photometric: Literal["off", "auto"] = "auto"
    sensitivity: float = 0.0
    black_point: float = 0.0
    white_point: float = 1.0
    edge_shift: float = 0.0
    shadow_gain: float = 1.0
    shadow_color: Literal["grey", "rgb"] = "grey"
    despill: float = 0.0
    temporal_window: int = 0
    hint_strength: float = 1.0
    input_alpha: Literal["ignore", "garbage"] = "ignore"
    mix: float = 1.0
    precision: Literal["float", "half"] = "float"
    depth: Literal["auto", "half", "float"] = "auto"


@dataclass(frozen=True)
class Source:
    """An image file as it came: bytes, and what the request says of them.

    Attributes:
        name: file name, for errors and for the format.
        sha256: hash of ``data``, hex.
        data: the whole file.
        space: OCIO name of the stored colour space; empty for mattes.
        part: name of the EXR part; empty for the only one.
    """

    name: str
    sha256: str
    data: bytes
    space: str = ""
    part: str = ""


PlateUse = Literal["burst", "moving"]


@dataclass(frozen=True)
class PlateSet(Source):
    """Several images of the empty set that stand behind a frame together. Its hash is that of theirs and of its use.

    Attributes:
        images: two or more.
        use: ``burst`` is averaged; of a ``moving`` set each pixel finds the image that shows it as the frame does.
    """

    images: tuple[Source, ...] = ()
    use: PlateUse = "burst"


def plate_set(use: PlateUse, images: tuple[Source, ...]) -> PlateSet:
    """A set of images, named as its first one."""
    digest = hashlib.sha256(" ".join([use, *(f"{each.sha256}/{each.part}/{each.space}" for each in images)]).encode())
    return PlateSet(images[0].name, digest.hexdigest(), b"", images[0].space, images[0].part, images, use)


@dataclass(frozen=True)
class Neighbour:
    """A frame of the temporal window with its plate."""

    number: int
    image: Source
    plate: Source


@dataclass(frozen=True)
class MatteJob:
    """What all frames of a request have in common.

    Attributes:
        config: colour configuration: a built-in URI, or the file.
        output_space: scene-linear space of all arithmetic and of the delivered layers.
        device: torch device, ``cpu``, ``cuda:0``, ``mps``.
    """

    knobs: Knobs
    layers: tuple[LayerName, ...]
    config: str | Source
    output_space: str
    device: str


@dataclass(frozen=True)
class FrameJob:
    """One frame to matte: its images, its mattes, and the client's key of the result."""

    number: int
    image: Source
    plate: Source
    neighbours: tuple[Neighbour, ...] = ()
    garbage: Source | None = None
    core: Source | None = None
    hint: Source | None = None
    key: str = ""


@dataclass(frozen=True)
class FrameReport:
    """What the stages measured. Fields and units: ``FrameReport`` in ``host_bridge/wire/v1/matte.proto``."""

    locked_off: bool
    residual_median_px: float
    residual_p95_px: float
    inliers: int
    gain: tuple[float, float, float]
    offset: tuple[float, float, float]
    photometric_confidence: float
    nonfinite_frame: int
    nonfinite_plate: int
    valid_share: float
    foreground_share: float
    residual_layer_median: float
    residual_layer_p999: float
    warnings: tuple[str, ...]
    seconds: dict[str, float]
    tiles: int
