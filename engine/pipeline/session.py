"""What a device keeps between frames."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Generic, TypeVar

import numpy as np

from engine.network.keyer import Keyer
from engine.network.table import card, load_keyer
from engine.pipeline import colour
from engine.pipeline.continuity import Glance
from engine.pipeline.decode import decode
from engine.pipeline.plates import Reading, moving_images, one_image
from engine.settings import MatteJob, PlateSet, Source
from engine.values import Image, Photometric

_REMEMBERED = 256
"""Exposure fits, and glances, that a session keeps: a temporal window asks for each of them several times."""

Value = TypeVar("Value")


def source_key(source: Source) -> tuple[str, ...]:
    """What makes two sources the same pixels."""
    return source.sha256, source.part, source.space


def colour_key(job: MatteJob) -> tuple[str, ...]:
    """What makes two jobs the same colour."""
    return job.config if isinstance(job.config, str) else job.config.sha256, job.output_space


class Remembered(Generic[Value]):
    """Values by their keys, of which each is a pure function; the last `_REMEMBERED` that were asked for."""

    def __init__(self) -> None:
        self._values: OrderedDict[tuple[str, ...], Value] = OrderedDict()

    def get(self, key: tuple[str, ...], compute: Callable[[], Value]) -> Value:
        """A value, computed where it is not remembered."""
        if key not in self._values:
            self._values[key] = compute()
        self._values.move_to_end(key)
        while len(self._values) > _REMEMBERED:
            self._values.popitem(last=False)
        return self._values[key]


class Session:
    """What a device keeps between frames: networks, decoded plates up to a number of bytes, fits and glances.

    Everything kept is a pure function of its key, so that no frame depends on what was rendered before it. Not
    thread-safe: one worker owns a device.
    """

    def __init__(self, device: str, plate_cache_bytes: int) -> None:
        self.device = device
        self._plate_cache_bytes = plate_cache_bytes
        self._networks: dict[tuple[str, str], Keyer] = {}
        self._plates: OrderedDict[tuple[str, ...], tuple[Image, float]] = OrderedDict()
        self._moving: tuple[tuple[str, ...], tuple[Image, ...]] | None = None
        self.fits: Remembered[Photometric] = Remembered()
        self.glances: Remembered[Glance] = Remembered()

    def network(self, name: str) -> Keyer:
        """A network on this device, loaded when first asked for, and again once its name means other weights."""
        key = name, card(name).sha256
        if key not in self._networks:
            self._networks[key] = load_keyer(name, self.device)
        return self._networks[key]

    def plate(self, source: Source, job: MatteJob, config: colour.ColourConfig) -> tuple[Image, float]:
        """A clean plate in the output space, and its exposure anchor."""
        key = (*source_key(source), *colour_key(job))
        if key not in self._plates:
            image = self._read(source, job, config)
            acescg = colour.to_acescg(image.rgb, config, job.output_space)
            self._plates[key] = image, colour.exposure_anchor(acescg, np.ones(image.rgb.shape[:2], bool))
        self._plates.move_to_end(key)
        while len(self._plates) > 1 and self._plate_bytes() > self._plate_cache_bytes:
            self._plates.popitem(last=False)
        image, anchor = self._plates[key]
        return replace(image, name=source.name), anchor

    def moving_set(self, source: Source, job: MatteJob, config: colour.ColourConfig) -> tuple[Image, ...]:
        """The images of a moving set of plates in the output space; none for any other plate."""
        if not isinstance(source, PlateSet) or source.use != "moving":
            return ()
        key = (*source_key(source), *colour_key(job))
        if self._moving is None or self._moving[0] != key:
            reading = Reading(config, job.output_space, "off")
            self._moving = key, moving_images(source, reading, self._plate_cache_bytes)
        return self._moving[1]

    def _read(self, source: Source, job: MatteJob, config: colour.ColourConfig) -> Image:
        if isinstance(source, PlateSet):
            return one_image(source, Reading(config, job.output_space, "auto"), self._plate_cache_bytes)
        return colour.to_space(decode(source), config, job.output_space)

    def _plate_bytes(self) -> int:
        return sum(kept.rgb.nbytes for kept, _ in self._plates.values())
