"""Several images of an empty set as one clean plate: read, brought together, averaged."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from engine.pipeline import registration
from engine.pipeline.plates.build import BuiltPlate, Progress, build_plate
from engine.pipeline.plates.gather import Reading
from engine.pipeline.plates.moving import MOST_IMAGES
from engine.pipeline.plates.plate_file import marked
from engine.settings import PlateSet, Source
from engine.values import Array, Image


def one_image(plates: PlateSet, reading: Reading, most_bytes: int) -> Image:
    """The set as one image, on the first one's grid.

    A burst is built as `build_plate` does it, so that somebody who crossed it is no part of the mean. Of a moving set
    it is the median, which is what registration and exposure are measured on.

    Args:
        plates: the set.
        reading: how images are read.
        most_bytes: memory that a moving set's images may take.

    Raises:
        EngineError: as `build_plate`; SIZE_MISMATCH where a moving set's images have several formats.
    """
    if plates.use == "burst":
        return _burst(plates, reading)
    images = moving_images(plates, reading, most_bytes)
    placed = [registration.register(images[0], image, "off")[1].rgb for image in images]
    return replace(images[0], rgb=_median(placed))


def moving_images(plates: PlateSet, reading: Reading, most_bytes: int) -> tuple[Image, ...]:
    """At most `MOST_IMAGES` of a set's images, evenly spread, and no more than fit into the memory, but two."""
    first = reading.image(plates.images[0])
    most = max(2, min(MOST_IMAGES, most_bytes // max(first.rgb.nbytes, 1)))
    return first, *(reading.image(source) for source in _spread(plates.images, most)[1:])


def _spread(sources: tuple[Source, ...], most: int) -> list[Source]:
    if len(sources) <= most:
        return list(sources)
    return [sources[round(index * (len(sources) - 1) / (most - 1))] for index in range(most)]


def _burst(plates: PlateSet, reading: Reading) -> Image:
    frames = [(number, partial(_given, source)) for number, source in enumerate(plates.images)]
    kept: list[BuiltPlate] = []
    deque(_kept(build_plate(frames, 0, reading.config, reading.space, reading.mode), kept), maxlen=0)
    return marked(replace(kept[0].reference, rgb=kept[0].rgb), kept[0])


def _given(source: Source) -> Source:
    return source


def _kept(building: Progress, kept: list[BuiltPlate]) -> Iterator[tuple[float, str]]:
    kept.append((yield from building))


def _median(pictures: list[Array]) -> Array:
    """Row by row: numpy's median copies everything it sees."""
    rows = [np.median([picture[row] for picture in pictures], 0) for row in range(len(pictures[0]))]
    return np.asarray(rows, np.float32)
