"""What surrounds the 2020 network: the segmentation cue, the crop to 512 px, and the largest component.

Sizes of kernels and crops are those of the published inference script, which prepares a person segmenter's mask. Ours
comes from a hint, or from the difference to the plate, which knows no classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engine.values import Array, Mask

SIZE = 512
"""px a side of what the network sees."""

# Long side of the picture that the cue is prepared on: about twice what the network will see of it.
_CUE_PX = 1024

# Half a stop on the ACEScct axis (a stop is 1 / 17.52): less is grain or drift, whatever Otsu finds in it.
_LEAST_DIFFERENCE = 0.5 / 17.52

# The log difference that fills Otsu's histogram: four stops.
_MOST_DIFFERENCE = 4 / 17.52


@dataclass(frozen=True)
class Cue:
    """A prepared segmentation.

    Attributes:
        soft: ``(h, w)`` 0..1, at the cue's own resolution.
        rows: of the picture at full resolution, the crop around the subject.
        columns: the same.
    """

    soft: Array
    rows: slice
    columns: slice


def subject_by_difference(difference: Array, valid: Mask) -> Mask:
    """Where a frame departs from its plate: Otsu's threshold (1979), but never less than half a stop.

    Args:
        difference: ``(H, W)``, absolute, in units of the ACEScct curve.
        valid: ``(H, W)``, false where the plate saw nothing; such pixels are no subject.
    """
    codes = np.clip(difference * (255 / _MOST_DIFFERENCE), 0, 255).astype(np.uint8)
    known = np.ascontiguousarray(codes[valid])[None]
    otsu = cv2.threshold(known, 0, 255, cv2.THRESH_OTSU)[0] if known.size else 255
    return valid & (codes > otsu) & (difference > _LEAST_DIFFERENCE)


def prepare(subject: Array) -> Cue:
    """Erode, dilate and blur a rough subject, and find the crop around it.

    Args:
        subject: ``(H, W)`` 0..1; its upper half counts as subject.

    Returns:
        The cue; with nothing found, the crop is the whole picture.
    """
    height, width = subject.shape
    scale = min(1.0, _CUE_PX / max(height, width))
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    mask = (cv2.resize(subject, size, interpolation=cv2.INTER_AREA) > 0.5).astype(np.uint8)
    mask = cv2.erode(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)), iterations=10)
    mask = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)), iterations=5)
    soft = cv2.GaussianBlur(mask.astype(np.float32), (31, 31), 0)
    rows, columns = crop(mask)
    rows, columns = _scaled(rows, height / size[1], height), _scaled(columns, width / size[0], width)
    return Cue(np.asarray(soft, np.float32), rows, columns)


def crop(mask: npt.NDArray[np.uint8]) -> tuple[slice, slice]:
    """Rows and columns of a square around a mask, a tenth larger on every side, cut at the borders."""
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not rows.size:
        return slice(0, height), slice(0, width)
    side = 1.2 * max(rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0])
    spans = (((found[0] + found[-1] + 1) / 2, length) for found, length in ((rows, height), (columns, width)))
    across, along = (
        slice(max(int(middle - side / 2), 0), min(int(np.ceil(middle + side / 2)), length)) for middle, length in spans
    )
    return across, along


def largest_component(alpha: Array) -> Array:
    """Alpha with everything but the largest connected part of ``alpha > 0.05`` set to 0; ``(H, W)`` 0..1."""
    count, labels, figures, _ = cv2.connectedComponentsWithStats((alpha > 0.05).astype(np.uint8))
    if count == 1:
        return np.zeros_like(alpha)
    largest = 1 + int(np.argmax(figures[1:, cv2.CC_STAT_AREA]))
    return np.where(labels == largest, alpha, np.float32(0))


def _scaled(span: slice, scale: float, length: int) -> slice:
    return slice(int(span.start * scale), min(int(np.ceil(span.stop * scale)), length))
