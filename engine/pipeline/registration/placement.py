"""Where a plate lies on a frame's grid before anything is measured: by its windows alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.errors import EngineError
from engine.values import Image, Plate


def place(frame: Image, plate: Image) -> tuple[npt.NDArray[np.float64], Plate]:
    """Move a plate by whole pixels to the frame's data window; its pixels stay bit for bit as they came.

    The two display windows' top left corners are laid on each other, as those of mattes are.

    Returns:
        The translation, ``(3, 3)`` plate pixel -> frame pixel within the arrays, and the plate on the frame's grid,
        invalid and 0 outside its own window.

    Raises:
        EngineError: ``SIZE_MISMATCH`` for another format, whose windows would be taken for a move of the camera.
    """
    target, own = frame.frame, plate.frame
    if not own.shares_format(target):
        raise EngineError(
            "SIZE_MISMATCH",
            f"The clean plate {plate.name} is {own.format}, but the frame {frame.name} is {target.format}.",
            "Reformat the clean plate to the frame's format.",
            plate=own.format,
            frame=target.format,
        )
    size = target.data_window.size
    translation = np.eye(3)
    translation[:2, 2] = target.locate(own)
    if size == own.data_window.size and not translation[:2, 2].any():
        return translation, Plate(plate.rgb, np.ones(size, np.bool_))
    here, there = target.overlap(own)
    rgb, valid = np.zeros((*size, 3), np.float32), np.zeros(size, np.bool_)
    rgb[here], valid[here] = plate.rgb[there], True
    return translation, Plate(rgb, valid)
