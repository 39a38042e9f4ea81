"""Stage 8: layers to the bytes of one EXR. The same layers give the same bytes, whenever they are written."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from OpenImageIO import ImageOutput, ImageSpec, geterror

from engine.errors import EngineError
from engine.pipeline.scratch import scratch_folder
from engine.values import Frame, Layers

_HALF_MAX = 65504.0
"""Largest finite half (IEEE 754 binary16)."""

_COMPRESSION = "zips:4"
"""Lossless, one row a block, as compositors read rows; 4 is OpenEXR's own level, pinned."""

_ROWS = 64
"""Rows that are handed over at once: some for each thread that packs them."""


def encode(layers: Layers, frame: Frame, attributes: Mapping[str, str | float | int]) -> bytes:
    """Write one scanline EXR.

    The main layer's channels have no layer name, so every reader takes them for its RGBA. OpenEXR sorts channels by
    name; readers restore R, G, B, A in each layer. numpy rounds to half, to nearest even, so values that were rounded
    so before read back bit by bit.

    Args:
        layers: channels ``(H, W)`` of the data window's size.
        frame: windows, pixel aspect, and foreign metadata as `engine.pipeline.decode` returned it.
        attributes: header entries to add, for example ``platekey/version``; they win over metadata of the same name.

    Raises:
        EngineError: ``VALUE_OUT_OF_RANGE`` where a value is not finite or, in half, beyond +-65504;
            ``LIMIT_EXCEEDED`` where the engine has no room to write.
    """
    _check_range(layers)
    return _write(layers, _header(layers, frame, attributes))


def _header(layers: Layers, frame: Frame, attributes: Mapping[str, str | float | int]) -> ImageSpec:
    data, display = frame.data_window, frame.display_window
    spec = ImageSpec(data.width, data.height, len(layers.channels), "half" if layers.half else "float")
    spec.channelnames = tuple(layers.channels)
    spec.x, spec.y = data.x, data.y
    spec.full_x, spec.full_y, spec.full_width, spec.full_height = display.x, display.y, display.width, display.height
    # Without an entry of this name the writer adds the time of day; an empty one it leaves out.
    spec.attribute("DateTime", "")
    for name, typed in frame.metadata.items():
        if isinstance(typed, tuple):
            spec.attribute(name, *typed)
    for name, value in attributes.items():
        spec.attribute(name, value)
    spec.attribute("PixelAspectRatio", float(frame.pixel_aspect))
    spec.attribute("compression", _COMPRESSION)
    return spec


def _write(layers: Layers, spec: ImageSpec) -> bytes:
    """Write through a file: OpenImageIO's Python bindings have no memory writer."""
    with scratch_folder() as folder:
        path = folder / "layers.exr"
        file = ImageOutput.create(str(path))
        if file and file.open(str(path), spec) and _write_rows(file, layers, spec) and file.close():
            return path.read_bytes()
        raise OSError(file.geterror() if file else geterror())


def _write_rows(file: ImageOutput, layers: Layers, spec: ImageSpec) -> bool:
    """Write the pixels some rows at a time, so that all channels side by side are never in memory at once."""
    stored = np.float16 if layers.half else np.float32
    pixels = np.empty((_ROWS, spec.width, len(layers.channels)), stored)
    for start in range(0, spec.height, _ROWS):
        rows = pixels[: min(_ROWS, spec.height - start)]
        for index, values in enumerate(layers.channels.values()):
            rows[..., index] = values[start : start + _ROWS]
        if not file.write_scanlines(spec.y + start, spec.y + start + len(rows), 0, rows):
            return False
    return True


def _check_range(layers: Layers) -> None:
    for name, values in layers.channels.items():
        # NaN stays NaN in a maximum.
        largest = np.abs(values).max(initial=0.0)
        if not np.isfinite(largest):
            problem, step = "holds NaN or infinity, which no depth can store", "Report this frame and its plate to us."
        elif layers.half and largest > _HALF_MAX:
            problem = f"reaches {largest:g}, beyond what half can store"
            step = "Set File depth to Float or to 'Half, float where needed'."
        else:
            continue
        raise EngineError("VALUE_OUT_OF_RANGE", f"Channel '{name}' {problem}.", step, channel=name, largest=largest)
