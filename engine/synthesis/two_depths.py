"""A set of two depths before a camera that is not locked off: the plate, the frame, and the exact map between them.

The plate is the resting view. The frame's camera moved, so that near things shift further than far ones, and its lens
and shutter may bend the picture as no homography does. Every frame pixel's place in the plate is known in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from engine.synthesis.held_camera import Pose
from engine.synthesis.textures import Rng
from engine.values import Array, Mask

Points = npt.NDArray[np.float64]
"""``(H, W, 2)`` x, y in px of the resting view, centres at integers + 0.5."""

_SCALE = 2
"""Samples a pixel and direction, as `engine.synthesis.held_camera` has them."""


@dataclass(frozen=True)
class View:
    """What a camera's picture differs by from the resting view.

    Attributes:
        pose: how the far wall moves in the picture.
        parallax: ``(x, y)`` px by which near things move further.
        breathing: radial stretch at the corners, as a share of their distance from the centre; 0 in the centre.
        rolling: px by which rows lie left and right of their place, as the hand trembles once while a rolling shutter
            reads the picture; a steady move would shear it, which a homography explains.
    """

    pose: Pose = field(default_factory=Pose)
    parallax: tuple[float, float] = (0.0, 0.0)
    breathing: float = 0.0
    rolling: float = 0.0

    def places(self, x: Points, y: Points, size: tuple[int, int], *, near: bool) -> Points:
        """``(..., 2)``: what part of the resting view's depth pixels ``x, y`` see, for pictures of ``size``."""
        height, width = size
        x = x - self.rolling * np.sin(2 * np.pi * y / height)
        u, v = x - width / 2, y - height / 2
        stretch = 1 + self.breathing * (u * u + v * v) / (width**2 / 4 + height**2 / 4)
        point = np.stack([u * stretch + width / 2, v * stretch + height / 2, np.ones_like(u)], -1)
        if near:
            point[..., :2] -= self.parallax
        seen = point @ np.linalg.inv(self.pose.matrix(size)).T
        return np.asarray(seen[..., :2] / seen[..., 2:])


@dataclass(frozen=True)
class TwoDepths:
    """A wall, and things before it.

    Attributes:
        far, near: ``(H + 2 m, W + 2 m, 3)`` linear, the resting view of either depth with its margin.
        cover: ``(H + 2 m, W + 2 m)`` 0..1, how much the near things cover.
        margin: m, px.
    """

    far: Array
    near: Array
    cover: Array
    margin: int

    @property
    def size(self) -> tuple[int, int]:
        """``(height, width)`` of its pictures."""
        return self.far.shape[0] - 2 * self.margin, self.far.shape[1] - 2 * self.margin

    def picture(self, view: View) -> Array:
        """``(H, W, 3)`` linear, each pixel the mean of `_SCALE` squared samples."""
        far, near = self._samples(self.far, view, near=False), self._samples(self.near, view, near=True)
        cover = self._samples(self.cover, view, near=True)[..., None]
        return _reduced(cover * near + (1 - cover) * far, self.size)

    def truth(self, view: View) -> tuple[Points, Mask]:
        """Where each pixel of a view lies in the resting view, and whether the resting view shows it."""
        height, width = self.size
        y, x = np.mgrid[:height, :width] + 0.5
        far, near = (view.places(x, y, self.size, near=depth) for depth in (False, True))
        is_near = _reduced(self._samples(self.cover, view, near=True), self.size) > 0.5
        hidden = ~is_near & (_sampled(self.cover, far, self.margin) > 0.02)
        places = np.where(is_near[..., None], near, far)
        inside = ((places > 0) & (places < (width, height))).all(-1)
        return places, inside & ~hidden

    def _samples(self, layer: Array, view: View, *, near: bool) -> Array:
        height, width = self.size
        y, x = (np.mgrid[: height * _SCALE, : width * _SCALE] + 0.5) / _SCALE
        return _sampled(layer, view.places(x, y, self.size, near=near), self.margin)


def furnish(far: Array, near: Array, margin: int, rng: Rng) -> TwoDepths:
    """Put pillars and a table, cut from one picture, before a wall that shows another.

    Args:
        far: ``(H + 2 m, W + 2 m, 3)`` linear.
        near: of the same shape.
        margin: m, px around the view that a moved camera gets to see.
        rng: of where they stand.
    """
    height, width = far.shape[:2]
    cover = np.zeros((height, width), np.float32)
    for middle in (0.15, 0.85):
        left = int(width * (middle + rng.uniform(-0.06, 0.06)))
        cover[:, left : left + int(width * rng.uniform(0.05, 0.1))] = 1
    top = int(height * rng.uniform(0.7, 0.8))
    cover[top:, int(width * rng.uniform(0.1, 0.3)) : int(width * rng.uniform(0.5, 0.9))] = 1
    return TwoDepths(far, near, cv2.GaussianBlur(cover, (0, 0), 0.6), margin)


def hand_held(rng: Rng, reach: float, parallax: float) -> View:
    """A view ``reach`` px off in any direction, whose near things lie ``parallax`` px further; slightly turned."""
    angle = rng.uniform(0, 2 * np.pi)
    x, y = np.cos(angle), np.sin(angle)
    pose = Pose(reach * x, reach * y, np.radians(rng.uniform(-0.2, 0.2)), 1 + rng.uniform(-0.003, 0.003))
    return View(pose, (parallax * x, parallax * y))


def _sampled(layer: Array, places: Points, margin: int) -> Array:
    at = (places + margin - 0.5).astype(np.float32)
    return np.asarray(cv2.remap(layer, at[..., 0], at[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))


def _reduced(samples: Array, size: tuple[int, int]) -> Array:
    return np.asarray(cv2.resize(samples, size[::-1], interpolation=cv2.INTER_AREA))
