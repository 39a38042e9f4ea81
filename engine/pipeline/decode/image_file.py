"""Image files as they lie on disk: parts, channels, windows and metadata, read from bytes with OpenImageIO.

The Python bindings of OpenImageIO 3 read from named files only (its memory readers exist in C++ alone), so the bytes
pass through a scratch folder that is gone when the file is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import numpy as np
from OpenImageIO import ImageInput, ImageSpec, TypeDesc, geterror, is_imageio_format_name

from engine.errors import EngineError
from engine.pipeline.scratch import scratch_folder
from engine.settings import Source
from engine.values import Array, Frame, Window

_ENDINGS = {
    b"\x76\x2f\x31\x01": ".exr",
    b"\x89PNG\r\n\x1a\n": ".png",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
    b"II+\0": ".tif",
    b"MM\0+": ".tif",
    b"SDPX": ".dpx",
    b"XPDS": ".dpx",
    b"\xff\xd8\xff": ".jpg",
}
"""First bytes of a file (each format's specification) -> the ending OpenImageIO knows it by. Names may lie."""

_MAX_PIXELS = 1 << 28
"""Of one part: 16384 x 16384. A header that asks for more is damaged or hostile."""

_STORAGE = frozenset(
    (
        *("compression", "CompressionLevel", "name", "Orientation", "PixelAspectRatio", "planarconfig", "preview"),
        *("textureformat", "tiles", "type", "version", "envmap", "fovcot", "wrapmodes", "multiView"),
        *("acesImageContainerFlag", "adoptedNeutral", "chromaticities", "CICP", "colorInteropID"),
        *("Exif:ColorSpace", "ICCProfile"),
    )
)
"""Attributes that say how or in which colours the input was stored, and would be false of the output."""

_UPRIGHT: dict[int, Callable[[Array], Array]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels.swapaxes(0, 1)[::-1, ::-1],
    8: np.rot90,
}
"""Stored rows to upright rows by orientation tag (TIFF 6.0, tag 274; Exif 2.3 the same)."""


@dataclass(frozen=True)
class Part:
    """One part of an image file.

    Attributes:
        index: its place in the file.
        name: its own name; its place as text where several parts have none; empty for the only one.
        spec: OpenImageIO's header.
    """

    index: int
    name: str
    spec: ImageSpec

    @property
    def channels(self) -> tuple[str, ...]:
        """Names, OpenImageIO's order (the main layer's R, G, B, A first); bytes that are no text show as ``?``."""
        return tuple(name.encode(errors="replace").decode() for name in self.spec.channelnames)

    @property
    def orientation(self) -> int:
        """1..8, the still photographer's tag; 1 is upright."""
        return int(self.spec.get_int_attribute("Orientation", 1))


class ImageFile:
    """An open image file. Make one with `open_image`."""

    def __init__(self, source: Source, file: ImageInput) -> None:
        self._source = source
        self._file = file
        self.format: str = file.format_name()
        self.parts = tuple(self._read_headers())

    def _read_headers(self) -> Iterator[Part]:
        specs: list[ImageSpec] = []
        while self._file.seek_subimage(len(specs), 0):
            specs.append(self._file.spec())
        self._file.geterror()  # Some readers call the end of the list an error; it must not stay for the pixels'.
        for index, spec in enumerate(specs):
            fallback = str(index) if len(specs) > 1 else ""
            yield Part(index, spec.get_string_attribute("oiio:subimagename") or fallback, spec)

    def choose_part(self) -> Part:
        """Return the part that the source names, or the only one.

        Raises:
            EngineError: ``PART_UNSUPPORTED`` where that is undecided, absent or deep; ``LIMIT_EXCEEDED``.
        """
        name, wanted = self._source.name, self._source.part
        matching = [part for part in self.parts if not wanted or part.name == wanted]
        if len(matching) != 1:
            listed = ", ".join(f"'{part.name}'" for part in self.parts)
            problem = f"has no part '{wanted}'" if wanted else f"has {len(self.parts)} parts and none was named"
            raise EngineError(
                "PART_UNSUPPORTED", f"'{name}' {problem}.", f"Name one of its parts: {listed}.", parts=listed
            )
        part = matching[0]
        if part.spec.deep:
            raise EngineError("PART_UNSUPPORTED", f"'{name}' holds deep data.", "Flatten it to an image and send that.")
        if part.spec.width * part.spec.height > _MAX_PIXELS:
            size = f"{part.spec.width} x {part.spec.height}"
            raise EngineError(
                "LIMIT_EXCEEDED", f"'{name}' says it has {size} pixels.", "Check the file; 16384 x 16384 is the most."
            )
        return part

    def read(self, part: Part, channels: Sequence[int]) -> Array:
        """Return channels as ``(H, W, len(channels))`` float32, upright.

        Half and float keep their values, 8- and 16-bit integers become 0..1, and an EXR's unsigned integers become
        their numeric value, as OpenEXR itself converts them.

        Raises:
            EngineError: ``IMAGE_UNREADABLE`` where a single row or tile is missing or damaged.
        """
        first, last = min(channels), max(channels)
        pixels = np.empty((part.spec.height, part.spec.width, len(channels)), np.float32)
        types = [self._read_type(part, channel) for channel in channels]
        for stored in dict.fromkeys(types):
            block = self._file.read_image(part.index, 0, first, last + 1, stored)
            problem = self._file.geterror()
            if block is None or problem:
                raise unreadable(self._source, problem)
            for place, channel in enumerate(channels):
                if types[place] == stored:
                    pixels[..., place] = block[..., channel - first]
        return pixels if self.format == "openexr" else upright(pixels, part.orientation)

    def _read_type(self, part: Part, channel: int) -> str:
        exact = self.format == "openexr" and str(part.spec.channelformat(channel)) == "uint"
        return "uint" if exact else "float"

    def frame(self, part: Part, size: tuple[int, int]) -> Frame:
        """Return windows, aspect and foreign metadata of a part whose pixels, as read, have this ``(height, width)``.

        Metadata maps OpenImageIO's name to ``(TypeDesc, value)``, so that it can be written back with its own type.
        """
        spec = part.spec
        data = Window(spec.x, spec.y, spec.width, spec.height)
        display = Window(spec.full_x, spec.full_y, spec.full_width, spec.full_height)
        if self.format != "openexr" and part.orientation != 1:
            data = display = Window(0, 0, size[1], size[0])
        aspect = spec.get_float_attribute("PixelAspectRatio")
        stated = 0 < aspect < np.inf
        return Frame(data, display, aspect if stated else 1.0, dict(_foreign_metadata(spec)), stated)


def upright(pixels: Array, orientation: int) -> Array:
    """Turn stored rows ``(H, W, C)`` upright; see `_UPRIGHT`."""
    turn = _UPRIGHT.get(orientation)
    return np.ascontiguousarray(turn(pixels)) if turn else pixels


def unreadable(source: Source, problem: str) -> EngineError:
    """Return the error for a file that is no image or a damaged one; ``problem`` is the reader's own words."""
    return EngineError(
        "IMAGE_UNREADABLE",
        f"'{source.name}' cannot be read as an image: {_in_one_line(problem)}.",
        "Check that the file is complete and an EXR, PNG, TIFF, DPX or JPEG, or render it again.",
        bytes=len(source.data),
    )


@contextmanager
def open_image(source: Source) -> Iterator[ImageFile]:
    """Open an image file.

    Raises:
        EngineError: ``IMAGE_UNREADABLE``; ``LIMIT_EXCEEDED`` where the engine has no room to put it.
    """
    ending = next((known for magic, known in _ENDINGS.items() if source.data.startswith(magic)), None)
    if ending is None:
        raise unreadable(source, "its first bytes are of no known format" if source.data else "it is empty")
    with scratch_folder() as folder, _text_is_utf8(source):
        path = folder / f"image{ending}"
        path.write_bytes(source.data)
        as_stored = ImageSpec()
        as_stored.attribute("oiio:UnassociatedAlpha", 1)
        file = ImageInput.open(str(path), as_stored)
        if file is None:
            raise unreadable(source, geterror().replace(str(path), source.name))
        try:
            yield ImageFile(source, file)
        finally:
            file.close()


@contextmanager
def _text_is_utf8(source: Source) -> Iterator[None]:
    """OpenImageIO's bindings raise `UnicodeDecodeError` for a damaged header's names, and in quoting them."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise unreadable(source, "its header holds names that are no text") from error


def _foreign_metadata(spec: ImageSpec) -> Iterator[tuple[str, object]]:
    for entry in spec.extra_attribs:
        # Text that is no UTF-8 (some cameras write Latin-1) could not be written back, and is left out.
        with suppress(UnicodeError):
            texts = entry.value if isinstance(entry.value, tuple) else (entry.value,)
            "".join([entry.name, *(text for text in texts if isinstance(text, str))]).encode()
            if _is_foreign(entry.name):
                yield entry.name, (TypeDesc(entry.type), entry.value)


def _is_foreign(name: str) -> bool:
    owner = name.partition(":")[0] if ":" in name else ""
    ours = name.startswith("platekey/")
    return not (ours or name in _STORAGE or owner == "oiio" or is_imageio_format_name(owner))


def _in_one_line(problem: str) -> str:
    return " ".join(dict.fromkeys(problem.split("\n"))).strip().rstrip(".") or "the reader gave no reason"
