"""Whether a frame is two moments in one, line by line: the comb of interlaced video where something moves."""

from __future__ import annotations

import cv2
import numpy as np

from engine.values import Array, Mask

_STEP = 0.1
"""stops by which a line must stand out from both of its neighbours."""

_RATIO = 3.0
"""How much further it must stand out from them than from the next lines of its own field."""


def combed_share(frame: Array, region: Mask) -> float:
    """Share of the strong vertical changes in a region that are a comb: the lines of one field apart from the other's.

    Of a progressive picture it is nearly 0; thin lines of one pixel count, so a region is compared with the same of a
    picture that stands still.

    Args:
        frame: ``(H, W, 3)`` linear, every line as it came.
        region: ``(H, W)``, where something moves.
    """
    luma = cv2.transform(frame, np.array([[0.25, 0.5, 0.25]], np.float32))
    floor = np.float32(max(1e-3, 0.02 * float(np.percentile(luma[::4, ::4], 75))))
    stops = np.log2(np.maximum(luma, 0) + floor)
    up, down = stops[2:-2] - stops[1:-3], stops[2:-2] - stops[3:-1]
    field = np.abs(2 * stops[2:-2] - stops[:-4] - stops[4:])
    stands_out = (np.minimum(np.abs(up), np.abs(down)) > _STEP) & (up * down > 0)
    comb = stands_out & (np.abs(up + down) > _RATIO * field)
    strong = (np.maximum(np.abs(up), np.abs(down)) > _STEP) & region[2:-2]
    return float((comb & strong).sum()) / max(int(strong.sum()), 1)
