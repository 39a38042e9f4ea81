"""The files of one job, found and complete before any work begins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import fileseq

from host_bridge.errors import BridgeError
from host_bridge.files.sequence import Clip, open_clip, parse_range, spread
from host_bridge.wire.v1.plate_pb2 import PlateManifest

if TYPE_CHECKING:
    from pathlib import Path

    from host_bridge.options import MatteOptions


MOST_OF_A_SET = 24
"""Images of a burst or of a moving set that are used, evenly spread: as many as the engine compares."""

_SETS = {"burst": PlateManifest.BURST, "moving": PlateManifest.MOVING}


@dataclass(frozen=True)
class CleanPlate:
    """Which image stands behind which frame, as ``PlateManifest`` puts it.

    Attributes:
        clip: the plate's images.
        mapping: ``HOLD``, ``MATCH`` or ``OFFSET``.
        hold_frame: number of the image behind every frame, with ``HOLD``.
        offset: frame n uses image n + offset, with ``OFFSET``.
    """

    clip: Clip
    mapping: PlateManifest.Mapping
    hold_frame: int = 0
    offset: int = 0

    def images_of(self, frame: int) -> tuple[int, ...]:
        """Numbers of the plate images behind a frame."""
        if self.is_set:
            return spread(tuple(self.clip.paths), MOST_OF_A_SET)
        return (self.hold_frame if self.mapping == PlateManifest.HOLD else frame + self.offset,)

    @property
    def is_set(self) -> bool:
        """Whether all images together stand behind every frame."""
        return self.mapping in _SETS.values()


@dataclass(frozen=True)
class Shot:
    """Footage, clean plate and mattes of a job; every file that it needs exists.

    Attributes:
        clip: the footage, whole.
        frames: numbers to render.
        plate: the clean plate.
        mattes: ``garbage``, ``core`` and ``hint``, those that were given.
        window: neighbour frames on each side.
        ends: first and last frame of the clip.
    """

    clip: Clip
    frames: tuple[int, ...]
    plate: CleanPlate
    mattes: dict[str, Clip]
    window: int
    ends: tuple[int, int]

    def neighbours(self, frame: int) -> tuple[int, ...]:
        """The other frames of the temporal window: beyond the render range, cut only at the clip's ends."""
        return _neighbours(self.ends, frame, self.window)

    def inputs(self) -> set[Path]:
        """Every file that the job may read."""
        clips = (self.clip, self.plate.clip, *self.mattes.values())
        return {path for clip in clips for path in clip.paths.values()}


def open_shot(options: MatteOptions, window: int) -> Shot:
    """Find a job's files.

    Args:
        options: the job.
        window: neighbour frames on each side that its knobs ask for.

    Raises:
        BridgeError: ``FILE_MISSING`` naming the missing frames, or ``BAD_REQUEST``.
    """
    clip = open_clip(options.frames)
    frames = _range(clip, options.frame_range)
    ends = _ends(clip, options.clip_range)
    windowed = {other for frame in frames for other in (frame, *_neighbours(ends, frame, window))}
    clip.require(windowed if not clip.still else frames, "frames")
    plate = _clean_plate(options, clip)
    plate.clip.require({image for frame in windowed for image in plate.images_of(frame)}, "clean plate")
    mattes = {name: open_clip(getattr(options, name)) for name in ("garbage", "core", "hint") if getattr(options, name)}
    for name, matte in mattes.items():
        matte.require(frames, f"{name} matte")
    return Shot(clip, frames, plate, mattes, window, ends)


def _range(clip: Clip, text: str) -> tuple[int, ...]:
    if clip.still:
        _refuse_subframe(clip)
        frames = parse_range(text) if text else (clip.first,)
        if frames != (clip.first,):
            raise BridgeError(
                "BAD_REQUEST",
                f"{clip.name} is one file, and --frames {text} asks for others.",
                "Name the sequence by its pattern, like plate.####.exr.",
            )
        return frames
    return parse_range(text) if text else clip.stated or tuple(range(clip.first, clip.last + 1))


def _refuse_subframe(clip: Clip) -> None:
    """``f.1001.5.exr`` lies half a frame after 1001 and is not frame 5; ``f.2.1001.exr`` is frame 1001."""
    found = re.search(r"(?:^|\D)(\d{3,})\.(\d+)\.\w+$", clip.name)
    if found and len(found[1]) > len(found[2]):
        raise BridgeError(
            "BAD_REQUEST",
            f"{clip.name} is the subframe {found[1]}.{found[2]}; PlateKey renders whole frames only.",
            "Give the file a name with a whole frame number.",
        )


def _ends(clip: Clip, text: str) -> tuple[int, int]:
    if not text:
        return clip.first, clip.last
    numbers = parse_range(text)
    return min(numbers), max(numbers)


def _neighbours(ends: tuple[int, int], frame: int, window: int) -> tuple[int, ...]:
    around = range(max(frame - window, ends[0]), min(frame + window, ends[1]) + 1)
    return tuple(number for number in around if number != frame)


def _clean_plate(options: MatteOptions, clip: Clip) -> CleanPlate:
    if re.fullmatch(r"-?\d+", options.clean_plate):
        plate = CleanPlate(clip, PlateManifest.HOLD, hold_frame=int(options.clean_plate))
        whole = f"It holds {fileseq.framesToFrameRange(list(clip.paths))}: name one of these, or a file."
        clip.require([plate.hold_frame], "clean plate", whole)
        if clip.still and plate.hold_frame != clip.first:
            raise BridgeError(
                "BAD_REQUEST",
                f"{clip.name} is one file; it has no frame {plate.hold_frame} to use as clean plate.",
                "Name the sequence by its pattern, or the clean plate by its file.",
            )
    elif options.plate_use in _SETS:
        plate = CleanPlate(open_clip(options.clean_plate), _SETS[options.plate_use])
    else:
        images = open_clip(options.clean_plate)
        mapping = PlateManifest.OFFSET if options.plate_offset else PlateManifest.MATCH
        plate = (
            CleanPlate(images, PlateManifest.HOLD, hold_frame=images.first)
            if images.still
            else CleanPlate(images, mapping, offset=options.plate_offset)
        )
    if options.plate_offset and plate.mapping != PlateManifest.OFFSET:
        raise BridgeError("BAD_REQUEST", "--plate-offset needs a plate sequence.", "Leave it out for a single plate.")
    if options.plate_use not in ("", "sequence") and len(plate.images_of(clip.first)) < 2:
        raise BridgeError(
            "BAD_REQUEST",
            f"{plate.clip.name} is one image, and --plate-use {options.plate_use} needs several.",
            "Name a plate sequence by its pattern, like plate.####.exr.",
        )
    return plate
