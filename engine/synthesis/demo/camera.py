"""The demo's pinhole camera.

World: metres, x right, y up, z away from the camera. Pixels: x right, y down, centres at integers + 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float32]
"""``(..., 3)`` world positions or directions."""

Matrix = npt.NDArray[np.float64]


def floats(values: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """An array of single-precision numbers."""
    return np.asarray(values, np.float32)


FOCAL = 850 / 960
"""Focal length in picture widths: a 59 degree lens, near to a 28 mm on full frame cropped to 16:9."""


@dataclass(frozen=True)
class Camera:
    """A camera that only turns between pictures, so that any two of them are related by a homography.

    Attributes:
        size: ``(height, width)`` px.
        focal: px.
        position: x, y, z, metres.
        pan: radians, positive looks to the right.
        tilt: radians, positive looks down.
        roll: radians, positive turns the picture counter-clockwise.
    """

    size: tuple[int, int]
    focal: float
    position: tuple[float, float, float] = (0.0, 1.5, 0.0)
    pan: float = 0.0
    tilt: float = 0.0
    roll: float = 0.0

    def turned(self, pan: float, tilt: float, roll: float) -> Camera:
        """The same camera after small turns, radians."""
        return replace(self, pan=self.pan + pan, tilt=self.tilt + tilt, roll=self.roll + roll)

    def enlarged(self, scale: int, margin: int) -> Camera:
        """The same view with ``margin`` px more on each side, then ``scale`` times as many pixels each way."""
        height, width = self.size
        return replace(
            self, size=(scale * (height + 2 * margin), scale * (width + 2 * margin)), focal=scale * self.focal
        )

    def project(self, points: Points) -> Points:
        """World positions ``(..., 3)`` to ``(..., 3)``: x, y in pixels and depth in metres."""
        seen = (points - floats(self.position)) @ self._rotation().T.astype(np.float32)
        depth = np.maximum(seen[..., 2:], 1e-6)
        centre = floats([self.size[1] / 2, self.size[0] / 2])
        return np.concatenate([seen[..., :2] / depth * np.float32(self.focal) + centre, seen[..., 2:]], axis=-1)

    def rays(self) -> Points:
        """``(H, W, 3)`` world directions through the pixel centres, of depth 1."""
        height, width = self.size
        y, x = np.mgrid[0:height, 0:width].astype(np.float32) + np.float32(0.5)
        flat = np.stack([x - width / 2, y - height / 2, np.full_like(x, self.focal)], axis=-1) / np.float32(self.focal)
        return (flat @ self._rotation().astype(np.float32)).astype(np.float32)

    def homography_to(self, other: Camera) -> Matrix:
        """``(3, 3)``: where a pixel of this camera lies in a picture that ``other`` takes from the same place."""
        return other._projection() @ np.linalg.inv(self._projection())

    def _projection(self) -> Matrix:
        lens = np.array([[self.focal, 0, self.size[1] / 2], [0, self.focal, self.size[0] / 2], [0, 0, 1]])
        return lens @ self._rotation()

    def _rotation(self) -> Matrix:
        """World to camera; the camera's axes are x right, y down, z forward."""
        cp, sp, ct, st = np.cos(self.pan), np.sin(self.pan), np.cos(self.tilt), np.sin(self.tilt)
        cr, sr = np.cos(self.roll), np.sin(self.roll)
        pan = np.array([[cp, 0, -sp], [0, 1, 0], [sp, 0, cp]])
        tilt = np.array([[1, 0, 0], [0, -ct, -st], [0, -st, ct]])
        roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        return roll @ tilt @ pan


def opencv(homography: Matrix) -> Matrix:
    """The same mapping for OpenCV, whose pixel centres lie at integers."""
    shift = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    return np.linalg.inv(shift) @ homography @ shift
