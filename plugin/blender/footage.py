"""Image sequences and stills that a node shows as they lie on disk: their files can go to the side-car directly."""

from __future__ import annotations

import os
import re
from typing import NamedTuple, Optional, Tuple, Union

import bpy

from ..core.frames import frame_file
from . import compositor

_LONGEST = 1048574
"""Blender's last frame number."""

_EARLIEST = -100000
"""Where the numbering of files that have every number begins: earlier than any scene."""

_DEPTHS_WITH_ALPHA = (32, 64, 128)
"""Bits of a pixel with four channels of 8, 16 and 32 bits."""

_NUMBER = re.compile(r"(\d+)(?=\D*(?:\.[^.]*)?$)")
"""The last digits of a name before its ending: Blender's rule for a sequence."""


class Numbering(NamedTuple):
    """Which file of a sequence belongs to a frame of the scene, as an Image node counts.

    Attributes:
        start: frame of the scene that shows the first file.
        length: number of files.
        offset: number of the first file, less one.
        cyclic: whether it begins anew after the last file.
    """

    start: int
    length: int
    offset: int
    cyclic: bool

    @property
    def end(self) -> int:
        """Frame of the scene that shows the last file."""
        return self.start + self.length - 1

    def file_number(self, frame: int) -> int:
        """Number of the file shown at a frame; before and after the sequence the nearest one is held."""
        place = frame - self.start + 1
        if self.cyclic:
            place = place % self.length or self.length
        return min(max(place, 0), self.length) + self.offset


class Still(NamedTuple):
    """One file that is shown at every frame.

    Attributes:
        path: absolute.
        space: colour space of the stored values, a name of Blender's configuration; empty where it does not matter.
    """

    path: str
    space: str

    def file(self, frame: int) -> str:
        """The file shown at a frame of the scene."""
        return self.path


class Sequence(NamedTuple):
    """Numbered files.

    Attributes:
        path: absolute, with ``####`` for the number.
        space: as of a `Still`.
        numbering: which file is shown when.
    """

    path: str
    space: str
    numbering: Numbering

    def file(self, frame: int) -> str:
        """The file shown at a frame of the scene."""
        return frame_file(self.path, self.numbering.file_number(frame))


Footage = Union[Still, Sequence]


def shifted(by: int) -> Numbering:
    """The numbering where every frame of the scene has a file, whose number is the frame's plus ``by``."""
    return Numbering(_EARLIEST, _LONGEST, _EARLIEST - 1 + by, False)


def footage_of(node: bpy.types.Node) -> Optional[Footage]:
    """What an Image or Movie Clip node shows; None where that is not plain files of one picture each."""
    if node.bl_idname == "CompositorNodeImage" and node.image:
        return _of_image(node)
    if node.bl_idname == "CompositorNodeMovieClip" and node.clip:
        return _of_clip(node.clip)
    return None


def read_by(node: bpy.types.Node) -> Optional[Footage]:
    """The files that a node reads, plain or not, for a look at whether they are there and unchanged."""
    data = getattr(node, "image", None) or getattr(node, "clip", None)
    if data is None or getattr(data, "packed_file", None) or not data.filepath or data.source == "VIEWER":
        return None
    return footage_of(node) or Still(_absolute(data), "")


def extent(node: bpy.types.Node) -> Optional[Tuple[int, int]]:
    """First and last frame of the scene in which a node shows moving footage of its own; None where it has no ends."""
    if node.bl_idname == "CompositorNodeImage" and node.image and node.image.source in ("SEQUENCE", "MOVIE"):
        return None if node.use_cyclic else (node.frame_start, node.frame_start + node.frame_duration - 1)
    if node.bl_idname == "CompositorNodeMovieClip" and node.clip:
        return node.clip.frame_start, node.clip.frame_start + node.clip.frame_duration - 1
    return None


def applied(numbering: Numbering, node: bpy.types.Node) -> None:
    """Make an Image node count like this."""
    node.frame_start, node.frame_duration = numbering.start, numbering.length
    node.frame_offset, node.use_cyclic = numbering.offset, numbering.cyclic


def _of_image(node: bpy.types.Node) -> Optional[Footage]:
    image = node.image
    altered = image.packed_file or image.use_deinterlace or _is_multiplied(image)
    if image.source not in ("FILE", "SEQUENCE") or image.type != "IMAGE" or altered:
        return None
    path, space = _absolute(image), _space(image)
    if image.source == "FILE":
        return Still(path, space)
    pattern = _pattern(path)
    if pattern is None:
        return None
    numbering = Numbering(node.frame_start, node.frame_duration, node.frame_offset, node.use_cyclic)
    return Sequence(pattern, space, numbering)


def _is_multiplied(image: bpy.types.Image) -> bool:
    """Whether Blender multiplies the stored colour by alpha, so that the file is not what the node shows."""
    return image.alpha_mode == "STRAIGHT" and image.depth in _DEPTHS_WITH_ALPHA


def _of_clip(clip: bpy.types.MovieClip) -> Optional[Footage]:
    """A clip counts from the number in its own file's name, and holds no frame at its ends."""
    pattern = _pattern(_absolute(clip))
    if clip.source != "SEQUENCE" or clip.use_proxy or pattern is None:
        return None
    found = _NUMBER.search(os.path.basename(clip.filepath))
    begin = int(found.group()) if found else 0
    by = begin - clip.frame_start + clip.frame_offset
    return Sequence(pattern, _space(clip), shifted(by))


def _pattern(path: str) -> Optional[str]:
    folder, name = os.path.split(path)
    found = _NUMBER.search(name)
    if found is None:
        return None
    return os.path.join(folder, name[: found.start()] + "#" * len(found.group()) + name[found.end() :])


def _absolute(data: bpy.types.ID) -> str:
    return os.path.normpath(bpy.path.abspath(data.filepath, library=data.library))


def _space(data: bpy.types.ID) -> str:
    """Values that Blender takes as they are lie in the working space."""
    return compositor.working_space() if data.colorspace_settings.is_data else data.colorspace_settings.name
