"""Image files made for tests: written to a folder with OpenImageIO and handed over as sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
from OpenImageIO import DeepData, ImageInput, ImageOutput, ImageSpec, TypeDesc, TypeFloat

from engine.settings import Source

Pixels = npt.NDArray[np.generic]
Window = tuple[int, int, int, int]
"""x, y, width, height."""

LINEAR = "lin_rec709"


def source(path: Path, space: str = LINEAR, part: str = "") -> Source:
    """Return a file as the pipeline gets it."""
    return source_of(path.read_bytes(), path.name, space, part)


def source_of(data: bytes, name: str = "frame.1001.exr", space: str = LINEAR, part: str = "") -> Source:
    return Source(name, sha256(data).hexdigest(), data, space, part)


def truncated(whole: Source, share: float) -> Source:
    """Return the first ``share`` of a file's bytes."""
    return source_of(whole.data[: int(len(whole.data) * share)], whole.name, whole.space)


def header(
    pixels: Pixels,
    depth: str | Sequence[str] = "float",
    channels: Sequence[str] = (),
    data: tuple[int, int] = (0, 0),
    display: Window | None = None,
    attributes: Mapping[str, object] | None = None,
    tile: int = 0,
) -> ImageSpec:
    """Describe ``(H, W, C)`` pixels; an attribute may be a value or a ``(type, value)``."""
    height, width, count = pixels.shape
    spec = ImageSpec(width, height, count, depth if isinstance(depth, str) else "float")
    spec.channelnames = tuple(channels) or tuple("RGBA"[:count])
    if not isinstance(depth, str):
        spec.channelformats = tuple(TypeDesc(name) for name in depth)
    spec.x, spec.y = data
    spec.full_x, spec.full_y, spec.full_width, spec.full_height = display or (0, 0, width, height)
    spec.tile_width = spec.tile_height = tile
    for name, value in (attributes or {}).items():
        spec.attribute(name, *(value if isinstance(value, tuple) else (value,)))
    return spec


def write(path: Path, pixels: Pixels, **described: object) -> Path:
    """Write one image; keywords are those of `header`."""
    spec = header(pixels, **described)
    file = ImageOutput.create(str(path))
    assert file.open(str(path), spec), file.geterror()
    assert file.write_image(np.ascontiguousarray(pixels)), file.geterror()
    assert file.close()
    return path


def write_parts(path: Path, parts: Mapping[str, Pixels]) -> Path:
    """Write a multi-part EXR; its parts are R, G, B in half."""
    specs = [header(pixels, "half", attributes={"oiio:subimagename": name}) for name, pixels in parts.items()]
    file = ImageOutput.create(str(path))
    assert file.open(str(path), tuple(specs)), file.geterror()
    for index, (spec, pixels) in enumerate(zip(specs, parts.values(), strict=True)):
        if index:
            assert file.open(str(path), spec, "AppendSubimage"), file.geterror()
        assert file.write_image(pixels), file.geterror()
    assert file.close()
    return path


def write_deep(path: Path) -> Path:
    """Write a 4 x 4 deep EXR, one sample a pixel."""
    spec = header(np.zeros((4, 4, 5)), channels=("R", "G", "B", "A", "Z"))
    spec.deep = True
    samples = DeepData()
    samples.init(16, 5, (TypeFloat,) * 5, spec.channelnames)
    for pixel in range(16):
        samples.set_samples(pixel, 1)
    file = ImageOutput.create(str(path))
    assert file.open(str(path), spec), file.geterror()
    assert file.write_deep_image(samples), file.geterror()
    assert file.close()
    return path


def read(path: Path, part: int = 0) -> tuple[ImageSpec, npt.NDArray[np.float32]]:
    """Read a file as any other reader would: header and ``(H, W, C)`` float32."""
    file = ImageInput.open(str(path))
    assert file.seek_subimage(part, 0)
    spec = file.spec()
    pixels = file.read_image(part, 0, 0, spec.nchannels, "float")
    assert pixels is not None, file.geterror()
    file.close()
    return spec, pixels


def read_bytes(data: bytes, folder: Path) -> tuple[ImageSpec, dict[str, npt.NDArray[np.float32]]]:
    """Read an EXR's bytes: header, and channel name -> ``(H, W)``."""
    path = folder / "read_back.exr"
    path.write_bytes(data)
    spec, pixels = read(path)
    return spec, {name: pixels[..., index] for index, name in enumerate(spec.channelnames)}
