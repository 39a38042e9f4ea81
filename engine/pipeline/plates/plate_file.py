"""A built plate as a file: what a compositor sees, and what `matte_frame` reads back of it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
from OpenImageIO import TypeInt

from engine import __version__
from engine.pipeline.encode import encode
from engine.pipeline.plates.build import BuiltPlate
from engine.values import Alpha, Image, Layers, Mask, Plate, Registration

_MARK = "platekeyPlateFrames"
"""Header entry of a built plate. Only where it stands does a plate's alpha mean holes: many a renderer's and camera's
file has an alpha that means nothing."""

_KERNEL_REACH = 4
"""px around a hole that a Lanczos-4 kernel fills with its black."""

_BENT = 32
"""px by which a plate may be bent away from its homography; shots held by hand before two depths need 20."""

_CENTRES = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
"""Moves OpenCV's pixel centres (integers) to ours (integers + 0.5)."""

_HALF_MAX = 65504.0
"""Largest finite half (IEEE 754 binary16)."""


def plate_file(built: BuiltPlate, space: str) -> bytes:
    """Write ``R G B A``, ``coverage.Y`` and ``deviation.R G B`` as one EXR; A is 0 in holes, else 1.

    Coverage counts frames. The file is half, float only where a value needs it.
    """
    channels = {name: built.rgb[..., index] for index, name in enumerate("RGB")}
    channels["A"] = (built.coverage > 0).astype(np.float32)
    channels["coverage.Y"] = built.coverage
    channels |= {f"deviation.{name}": built.deviation[..., index] for index, name in enumerate("RGB")}
    attributes: dict[str, str | float | int] = {
        "platekey/version": __version__,
        "platekey/colorspace": space,
        _MARK: len(built.used),
        "platekey/warnings": " ".join(built.warnings()),
    }
    half = bool(np.abs(built.rgb).max(initial=0) <= _HALF_MAX)
    return encode(Layers(channels, half), built.reference.frame, attributes)


def marked(image: Image, built: BuiltPlate) -> Image:
    """A built plate that has not been a file, as it would be read from one."""
    entry = {_MARK: (TypeInt, len(built.used))}
    alpha = (built.coverage > 0).astype(np.float32)
    frame = replace(image.frame, metadata={**image.frame.metadata, **entry})
    return replace(image, alpha=alpha, alpha_state=Alpha.PREMULTIPLIED, frame=frame)


def holes(plate: Image) -> Mask | None:
    """``(H, W)``, true where a built plate saw nothing; None for any other image, or a plate without holes."""
    if plate.alpha is None or _MARK not in plate.frame.metadata:
        return None
    found: Mask = plate.alpha <= 0
    return found if found.any() else None


def without_holes(plate: Plate, placed: Registration, source: Image) -> Plate:
    """Make invalid what a built plate never saw.

    The homography says about where a hole lies. Where the plate was bent further, the hole is found by its black: the
    middle of a hole is 0 in all channels however it was resampled.

    Args:
        plate: on the frame's grid.
        placed: how it got there.
        source: the plate as it was read.
    """
    unseen = holes(source)
    if unseen is None:
        return plate
    matrix = np.linalg.inv(_CENTRES) @ placed.homography @ _CENTRES
    extent = plate.valid.shape[::-1]
    hole = cv2.warpPerspective(unseen.astype(np.uint8), matrix, extent, flags=cv2.INTER_NEAREST)
    if not placed.locked_off:
        black = (plate.rgb == 0).all(2).astype(np.uint8) & _grown(hole, _BENT)
        hole = _grown(hole | black, _KERNEL_REACH)
    valid: Mask = plate.valid & (hole == 0)
    return Plate(np.where(valid[..., None], plate.rgb, np.float32(0)), valid)


def _grown(mask: npt.NDArray[np.uint8], reach: int) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.dilate(mask, np.ones((2 * reach + 1,) * 2, np.uint8)), np.uint8)
