"""Image files to values. Colours, alpha and windows as they were stored; nothing is converted or guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import EngineError
from engine.pipeline.decode.image_file import ImageFile, Part, open_image
from engine.settings import Source
from engine.values import Alpha, Array, Frame, Image, Window

_INFINITE = 65504.0
"""What an infinity becomes, with its sign: the largest half (IEEE 754 binary16); most are halves that overflowed."""


@dataclass(frozen=True)
class PartHeader:
    """What a part's header says.

    Attributes:
        name: name to ask for it by; empty where the file has only one part and it has no name.
        channels: names, OpenImageIO's order (the main layer's R, G, B, A first).
        data_window: rectangle that the pixels fill, as stored.
        display_window: the format.
        pixel_aspect: width of a pixel over its height.
        depth: ``half``, ``float``, ``uint8``, ``uint16`` ... of the widest channel.
        deep: deep data, which cannot be matted.
    """

    name: str
    channels: tuple[str, ...]
    data_window: Window
    display_window: Window
    pixel_aspect: float
    depth: str
    deep: bool


@dataclass(frozen=True)
class Header:
    """What a file is: ``openexr``, ``png``, ``tiff``, ``dpx`` or ``jpeg``, and its parts."""

    format: str
    parts: tuple[PartHeader, ...]


def probe(source: Source) -> Header:
    """Read the headers of all parts, and no pixel.

    Raises:
        EngineError: ``IMAGE_UNREADABLE``.
    """
    with open_image(source) as file:
        return Header(file.format, tuple(_header(file, part) for part in file.parts))


_BROKEN_SHARE = 0.5
"""Where more of a picture than this is no number, replacing it would be inventing one."""


def decode(source: Source) -> Image:
    """Read a colour image.

    R, G and B are those of the main layer, in whatever case, or of the only layer that has them where the main one has
    not; other layers are ignored. NaN becomes 0 and an infinity +-65504, where they stand; both are counted, alpha's
    too. Colours are never multiplied with or divided by alpha.

    Args:
        source: EXR (half, float or unsigned integers, any compression), PNG, TIFF, DPX or JPEG, with its colour space.

    Raises:
        EngineError: ``BAD_REQUEST`` without a colour space, ``IMAGE_UNREADABLE``, ``PART_UNSUPPORTED``,
            ``CHANNELS_MISSING``, ``LIMIT_EXCEEDED``.
    """
    if not source.space:
        raise EngineError(
            "BAD_REQUEST", f"'{source.name}' comes without a colour space.", "State the colour space it is stored in."
        )
    with open_image(source) as file:
        part = file.choose_part()
        pixels = file.read(part, _find_colours(source, part.channels))
        nonfinite = _repair(pixels)
        if nonfinite > _BROKEN_SHARE * pixels.size:
            raise EngineError(
                "IMAGE_UNREADABLE",
                f"'{source.name}' holds no picture: {nonfinite} of {pixels.size} samples are NaN or infinite.",
                "Render it again, and look for a division by zero upstream.",
            )
        alpha = np.clip(pixels[..., 3], 0.0, 1.0) if pixels.shape[2] == 4 else None
        return Image(
            rgb=np.ascontiguousarray(pixels[..., :3]),
            space=source.space,
            alpha=alpha,
            alpha_state=Alpha.NONE if alpha is None else _alpha_state(file, part),
            frame=file.frame(part, (pixels.shape[0], pixels.shape[1])),
            nonfinite=nonfinite,
            name=source.name,
        )


def decode_matte(source: Source, frame: Frame) -> Array:
    """Read a matte onto a frame's data window.

    The two display windows' top left corners are laid on each other.

    Args:
        source: any image; channel ``A`` is the matte, else the first channel.
        frame: the frame it belongs to.

    Returns:
        ``(H, W)`` of the frame's data window, 0..1, 0 where the matte has no pixels or NaN.

    Raises:
        EngineError: ``SIZE_MISMATCH``, ``IMAGE_UNREADABLE``, ``PART_UNSUPPORTED``, ``LIMIT_EXCEEDED``.
    """
    with open_image(source) as file:
        part = file.choose_part()
        names = [name.lower() for name in part.channels]
        matte = file.read(part, [names.index("a") if "a" in names else 0])[..., 0]
        own = file.frame(part, (matte.shape[0], matte.shape[1]))
    if not own.shares_format(frame):
        raise EngineError(
            "SIZE_MISMATCH",
            f"The matte '{source.name}' is {own.format} and the frame is {frame.format}.",
            "Bring the matte to the frame's format and send it again.",
            matte=own.format,
            frame=frame.format,
        )
    placed = np.zeros(frame.data_window.size, np.float32)
    here, there = frame.overlap(own)
    placed[here] = np.clip(np.nan_to_num(matte[there], nan=0.0), 0.0, 1.0)
    return placed


def _header(file: ImageFile, part: Part) -> PartHeader:
    spec = part.spec
    frame = file.frame(part, (spec.height, spec.width))
    depth = str(spec.format)
    return PartHeader(
        name=part.name,
        channels=part.channels,
        data_window=Window(spec.x, spec.y, spec.width, spec.height),
        display_window=Window(spec.full_x, spec.full_y, spec.full_width, spec.full_height),
        pixel_aspect=frame.pixel_aspect,
        depth="uint32" if depth == "uint" else depth,
        deep=bool(spec.deep),
    )


def _find_colours(source: Source, names: Sequence[str]) -> list[int]:
    """Return the indices of R, G, B and, where there is one, A."""
    layers: dict[str, dict[str, int]] = {}
    for index, name in enumerate(names):
        layer, _, component = name.rpartition(".")
        layers.setdefault(layer, {}).setdefault(component.lower(), index)
    coloured = {layer: found for layer, found in layers.items() if found.keys() >= {"r", "g", "b"}}
    if "" in coloured:
        chosen = coloured[""]
    elif len(coloured) == 1:
        (chosen,) = coloured.values()
    else:
        listed = ", ".join(names)
        rivals = f" and several layers that have ({', '.join(coloured)})" if coloured else ""
        raise EngineError(
            "CHANNELS_MISSING",
            f"'{source.name}' has no R, G and B in its main layer{rivals}; its channels are {listed}.",
            "Write the image to the main layer (rgba) and send that.",
            channels=listed,
        )
    return [chosen[component] for component in "rgba" if component in chosen]


def _repair(pixels: Array) -> int:
    """Replace NaN and infinities in place and return how many there were."""
    count = int(pixels.size - np.count_nonzero(np.isfinite(pixels)))
    if count:
        np.nan_to_num(pixels, copy=False, nan=0.0, posinf=_INFINITE, neginf=-_INFINITE)
    return count


def _alpha_state(file: ImageFile, part: Part) -> Alpha:
    """EXR is premultiplied by its specification; other formats say what they are."""
    straight = file.format != "openexr" and part.spec.get_int_attribute("oiio:UnassociatedAlpha")
    return Alpha.STRAIGHT if straight else Alpha.PREMULTIPLIED
