"""What a frame differs from its plate by, region by region: subject, shadow, a set that moves, a thing in the plate."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engine.values import Array, Mask, Matte, Photometric, Plate

_APART = 4.0
"""Deviations of the grain at which a difference is one: of 10 000 pixels of pure grain less than one."""

_SUBJECT = 0.5
"""Alpha from which a pixel is subject."""

_BACKGROUND = 0.1
"""Alpha below which it is background."""

_SHADOW = 0.9
"""Shadow ratio below which a shadow is deep enough to be seen, 0.15 stop."""

_LARGE = 0.005
"""Share of the picture from which a connected region is a subject rather than a leaf."""

_LEADING = 0.1
"""Of the largest region's area; smaller ones are no subjects of their own."""

_CLOSE, _NEAR = 0.006, 0.02
"""Of the picture's long side: gaps in a subject that are closed before its inside is looked at; and how far around it
what differs is the subject's, as hair and blur are."""

_GHOST = 0.5
"""Share of a region's outline along which the plate has more of an edge than the frame, from which the plate holds the
thing. Measured on six generated shots: 0.68 to 0.96 around what stands in the plate, 0.01 to 0.24 around a subject."""


@dataclass(frozen=True)
class Regions:
    """Where things are; all ``(h, w)``.

    Attributes:
        subject: what the matte makes of the frame, its large connected parts with their holes.
        hidden: of the subject, what is no different from the plate.
        shadow: background that lies in a shadow.
        moving: background that differs and is no shadow.
        ghost: what the plate holds and the frame does not.
        unseen: what the plate never saw.
    """

    subject: Mask
    hidden: Mask
    shadow: Mask
    moving: Mask
    ghost: Mask
    unseen: Mask

    def share(self, region: Mask, of: Mask | None = None) -> float:
        """Share of the picture, or of another region, that a region takes."""
        whole = region.size if of is None else int(of.sum())
        return float(region.sum()) / max(whole, 1)


def difference(frame: Array, plate: Plate, fit: Photometric) -> Mask:
    """``(h, w)``: where a frame differs from its fitted plate by more than grain and a pixel's displacement.

    Args:
        frame: ``(h, w, 3)`` linear.
        plate: registered and fitted.
        fit: its noise says how large grain is.
    """
    a, b = np.asarray(fit.noise, np.float32).T
    deviation = np.sqrt(a + b * np.maximum(plate.rgb, 0) + np.float32(1e-12))
    around = np.ones((3, 3), np.uint8)
    low, high = cv2.erode(plate.rgb, around), cv2.dilate(plate.rgb, around)
    apart = np.maximum(frame - high, low - frame) / deviation
    return np.asarray((apart.max(2) > _APART) & plate.valid)


def regions(frame: Array, plate: Plate, matte: Matte, differs: Mask) -> Regions:
    """Sort a frame's pixels.

    Args:
        frame: ``(h, w, 3)`` linear.
        plate: registered and fitted.
        matte: what the network says of the frame.
        differs: as `difference` found it.
    """
    different = _opened(differs)
    keyed = ((matte.alpha > _SUBJECT) & plate.valid).astype(np.uint8)
    ghost = _ghosts(frame, plate.rgb, keyed)
    subject = _large(keyed & ~ghost.astype(np.uint8))
    near = _grown(subject, _NEAR) | ghost
    shadow = (matte.shadow.mean(2) < _SHADOW) & (matte.alpha < _BACKGROUND) & plate.valid & ~near
    return Regions(
        subject=subject,
        hidden=subject & ~_grown_by(differs, 1),
        shadow=shadow,
        moving=different & ~near & ~_grown_by(shadow, 2),
        ghost=ghost,
        unseen=~plate.valid,
    )


def _large(keyed: npt.NDArray[np.uint8]) -> Mask:
    """The large connected regions, their gaps closed and their holes filled."""
    closed = cv2.morphologyEx(keyed, cv2.MORPH_CLOSE, _disk(keyed.shape, _CLOSE))
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    areas = [cv2.contourArea(outline) for outline in outlines]
    least = max(_LARGE * keyed.size, _LEADING * max(areas, default=0.0))
    filled = np.zeros_like(keyed)
    kept = [outline for outline, area in zip(outlines, areas, strict=True) if area >= least]
    cv2.drawContours(filled, kept, -1, 1, cv2.FILLED)
    return filled > 0


def _ghosts(frame: Array, plate: Array, keyed: npt.NDArray[np.uint8]) -> Mask:
    """Large regions whose outline is an edge in the plate rather than in the frame."""
    in_frame, in_plate = _edges(frame), _edges(plate)
    outlines, _ = cv2.findContours(keyed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    ghost = np.zeros_like(keyed)
    for outline in outlines:
        if cv2.contourArea(outline) < _LARGE * keyed.size:
            continue
        along = np.zeros_like(keyed)
        cv2.drawContours(along, [outline], -1, 1, 3)
        if (in_plate > in_frame)[along > 0].mean() > _GHOST:
            cv2.drawContours(ghost, [outline], -1, 1, cv2.FILLED)
    return ghost > 0


def _edges(image: Array) -> Array:
    """Gradient of log luminance, stops a px; grain averaged."""
    luma = image.mean(2)
    floor = np.float32(max(1e-3, 0.02 * float(np.percentile(luma, 75))))
    stops = cv2.GaussianBlur(np.log2(np.maximum(luma, 0) + floor), (0, 0), 1.0)
    across, down = (cv2.Scharr(stops, cv2.CV_32F, *axis, scale=1 / 32) for axis in ((1, 0), (0, 1)))
    return np.asarray(np.hypot(across, down), np.float32)


def _opened(mask: Mask) -> Mask:
    """Without lone pixels."""
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0)


def _grown(mask: Mask, share: float) -> Mask:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), _disk(mask.shape, share)) > 0)


def _grown_by(mask: Mask, reach: int) -> Mask:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) > 0)


def _disk(size: tuple[int, ...], share: float) -> npt.NDArray[np.uint8]:
    side = 2 * round(share * max(size)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
