"""What can be measured: anything that makes a matte of a shot. Here the pipeline itself, with any of its networks."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from engine.errors import EngineError
from engine.evaluation.delivered import read_channels
from engine.evaluation.shot import Shot, as_source
from engine.network.device import preferred_precision
from engine.network.table import card
from engine.pipeline.colour import SHIPPED
from engine.pipeline.matte_frame import matte_frame
from engine.pipeline.scratch import scratch_folder
from engine.pipeline.session import Session
from engine.settings import FrameJob, Knobs, LayerName, MatteJob, Source
from engine.values import Array

log = logging.getLogger(__name__)

Registration = Literal["auto", "off"]

_LAYERS: tuple[LayerName, ...] = ("shadow_ratio", "uncertainty")
_PLATE_CACHE = 1 << 28

REFUSALS = ("REGISTRATION_FAILED", "VALUE_OUT_OF_RANGE")
"""Reasons for which the pipeline leaves a frame unkeyed although its files are sound."""


@dataclass(frozen=True)
class Keyed:
    """What a keyer says of a frame.

    Attributes:
        alpha: ``(H, W)`` 0..1.
        premultiplied: ``(H, W, 3)`` P, linear.
        shadow: ``(H, W, 3)`` ratio, or None where the keyer knows no shadows.
        uncertainty: ``(H, W)``, or None.
        refused: why the frame was not keyed; it then counts as an empty matte, since that is what an artist has.
    """

    alpha: Array
    premultiplied: Array
    shadow: Array | None = None
    uncertainty: Array | None = None
    refused: str = ""


class Keyer(Protocol):
    """Keys whole shots."""

    @property
    def name(self) -> str:
        """As reports call it."""

    def key(self, shot: Shot, mode: Registration) -> list[Keyed]:
        """Key every frame of a shot, with the plate brought to each frame or left where it lies."""


def refused(frame: Array, error: EngineError) -> Keyed:
    """An unkeyed frame.

    Raises:
        EngineError: the given one, unless its reason is one of `REFUSALS`.
    """
    if error.reason not in REFUSALS:
        raise error
    return Keyed(np.zeros(frame.shape[:2], np.float32), np.zeros_like(frame), refused=error.message)


class ModelKeyer:
    """The production pipeline as it stands, from file to file, with knobs as an artist finds them.

    Args:
        name: of the network.
        session: of the device.

    Raises:
        EngineError: MODEL_UNKNOWN.
    """

    def __init__(self, name: str, session: Session) -> None:
        self.name = card(name).name
        self._session = session

    def key(self, shot: Shot, mode: Registration) -> list[Keyed]:
        """Key every frame; a frame whose plate is refused comes back empty."""
        knobs = Knobs(model=self.name, registration=mode, precision=preferred_precision(self._session.device))
        job = MatteJob(knobs, _LAYERS, SHIPPED, shot.space, self._session.device)
        plate = as_source(shot.plate, f"{shot.name}/plate.exr", shot.space)
        return [self._key(job, shot, index, plate) for index in range(len(shot.frames))]

    def _key(self, job: MatteJob, shot: Shot, index: int, plate: Source) -> Keyed:
        frame, number = shot.frames[index], shot.numbers[index]
        image = as_source(frame, f"{shot.name}/frame.{number:04d}.exr", shot.space)
        try:
            data, _ = matte_frame(job, FrameJob(number, image, plate), self._session, _unheard, _never)
        except EngineError as error:
            return refused(frame, error)
        return _read(data)


def open_session(device: str) -> Session:
    """What a device keeps while shots are keyed."""
    return Session(device, _PLATE_CACHE)


def _read(data: bytes) -> Keyed:
    with scratch_folder() as folder:
        path = folder / "keyed.exr"
        path.write_bytes(data)
        channels, _ = read_channels(path)
    P, s = (np.stack([channels[prefix + name] for name in "RGB"], axis=2) for prefix in ("", "shadow_ratio."))
    return Keyed(channels["A"], P, s, channels["uncertainty.Y"])


def _unheard(stage: str) -> None:
    log.debug(stage)


def _never() -> bool:
    return False
