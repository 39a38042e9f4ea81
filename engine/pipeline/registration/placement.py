"""Where a plate lies on a frame's grid before anything is measured: by its data window alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.errors import EngineError
from engine.values import Image, Plate


def place(frame: Image, plate: Image) -> tuple[npt.NDArray[np.float64], Plate]:
    """Move a plate by whole pixels from its data window to the frame's; its pixels stay bit for bit as they came.

    Returns:
        The translation, ``(3, 3)`` plate pixel -> frame pixel within the arrays, and the plate on the frame's grid,
        invalid and 0 outside its own window.

    Raises:
        EngineError: ``SIZE_MISMATCH`` for another display window or pixel aspect.
    """
    _check_format(frame, plate)
    target, source = frame.frame.data_window, plate.frame.data_window
    translation = np.eye(3)
    translation[:2, 2] = source.x - target.x, source.y - target.y
    if source == target:
        return translation, Plate(plate.rgb, np.ones(target.size, np.bool_))
    left, top = max(target.x, source.x), max(target.y, source.y)
    right = max(left, min(target.x + target.width, source.x + source.width))
    bottom = max(top, min(target.y + target.height, source.y + source.height))
    common = np.s_[top - target.y : bottom - target.y, left - target.x : right - target.x]
    rgb, valid = np.zeros((*target.size, 3), np.float32), np.zeros(target.size, np.bool_)
    rgb[common] = plate.rgb[top - source.y : bottom - source.y, left - source.x : right - source.x]
    valid[common] = True
    return translation, Plate(rgb, valid)


def _check_format(frame: Image, plate: Image) -> None:
    """Refuse a plate of another format: the windows would be taken for a move of the camera."""
    formats = [
        (image.frame.display_window.width, image.frame.display_window.height, round(image.frame.pixel_aspect, 4))
        for image in (plate, frame)
    ]
    if formats[0] == formats[1]:
        return
    stated = ["{}x{}, pixel aspect {:g}".format(*entry) for entry in formats]
    raise EngineError(
        "SIZE_MISMATCH",
        f"The clean plate {plate.name} is {stated[0]}, but the frame {frame.name} is {stated[1]}.",
        "Reformat the clean plate to the frame's format.",
        plate=stated[0],
        frame=stated[1],
    )
