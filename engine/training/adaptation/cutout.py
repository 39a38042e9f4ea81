"""What of a keyed frame is certain: the subject cut out of it, and the set around it as the frame shows it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engine.values import Array, Mask

_SOLID = 0.5
"""Alpha above which a pixel counts as subject while its parts are told apart."""

_PART = 0.02
"""Share of the largest part's area below which another part is no part of the subject, but a mistake or a stranger."""

_LEAST_SUBJECT = 0.002
"""Share of the picture that a subject must cover to be learned from."""

_MOST_DOUBT = 0.125
"""Expected error of alpha, summed over the picture, as a share of the subject's area, above which a model that learned
from its own matte would learn its mistakes: docs/adapt.md measures on which side it helps."""

_DEEPEST = 0.2
"""Shadow ratio, mean of the channels, below which a shadow may as well be a dark subject."""

_HOLE = 0.0005
"""Share of the picture up to which a hole in the subject is taken for a mistake of the matte."""

_BAND = 1 / 40
"""Of the picture's short side: how far from the subject's outline its matte may be soft."""

_OUTLINE = 4096
"""Pixels of the outline that are remembered."""

_DOUBTED = 0.15
"""Expected error of alpha from which a pixel is no target at all: it is seen, and not judged."""

_FAINT = 0.02
"""Alpha below which a pixel is left out of what might be subject."""


@dataclass(frozen=True)
class KeyedFrame:
    """A frame and what the present model makes of it; ACEScg, exposure-anchored, as the network sees it.

    Attributes:
        frame: ``(H, W, 3)`` I.
        plate: ``(H, W, 3)`` B, registered and fitted; 0 where invalid.
        valid: ``(H, W)`` 0 or 1.
        alpha: ``(H, W)`` as delivered.
        premultiplied: ``(H, W, 3)`` P, as delivered.
        shadow: ``(H, W, 3)`` s.
        uncertainty: ``(H, W)`` expected error of alpha, 0..1, as delivered.
    """

    frame: Array
    plate: Array
    valid: Array
    alpha: Array
    premultiplied: Array
    shadow: Array
    uncertainty: Array

    @property
    def doubt(self) -> Array:
        """``(H, W)`` 0..1: expected error of alpha; all that is not subject where the shadow is too deep to be one."""
        deep = (self.shadow.mean(2) < _DEEPEST) & (self.valid > 0)
        return np.maximum(self.uncertainty, deep * (1 - self.alpha))

    @property
    def trust(self) -> Array:
        """``(H, W)`` 0..1: how far the matte can be taken for the truth."""
        return np.asarray(np.clip(1 - self.doubt / _DOUBTED, 0, 1), np.float32)


@dataclass(frozen=True)
class Cutout:
    """A subject whose alpha is exact by definition: what it is pasted with is what is asked for.

    Where the model was in doubt, a fog in place of hairs would be asked for: `doubt` keeps that from being learned.

    Attributes:
        rgba: ``(H, W, 4)`` premultiplied, anchored.
        doubt: ``(H, W)`` 0..1, how little its alpha is a target; 0 inside, and off the subject.
        outline: ``(N, 2)`` x and y of some pixels near its outline, at most `_OUTLINE`.
    """

    rgba: Array
    doubt: Array
    outline: npt.NDArray[np.int32]


def cut_out(key: KeyedFrame) -> Cutout | None:
    """The subject: its large parts, without pinholes, soft near its outline only; None where there is none.

    None too where the model expects to be wrong about too much of it. A pixel that is wrongly half transparent would be
    taught as one, so all of the inside is the frame itself.
    """
    solid = _parts(key.alpha)
    if solid.mean() < _LEAST_SUBJECT or key.doubt.mean() > _MOST_DOUBT * solid.mean():
        return None
    reach = _reach(key.alpha)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    around = cv2.dilate(solid.astype(np.uint8), disk) > 0
    inside = cv2.erode(solid.astype(np.uint8), disk, borderValue=1) > 0
    alpha = np.where(around, key.alpha, 0)
    # Pinholes near the outline are closed; legs and fingers there stay apart.
    alpha = np.where(inside | (solid & (key.alpha <= _SOLID)) | (alpha > 1 - _FAINT), 1, alpha)
    rgb = np.where(alpha[..., None] == 1, key.frame, np.maximum(key.premultiplied, 0))
    rgba = np.dstack((np.where(alpha[..., None] > 0, rgb, 0), alpha)).astype(np.float32)
    doubt = np.where(around & ~inside, 1 - key.trust, 0).astype(np.float32)
    y, x = np.nonzero(around & ~inside)
    every = max(1, len(x) // _OUTLINE)
    return Cutout(rgba, doubt, np.stack((x, y), 1)[::every].astype(np.int32))


@dataclass(frozen=True)
class Backdrop:
    """A set without its subject, anchored.

    Attributes:
        live: ``(H, W, 3)`` what the camera would have seen.
        shadow: ``(H, W, 3)`` ratio on it.
        trust: ``(H, W)`` 0..1, how far it is known to be no subject.
        far: ``(H, W)``, true where it is the frame itself.
    """

    live: Array
    shadow: Array
    trust: Array
    far: Mask


def backdrop(key: KeyedFrame, rng: np.random.Generator) -> Backdrop:
    """The set of a frame without its subject.

    It is the frame itself, away from anything that might be subject: with all that tells a frame from its plate, grain,
    moving leaves, a registration that is not perfect. Beneath the subject it is the plate with the frame's grain. What
    the model may have missed of the subject is no target, nor is what the plate never saw beneath it.
    """
    reach = _reach(key.alpha)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    possible = (key.alpha > _FAINT) | (key.valid < 1)
    taken = cv2.dilate(possible.astype(np.uint8), disk) > 0
    share = cv2.GaussianBlur(1 - taken.astype(np.float32), (0, 0), reach / 4)[..., None]
    share = share * (cv2.erode((~taken).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)[..., None]
    behind = key.plate * key.shadow
    noise = _grain(key.frame - behind, ~taken)
    texture = rng.standard_normal(key.frame.shape, np.float32) * noise
    filled = np.where(key.valid[..., None] > 0, key.plate, key.frame) + texture
    live = share * key.frame + (1 - share) * filled
    shadow = share * key.shadow + (1 - share)
    trust = share[..., 0] * key.trust + (1 - share[..., 0]) * (key.valid > 0)
    return Backdrop(
        live.astype(np.float32), shadow.astype(np.float32), trust.astype(np.float32), share[..., 0] > 1 - 1e-6
    )


def certain(key: KeyedFrame, cutout: Cutout | None, behind: Backdrop) -> Array:
    """``(H, W)`` 0..1: how sure the model is of a frame as it is, inside the subject and far off it; 0 between."""
    sure = behind.far if cutout is None else behind.far | ((cutout.rgba[..., 3] == 1) & (key.alpha > 1 - _FAINT))
    return np.asarray(sure * key.trust, np.float32)


def _parts(alpha: Array) -> Mask:
    """Where the subject is: large parts, small holes filled."""
    solid = (alpha > _SOLID).astype(np.uint8)
    _, labels, figures, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    areas = figures[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    large = areas >= max(areas.max() * _PART, 1)
    kept = large[labels]
    _, labels, figures, _ = cv2.connectedComponentsWithStats((~kept).astype(np.uint8), connectivity=4)
    small = figures[:, cv2.CC_STAT_AREA] <= _HOLE * alpha.size
    small[0] = False
    return np.asarray(kept | small[labels], np.bool_)


def _reach(alpha: Array) -> int:
    return max(2, round(min(alpha.shape) * _BAND))


def _grain(difference: Array, where: Mask) -> Array:
    """Standard deviation ``(3,)`` of frame against plate, by the median absolute deviation: mistakes do not count."""
    if not where.any():
        return np.zeros(3, np.float32)
    spread = np.median(np.abs(difference[where] - np.median(difference[where], 0)), 0)
    return np.asarray(1.4826 * spread, np.float32)
