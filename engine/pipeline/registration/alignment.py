"""How the camera went from plate to frame: matched features, then tracked points that the subject leaves free."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from engine.pipeline.registration.feature_image import FeaturePair, laid
from engine.pipeline.registration.feature_match import match_features
from engine.pipeline.registration.point_track import FEW, MANY, Tracks, spread, track_points

Matrix = npt.NDArray[np.float64]
Points = npt.NDArray[np.float64]

STILL = 0.1
"""px. A move below it costs more sharpness in the resampling than it wins in position."""

_AGREE = 3.0
"""px. A point this near its place is the same point: parallax and leaves, not chance."""

_POINTS = 12
"""Fewest agreeing points that prove a scene: three times the four that any homography fits."""

_SHARE = 0.08
"""Smallest agreeing share of the plate's textured points that proves a scene."""

_CLEAR_SHARE = 0.4
"""Agreeing share that no look-alike of a scene reaches (another scene's is below 0.08)."""

_EXTENT = 0.012
"""Smallest product of that share and of `Alignment.spread`. A box of another scene, or of this one upside down, looks
like ours in one place. Of 36 drawn sets six passed by share alone upside down, with products of 0.005 to 0.011 but for
two, 0.02 and 0.05; a subject that hides three quarters of the set leaves 0.013 or more."""

_UNANIMOUS, _WIDE, _MANY = 0.9, 0.5, 48
"""Or, where subject or grain hide most points: share of those found that agree, `Alignment.spread`, and their number,
that prove the scene of a camera that moved, whatever share was looked for. Other scenes and pictures upside down reach
that spread with 13 points at most, a few tenths of those found (docs/decisions/0015-registration.md)."""

_SURE = 0.6
_MIRRORED = 1.2
"""Agreeing share from which no mirror image is looked for, and how much more of it than of the plate must agree."""

_MATCH_ERROR = 2.0
_TRACK_ERROR = 1.0
"""px, inlier bounds of a matched and of a tracked point. What parallax moves further is left to the residual."""

_NEAR = 1.0
"""px. Points that were tracked with the plate this near its place are not tracked again: none is found better
(`tests/bench/registration.py truth`)."""

_TRACK_NOISE = 0.02
"""px, of a point tracked without grain (measured on rendered scenes)."""

_HOMOGRAPHY_POINTS = 24
_HOMOGRAPHY_AREA = 0.1
"""Fewest points, and smallest share of the frame within their hull, for a homography's eight numbers; a similarity's
four are fitted to less, so that a lone poster on a wall does not fold the wall."""


@dataclass(frozen=True)
class Alignment:
    """A homography and what speaks for it.

    Attributes:
        homography: ``(3, 3)`` plate pixel -> frame pixel.
        plate: ``(N, 2)`` points in the plate that agree with it, outside the subject.
        frame: ``(N, 2)`` where they were found in the frame.
        share: agreeing share of the textured points that were looked for.
        spread: area that the agreeing ones spread over, as part of that of all that were looked for.
        majority: agreeing share of those that were found anywhere.
        found: ``(2, M, 2)`` all points that were found: where the homography puts them, and where the frame has them.
    """

    homography: Matrix
    plate: Points
    frame: Points
    share: float
    spread: float
    majority: float
    found: Points

    @property
    def proven(self) -> bool:
        """Enough of the plate was found in the frame to call it the same scene."""
        extended = self.share * self.spread >= _EXTENT
        return len(self.plate) >= _POINTS and self.share >= _SHARE and extended

    def undisputed(self, placement: Matrix) -> bool:
        """Few points, but all over the frame, without a dissenter, and moved in common, as no burnt-in text is."""
        alike = self.majority >= _UNANIMOUS and self.spread >= _WIDE and len(self.plate) >= _MANY
        return alike and not self.still(placement)

    def distances(self, homography: Matrix) -> npt.NDArray[np.float64]:
        """``(N,)`` px by which the points miss the frame's under a homography."""
        return np.hypot(*(_apply(homography, self.plate) - self.frame).T)

    def still(self, placement: Matrix, bound: float = STILL) -> bool:
        """Whether the camera stood still: the homography hardly leaves the placement, or fits the points no better."""
        way = np.hypot(*(_apply(self.homography, self.plate) - _apply(placement, self.plate)).T)
        if not len(way) or np.percentile(way, 95) < bound:
            return True
        return bool(np.median(self.distances(placement)) <= 1.1 * np.median(self.distances(self.homography)))


def align(pair: FeaturePair, placement: Matrix) -> Alignment:
    """Find the homography that brings a plate onto a frame; the placement itself where the camera stood still.

    Args:
        pair: the frame, with the subject, and the plate.
        placement: ``(3, 3)`` plate pixel -> frame pixel, where the plate lies by its data window.

    Returns:
        The best alignment, ``proven`` or not.
    """
    scale = pair.scale
    one = _Aligner(pair.frame, pair.plate).align(pair.reduced(placement), STILL * scale)
    homography = pair.enlarged(one.homography)
    return replace(
        one, homography=homography, plate=one.plate / scale, frame=one.frame / scale, found=one.found / scale
    )


def is_mirrored(pair: FeaturePair, placement: Matrix, alignment: Alignment) -> bool:
    """Whether more of the plate's mirror image, left for right, is found near its place than of the plate.

    Half of a set that is nearly its own mirror image agrees with a mirrored plate well enough to be `proven`.
    """
    if alignment.share >= _SURE:
        return False
    aligner = _Aligner(pair.frame, np.ascontiguousarray(pair.plate[:, ::-1]))
    lying = _judge(pair.reduced(placement), aligner.track(pair.reduced(placement), FEW))
    return lying.proven and lying.share > _MIRRORED * alignment.share


@dataclass(frozen=True)
class _Aligner:
    """Works on one pair of feature images, in their pixels."""

    frame: npt.NDArray[np.uint8]
    plate: npt.NDArray[np.uint8]

    def align(self, placement: Matrix, still: float) -> Alignment:
        """From where the plate lies, or from matched features; then refined."""
        near = self.track(placement, FEW)
        lying = _judge(placement, near)
        if self.stands(lying, still):
            return lying
        best, tracks = lying, near
        for start, enough in self.starts(near, placement):
            found = self.track(start)
            best, tracks = max((best, tracks), (_judge(start, found), found), key=lambda one: one[0].share)
            if best.proven and best.share >= enough:
                break
        homography = self.fit(best.plate, best.frame, best.homography, _TRACK_ERROR)
        refined = _judge(homography, self.carried(tracks, best.homography, homography, placement))
        closer = np.sum(refined.distances(refined.homography) < _TRACK_ERROR / 2)
        return refined if closer >= np.sum(best.distances(best.homography) < _TRACK_ERROR / 2) else best

    def starts(self, near: Tracks, placement: Matrix) -> Iterator[tuple[Matrix, float]]:
        """Homographies to begin with, and the share of points that makes the next one needless.

        Near ones are found by tracking, any by features, which cost more than all the rest.
        """
        plate = _apply(np.linalg.inv(placement), near.plate)
        yield self.fit(plate, near.frame, placement, _TRACK_ERROR), _CLEAR_SHARE
        yield self.fit(*match_features(self.plate, self.frame), placement, _MATCH_ERROR), _SHARE

    def track(self, homography: Matrix, count: int = MANY) -> Tracks:
        """Put the plate on the frame and look for its points there."""
        plate, valid = laid(self.plate, homography, self.frame.shape[:2])
        return track_points(plate, self.frame, valid, count)

    def carried(self, tracks: Tracks, start: Matrix, homography: Matrix, placement: Matrix) -> Tracks:
        """Tracks made under a start, as a homography has them; made again where it leaves the start by far.

        And where it is near the placement: whether the camera stood still is asked of tracks that it was not fitted to.
        """
        lying, laid_anew = (_apply(matrix @ np.linalg.inv(start), tracks.plate) for matrix in (placement, homography))
        strayed = np.hypot(*(laid_anew - tracks.plate).T).max(initial=0.0)
        moved = np.hypot(*(laid_anew - lying).T).max(initial=0.0)
        if strayed > _NEAR or moved < _NEAR:
            return self.track(homography)
        return replace(tracks, plate=laid_anew)

    def stands(self, lying: Alignment, still: float) -> bool:
        """Most of what was found lies where it was, and has no motion in common."""
        if not lying.proven or lying.majority < 0.5:
            return False
        fitted = self.fit(lying.plate, lying.frame, lying.homography, _TRACK_ERROR)
        return replace(lying, homography=fitted).still(lying.homography, still)

    def fit(self, plate: Points, frame: Points, start: Matrix, error: float) -> Matrix:
        """Homography by MAGSAC++ (Barath et al., CVPR 2020), a similarity where points are few, else the start."""
        if len(plate) < 4:
            return start
        area = cv2.contourArea(cv2.convexHull(frame.astype(np.float32))) / self.frame.size
        if len(plate) >= _HOMOGRAPHY_POINTS and area >= _HOMOGRAPHY_AREA:
            matrix, _ = cv2.findHomography(plate, frame, cv2.USAC_MAGSAC, error, maxIters=10000, confidence=0.9999)
            matrix = None if matrix is None else _polish(plate, frame, matrix)
        else:
            matrix, _ = cv2.estimateAffinePartial2D(plate, frame, ransacReprojThreshold=error)
            matrix = None if matrix is None else np.vstack([matrix, [0.0, 0.0, 1.0]])
        usable = matrix is not None and np.linalg.cond(matrix) < 1e8
        return matrix if usable else start


def _judge(homography: Matrix, tracks: Tracks) -> Alignment:
    """What tracks, made under a homography, say of it."""
    agree = np.hypot(*(tracks.frame - tracks.plate).T) < _AGREE
    return Alignment(
        homography,
        _apply(np.linalg.inv(homography), tracks.plate[agree]),
        tracks.frame[agree],
        share=float(agree.sum() / max(tracks.candidates, 1)),
        spread=spread(tracks.plate[agree]) / max(tracks.area, 1.0),
        majority=float(agree.sum() / max(len(agree), 1)),
        found=np.stack([tracks.plate, tracks.frame]),
    )


def _polish(plate: Points, frame: Points, homography: Matrix) -> Matrix:
    """Least squares over what lies within 2.5 median distances: points at the subject's edge pull at no corner."""
    for _ in range(4):
        missed = np.hypot(*(_apply(homography, plate) - frame).T)
        kept = missed < 2.5 * max(_TRACK_NOISE, float(np.median(missed)))
        if kept.sum() < _HOMOGRAPHY_POINTS:
            break
        closer, _ = cv2.findHomography(plate[kept], frame[kept], 0)
        if closer is None:
            break
        homography = closer
    return homography


def _apply(homography: npt.NDArray[np.floating[Any]], points: Points) -> Points:
    """``(N, 2)`` points under a homography."""
    mapped = points @ homography[:, :2].T + homography[:, 2]
    return mapped[:, :2] / mapped[:, 2:]
