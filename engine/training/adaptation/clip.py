"""A clip as adaptation sees it: each frame keyed by the present model, as it would be delivered, and kept on disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from engine.errors import EngineError
from engine.evaluation.delivered import read_channels
from engine.network.platenet.platenet import cell_size
from engine.pipeline import colour, photometric
from engine.pipeline.decode import decode
from engine.pipeline.matte_frame import matte_frame
from engine.pipeline.scratch import scratch_folder
from engine.pipeline.session import Session
from engine.settings import FrameJob, LayerName, MatteJob
from engine.training.adaptation.cutout import KeyedFrame, backdrop, certain, cut_out
from engine.training.adversarial.shots import KEPT, PreparedShot
from engine.values import Array, Plate

ClipFrames: TypeAlias = Sequence[tuple[int, Callable[[], FrameJob]]]
"""Number and work of each frame, loaded when it is its turn."""

LEAST = 4
"""Frames that a clip must have: what is learned from some is measured on others."""

_HELD_OUT = 4
"""Every so many-th frame is held out."""

_LAYERS: tuple[LayerName, ...] = ("cleanplate", "shadow_ratio", "validity", "uncertainty")

_PIXEL_BYTES = 2 * (7 + 8 + 5)
"""Of a frame on disk, in halves: what is seen, the set, the subject."""


@dataclass(frozen=True)
class Clip:
    """A clip's keyed frames, in a folder.

    Attributes:
        folder: theirs.
        numbers: of the frames, in order.
    """

    folder: Path
    numbers: tuple[int, ...]

    @property
    def subjects(self) -> tuple[int, ...]:
        """Frames that a subject was cut out of."""
        return tuple(number for number in self.numbers if self.shows_subject(number))

    @property
    def held_out(self) -> tuple[int, ...]:
        """Frames that are only measured on: every fourth of those with a subject, at least one."""
        return self.subjects[1::_HELD_OUT]

    @property
    def learned(self) -> tuple[int, ...]:
        """The others."""
        return tuple(number for number in self.numbers if number not in self.held_out)

    @cached_property
    def size(self) -> tuple[int, int]:
        """``(height, width)``."""
        height, width = np.load(self._plate, mmap_mode="r").shape[:2]
        return height, width

    @property
    def cell(self) -> int:
        """Px along a cell of PlateNet's base for whole frames of this size."""
        return cell_size(*self.size)

    def has(self, number: int) -> bool:
        """Whether a frame is there already."""
        return self._path("set", number).exists()

    def shows_subject(self, number: int) -> bool:
        """Whether a subject was cut out of a frame."""
        return self._path("cut", number).exists()

    def seen(self, number: int) -> Array:
        """``(H, W, 7)`` half, on disk: frame, plate registered and fitted, validity."""
        return self._open("seen", number)

    def backdrop(self, number: int) -> Array:
        """``(H, W, 8)`` half, on disk: the set without its subject, shadow ratio, trust; where the frame is certain."""
        return self._open("set", number)

    def cutout(self, number: int) -> tuple[Array, npt.NDArray[np.int32]]:
        """``(H, W, 5)`` half, on disk: the subject, premultiplied, and its doubt; ``(N, 2)`` x and y at its outline."""
        return self._open("cut", number), np.load(self._path("outline", number))

    def noise(self, number: int) -> Array:
        """``(3, 2)``: the grain of frame minus plate, as `engine.network.platenet.light.significance` takes it."""
        return np.asarray(np.load(self._path("noise", number)))

    def as_shot(self) -> PreparedShot:
        """The frames that are learned from, as the adversarial stage takes a shot."""
        return PreparedShot("clip", tuple(self._path("seen", number) for number in self.learned), self._plate)

    def store(self, number: int, key: KeyedFrame, plate: Array) -> None:
        """Keep a frame, and the plate ``(H, W, 3)`` as it was shot; the last file says that the frame is whole."""
        _write(self._plate, np.clip(plate, *KEPT).astype(np.float16))
        seen = np.dstack((key.frame, key.plate, key.valid))
        _write(self._path("seen", number), np.clip(seen, *KEPT).astype(np.float16))
        measured = photometric.fit(key.frame, Plate(key.plate, key.valid > 0), "off").noise
        _write(self._path("noise", number), np.asarray(measured, np.float32))
        cutout = cut_out(key)
        if cutout is not None:
            _write(self._path("outline", number), cutout.outline)
            _write(self._path("cut", number), np.clip(np.dstack((cutout.rgba, cutout.doubt)), *KEPT).astype(np.float16))
        behind = backdrop(key, np.random.default_rng(abs(number)))
        planes = np.dstack((behind.live, behind.shadow, behind.trust, certain(key, cutout, behind)))
        _write(self._path("set", number), np.clip(planes, *KEPT).astype(np.float16))

    @property
    def _plate(self) -> Path:
        return self.folder / "plate.npy"

    def _path(self, what: str, number: int) -> Path:
        return self.folder / f"{what}.{number}.npy"

    def _open(self, what: str, number: int) -> Array:
        return np.asarray(np.load(self._path(what, number), mmap_mode="r"))


def key_frame(job: MatteJob, frame: FrameJob, session: Session, clip: Clip, cancelled: Callable[[], bool]) -> None:
    """Key one frame of a clip as it would be delivered, and keep it.

    Raises:
        EngineError: whatever the pipeline finds wrong with it; SIZE_MISMATCH where it is of another size than the
            clip's first; LIMIT_EXCEEDED where the disk is full.
    """
    neutral = replace(job.knobs, sensitivity=0, black_point=0, white_point=1, edge_shift=0, despill=0, mix=1)
    knobs = replace(neutral, depth="float", shadow_gain=1, shadow_color="rgb")
    data, measured = matte_frame(replace(job, knobs=knobs, layers=_LAYERS), frame, session, _unheard, cancelled)
    config = colour.load_config(job.config)
    image = decode(frame.image)
    straight = image.unpremultiplied() if job.knobs.input_alpha == "garbage" and image.alpha is not None else image
    plate, anchor = session.plate(frame.plate, job, config)
    light = np.float32(anchor / float(np.mean(measured.gain)))

    def anchored(rgb: Array, factor: np.float32 = light) -> Array:
        return colour.to_acescg(rgb, config, job.output_space) * factor

    layers = _read(data)
    key = KeyedFrame(
        frame=anchored(colour.to_space(straight, config, job.output_space).rgb),
        plate=anchored(_rgb(layers, "cleanplate.")),
        valid=layers["validity.Y"],
        alpha=layers["A"],
        premultiplied=anchored(_rgb(layers, "")),
        shadow=_rgb(layers, "shadow_ratio."),
        uncertainty=layers["uncertainty.Y"],
    )
    _check_room(clip, key)
    clip.store(frame.number, key, anchored(plate.rgb, np.float32(anchor)))


def _check_room(clip: Clip, key: KeyedFrame) -> None:
    height, width = key.alpha.shape
    done = [number for number in clip.numbers if clip.has(number)]
    if done and clip.size != (height, width):
        message = f"The clip's frames are of several sizes: {width} x {height} and {clip.size[1]} x {clip.size[0]}."
        raise EngineError("SIZE_MISMATCH", message, "Name frames of one size, with one data window.")
    need = height * width * _PIXEL_BYTES * (len(clip.numbers) - len(done))
    free = shutil.disk_usage(clip.folder).free
    if need > free:
        message = f"The clip needs {need / 2**30:.1f} GiB in {clip.folder}, which has {free / 2**30:.1f}."
        raise EngineError("LIMIT_EXCEEDED", message, "Make room there, or name fewer frames.")


def _read(data: bytes) -> dict[str, Array]:
    with scratch_folder() as folder:
        path = folder / "keyed.exr"
        path.write_bytes(data)
        return read_channels(path)[0]


def _rgb(layers: dict[str, Array], prefix: str) -> Array:
    return np.stack([layers[prefix + name] for name in "RGB"], axis=2)


def _write(path: Path, values: np.ndarray) -> None:
    """Write an array under another name and rename it, so that half of one is never found."""
    unfinished = path.with_suffix(".part")
    try:
        with unfinished.open("wb") as file:
            np.save(file, values)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _unheard(stage: str) -> None:
    del stage
