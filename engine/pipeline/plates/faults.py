"""What is wrong with a clean plate that could be keyed with: black, clipped, of another zoom, or not empty."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from engine.pipeline.registration import clipped_share, is_black
from engine.values import Array, Image, Mask, Registration, Solution

_CLIPPED = 0.05
"""Share of a plate at a ceiling that is no lamp any more."""

_ZOOM = 1.03
"""Factor of scale that no hand and no breathing lens make: 0.3 % and 2 % are usual."""

_LONG_SIDE = 640
"""px at which outlines are compared."""

_LEAST = 0.003
"""Share of the picture, below which a matte has no outline worth looking at."""

_SMOOTH, _BESIDE, _ALONG = 7, 7, 61
"""px: specks and gaps of a matte that are no outline; window of the colours inside and outside of it; length of outline
that is judged together."""

_STEPS = 1.5
_GHOST = 0.15
"""How much larger the plate's step across an outline is than the frame's where the subject stands in the plate; share
of the outlines where it must be. Of the mattes of sixteen generated shots it is at most 0.06; with the subject in the
plate, 40 to 200 px away and in the matte, 0.07 to 0.61: 46 of 48 are found."""

_FARTHEST = 3.0
"""stops beyond which a step is no larger: one bright edge must not outvote an outline."""


def plate_faults(frame: Image, plate: Image, placed: Registration, solution: Solution) -> Iterator[str]:
    """Sentences for the artist, each on one fault.

    Args:
        frame: linear.
        plate: linear, as it was read.
        placed: how it lies on the frame.
        solution: the layers that were made with it.
    """
    if is_black(plate.rgb):
        yield "The clean plate is black: pick another, unless the set is."
    elif (clipped := clipped_share(plate.rgb)) > _CLIPPED:
        yield f"{clipped:.0%} of the clean plate are clipped: what was brighter there is keyed. Expose it lower."
    zoom = _scale_at_centre(placed.homography, plate.rgb.shape[:2])
    if max(zoom, 1 / zoom) > _ZOOM:
        yield f"The clean plate was taken at another zoom (x {zoom:.2f}): its blur and grain are not the frame's."
    if ghost_share(frame.rgb, solution.plate, solution.alpha, solution.valid) > _GHOST:
        yield "The clean plate seems to hold the subject: it has outlines that the frame lacks. Pick an empty one."


def ghost_share(frame: Array, plate: Array, alpha: Array, valid: Mask) -> float:
    """Share of the matte's outlines across which the plate steps and the frame goes on.

    Around a subject it is the frame that steps. Where the plate holds a thing that the frame does not, the two change
    places.

    Args:
        frame: ``(H, W, 3)`` linear.
        plate: ``(H, W, 3)`` linear, on its grid, at its exposure.
        alpha: ``(H, W)`` 0..1.
        valid: ``(H, W)``, where the plate saw the pixel.

    Returns:
        0..1; 0 where there is no outline to speak of.
    """
    scale = min(1.0, _LONG_SIDE / max(alpha.shape))
    colours = [_reduced(image, scale) for image in (frame, plate)]
    matte, seen = (_reduced(mask.astype(np.float32), scale) for mask in (alpha > 0.5, valid))
    matte = _smoothed(matte)
    if matte.mean() < _LEAST:
        return 0.0
    inside = cv2.erode(matte, _square(3))
    outside = (1 - cv2.dilate(matte, _square(3))) * (seen > 0.99)
    rim = (matte > 0) & (cv2.erode(matte, _square(3)) == 0)
    rim &= (_mean(inside) > 0.1) & (_mean(outside) > 0.1)
    if not rim.any():
        return 0.0
    floor = max(1e-3, 0.02 * float(np.percentile(colours[1], 75)))
    stops = (np.log2(np.maximum(colour, 0) + np.float32(floor)) for colour in colours)
    of_frame, of_plate = (_along(_step(image, inside, outside), rim) for image in stops)
    return float((of_plate > _STEPS * of_frame).mean())


def _scale_at_centre(homography: npt.NDArray[np.float64], size: tuple[int, ...]) -> float:
    """Factor by which a homography enlarges the middle of a picture."""
    x, y, w = homography @ (size[1] / 2, size[0] / 2, 1.0)
    spread = homography[:2, :2] - np.outer((x / w, y / w), homography[2, :2])
    return float(np.sqrt(abs(np.linalg.det(spread / w))))


def _smoothed(matte: Array) -> Array:
    whole = (matte > 0.5).astype(np.uint8)
    for operation in (cv2.MORPH_CLOSE, cv2.MORPH_OPEN):
        whole = cv2.morphologyEx(whole, operation, _square(_SMOOTH))
    return np.asarray(whole, np.float32)


def _step(stops: Array, inside: Array, outside: Array) -> Array:
    """``(h, w)``: stops, summed over channels, between what lies near inside and near outside."""
    means = (_mean(stops * part[..., None]) / np.maximum(_mean(part), 1e-6)[..., None] for part in (inside, outside))
    within, beyond = means
    return np.asarray(np.minimum(np.abs(within - beyond).sum(2), _FARTHEST), np.float32)


def _along(values: Array, rim: Mask) -> Array:
    """Values of the rim, each the mean of its neighbours on it."""
    weight, side = rim.astype(np.float32), (_ALONG, _ALONG)
    return np.asarray((cv2.blur(values * weight, side) / np.maximum(cv2.blur(weight, side), 1e-6))[rim])


def _mean(image: Array) -> Array:
    return np.asarray(cv2.blur(image, (_BESIDE, _BESIDE)))


def _reduced(image: Array, scale: float) -> Array:
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.float32)


def _square(side: int) -> Array:
    return np.ones((side, side), np.uint8)
