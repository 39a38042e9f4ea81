"""Clean plate onto frame: matched features, tracked to hundredths of a pixel, one homography, one resampling.

What parallax, lens or shutter leave behind the homography is measured densely and added to it before the resampling.

A camera that stands still is noticed first, costs one tracking pass, and leaves the plate's pixels untouched. A plate
that cannot be shown to be of the frame's scene is refused.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from engine.errors import EngineError
from engine.pipeline.registration.alignment import Alignment, align, is_mirrored
from engine.pipeline.registration.blank import clipped_share, is_black
from engine.pipeline.registration.feature_image import feature_images
from engine.pipeline.registration.placement import place
from engine.pipeline.registration.plain_match import same_wall
from engine.pipeline.registration.refine import Field, refine
from engine.pipeline.registration.warp import warp_plate
from engine.values import Image, Plate, Registration

Matrix = npt.NDArray[np.float64]

_OVERLAP = 0.25
"""Smallest share of the frame that a plate must cover."""

_STRETCH = 2.0
_SHEAR = 1.5
"""Largest change of scale at any corner, and largest ratio of the scales in two directions: a zoom or a tilt beyond
them is no second take of the shot."""


_CLIPPED = 0.8
"""Share of a plate at its very top that leaves next to no picture."""

_MISPLACED = 3.0
"""px, median. A locked plate that lies further off leaves an edge of every object in the matte; the bound within which
`alignment` still takes a point for the same one."""


def register(frame: Image, plate: Image, mode: Literal["off", "auto", "locked"]) -> tuple[Registration, Plate]:
    """Bring a plate onto a frame's pixel grid.

    Args:
        frame: linear, with the subject.
        plate: linear, the same space and format; its windows may lie elsewhere.
        mode: ``auto`` warps unless the camera stood still; ``locked`` measures, never warps, and refuses a plate that
            lies elsewhere; ``off`` does neither.

    Returns:
        How the plate lies, and the plate on the frame's grid. Pixels it never saw are invalid and 0. Of a plate that
        was not warped every pixel is bit for bit as it came.

    Raises:
        EngineError: ``SIZE_MISMATCH`` for another format; ``REGISTRATION_FAILED`` for a plate
            of another scene, mirrored, or one that overlaps too little, would be bent beyond reason, or is locked 3 px
            off.
    """
    placement, placed = place(frame, plate)
    if mode == "off":
        return Registration(placement, True, 0.0, 0.0, 0), placed
    pair = feature_images(frame.rgb, plate.rgb)
    alignment = align(pair, placement)
    if is_mirrored(pair, placement, alignment):
        raise _failure("is mirrored against what", frame, plate, alignment)
    if not (alignment.proven or alignment.undisputed(placement)):
        if not same_wall(frame.rgb, placed.rgb, placed.valid):
            raise _failure(_nothing(plate), frame, plate, alignment)
        return _report(alignment, placement, locked_off=True), placed
    if mode == "locked" or alignment.still(placement):
        lying = _report(alignment, placement, locked_off=True)
        if mode == "locked" and lying.residual_median > _MISPLACED:
            raise _misplaced(frame, plate, lying)
        return lying, placed
    if not _plausible(alignment.homography, plate):
        raise _failure("would have to be bent beyond reason before it", frame, plate, alignment)
    size = frame.rgb.shape[:2]
    field = refine(pair, alignment, size)
    registered = warp_plate(plate.rgb, alignment.homography, size, field)
    if registered.valid.mean() < _OVERLAP:
        raise _failure(f"covers only {registered.valid.mean():.0%} of what", frame, plate, alignment)
    return _report(alignment, alignment.homography, locked_off=False, field=field), registered


def _report(alignment: Alignment, homography: Matrix, *, locked_off: bool, field: Field | None = None) -> Registration:
    """The alignment's points, seen under the homography, and under the field, that are used."""
    distances = alignment.distances(homography) if field is None else field.distances
    median, p95 = np.percentile(distances, [50, 95]) if len(distances) else (0.0, 0.0)
    return Registration(homography, locked_off, float(median), float(p95), len(distances))


def _plausible(homography: Matrix, plate: Image) -> bool:
    """Whether scale and shear stay within a second take's at the plate's corners and centre."""
    height, width = plate.rgb.shape[:2]
    spots = [(0, 0, 1), (width, 0, 1), (0, height, 1), (width, height, 1), (width / 2, height / 2, 1)]
    mapped = np.array(spots) @ homography.T
    if not (np.isfinite(homography).all() and (mapped[:, 2] * mapped[0, 2] > 0).all()):
        return False
    points = mapped[:, :2] / mapped[:, 2:]
    jacobians = (homography[None, :2, :2] - points[:, :, None] * homography[None, 2:, :2]) / mapped[:, 2, None, None]
    scales = np.linalg.svd(jacobians, compute_uv=False)
    unbent = (scales < _STRETCH) & (scales > 1 / _STRETCH) & (scales[:, :1] < _SHEAR * scales[:, 1:])
    return bool(unbent.all() and (np.linalg.det(jacobians) > 0).all())


def _nothing(plate: Image) -> str:
    """Why a plate has nothing in common with a frame, as far as it alone says it."""
    if is_black(plate.rgb):
        return "is black, and shows nothing that"
    if clipped_share(plate.rgb) > _CLIPPED:
        return "is clipped almost everywhere, and shows nothing that"
    return "shows nothing that"


def _failure(fault: str, frame: Image, plate: Image, alignment: Alignment) -> EngineError:
    """The error for a plate that must not be keyed with."""
    report = _report(alignment, alignment.homography, locked_off=False)
    support = f"{report.inliers} points agree, {alignment.share:.1%} of those looked for"
    residual = f"residual {report.residual_median:.2f} px" if report.inliers else "so there is no residual"
    return EngineError(
        "REGISTRATION_FAILED",
        f"The clean plate {plate.name} {fault} the frame {frame.name} shows ({support}, {residual}).",
        "Pick another plate of the same scene. Set Registration to Off only where the two are aligned already.",
        inliers=report.inliers,
        share=f"{alignment.share:.4f}",
        residual_px=f"{report.residual_median:.3f}",
    )


def _misplaced(frame: Image, plate: Image, lying: Registration) -> EngineError:
    """The error for a plate whose camera was said to be locked off, and was not."""
    return EngineError(
        "REGISTRATION_FAILED",
        f"The clean plate {plate.name} lies {lying.residual_median:.1f} px off what the frame {frame.name} shows.",
        "Set Registration to Auto.",
        inliers=lying.inliers,
        residual_px=f"{lying.residual_median:.3f}",
    )
