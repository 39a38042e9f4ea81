"""What a shadow explains: near shadow that the network is sure of, places that miss light just as that does.

A shadow has one colour and leaves the plate's texture as it was; the sure shadow of the same frame shows that colour.
Only what the network itself doubts is settled so: an alpha of 1 stays.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from engine.pipeline.solve.foreground import smoothstep
from engine.values import Array, Mask, Matte, Plate

_SURE_ALPHA, _SURE_RATIO, _FEWEST = 0.05, 0.85, 64
"""Shadow that the network is sure of: alpha below, ratio below, and the pixels of it that a colour is measured on."""

_SHALLOW, _DEEP = 0.08, 0.18
"""Missing light, as a natural logarithm: below the first no shadow is looked for, from the second on it is."""

_DEEPEST = 0.02
"""Smallest ratio; that of the network's head."""

_TINT, _REGISTERED = 0.03, 0.02
"""Deviation of a shadow's colour, relative to its depth; of a log ratio, where a plate lies a tenth of a pixel off."""

_APART = 0.4
"""Deviations within which a colour is the shadow's; at twice as many none of it is. On generated shots nine tenths of
the shadow that the network takes for subject lie within 0.6, nine tenths of a subject beyond 0.6 to 3.5."""

_TEXTURE, _EDGES = 30.0, 0.04
"""Variances of the grain that may be left of the plate's texture, and the relative error of texture that grain is
counted with; at twice as many nothing is shadow. A shadow's hard edges leave up to 20."""

_WINDOW = (5, 5)
"""px that texture is compared in."""

_DOUBT = 0.02
"""An alpha this far below 1 is wholly open to it; 1 itself is not. With 0.2 as much of the subject is missing, and
0.6 % more of the shadow is kept."""

_REACH, _HOPS, _FOUND = 0.05, 4, 0.9
"""Of the longer side: how far from sure shadow more is looked for; how often what was found so counts as sure itself,
and from what share on. Hair lies apart as a rule: without a bound its error rose by 5 % on the same shots."""

_OWN = 3.0
"""Deviations by which a pixel beside shadow may miss what the shadow would show there; at twice as many it is none."""


def explained(frame: Array, plate: Plate, matte: Matte, noise: Array) -> tuple[Matte, Array]:
    """Take out of the alpha what a shadow explains, and measure the ratio there.

    Args:
        frame: ``(H, W, 3)`` linear.
        plate: registered and fitted.
        matte: the network's.
        noise: ``(H, W, 3)``, standard deviation of ``frame - plate``.

    Returns:
        The matte with another alpha and shadow, and ``(H, W)`` 0..1, how surely a pixel is such shadow.
    """
    dark = plate.valid & (matte.alpha < _SURE_ALPHA) & (matte.shadow.mean(2) < _SURE_RATIO)
    share = np.zeros_like(matte.alpha)
    if dark.sum() < _FEWEST:
        return matte, share
    box = _box(dark, _HOPS * _reach(dark.shape) + 8)
    near = Plate(plate.rgb[box], plate.valid[box])
    share[box], ratio = _share(frame[box], near, noise[box], dark[box], _reach(dark.shape))
    shadow, alpha = matte.shadow.copy(), matte.alpha.copy()
    shadow[box] += share[box][..., None] * (np.minimum(ratio, 1) - shadow[box])
    alpha[box] *= 1 - share[box] * smoothstep((1 - alpha[box]) / _DOUBT)
    return replace(matte, alpha=alpha, shadow=shadow), share


def _share(frame: Array, plate: Plate, noise: Array, dark: Mask, reach: int) -> tuple[Array, Array]:
    """``(H, W)`` 0..1, how surely a pixel is shadow such as the network is sure of where ``dark``; its ratio."""
    lit, dimmed = cv2.blur(plate.rgb, (3, 3)), cv2.blur(frame, (3, 3))
    known = plate.valid & (lit > 4 * noise).all(2)
    ratio = np.clip(dimmed / np.where(known[..., None], lit, 1), _DEEPEST, 1 / _DEEPEST)
    logs = np.where(known[..., None], np.log(ratio), 0).astype(np.float32)
    missing = -logs.mean(2)
    sure = known & dark & (missing > _DEEP)
    if sure.sum() < _FEWEST:
        return np.zeros_like(missing), ratio
    colour = np.median(logs[sure] / missing[sure][:, None], 0)
    spread = 0.5 * noise / np.maximum(dimmed, noise) + (_TINT * np.abs(missing) + _REGISTERED)[..., None]
    apart = (np.abs(logs - colour * missing[..., None]) / spread).max(2)
    # Of the windows that a pixel lies in, the one that is most like the plate: one beside it may hold the subject.
    texture = cv2.erode(_texture_left(frame, plate.rgb, noise), np.ones(_WINDOW, np.uint8))
    share = _fading(apart / _APART) * _fading(texture / _TEXTURE) * known
    share *= np.clip((missing - _SHALLOW) / (_DEEP - _SHALLOW), 0, 1)
    share, ratio = _grown(frame, plate.rgb, noise, share.astype(np.float32), ratio)
    return _connected(share, sure, reach), ratio


def _grown(frame: Array, plate: Array, noise: Array, share: Array, ratio: Array) -> tuple[Array, Array]:
    """Share and ratio, smooth, and a pixel further where that one alone is what its neighbours' shadow would show."""
    weight = cv2.blur(share, (3, 3))
    beside = cv2.blur(ratio * share[..., None], (3, 3)) / np.maximum(weight, 1e-6)[..., None]
    expected = beside * plate
    off = (np.abs(frame - expected) / (noise + _REGISTERED * expected)).max(2)
    smooth = smoothstep(1.4 * weight)
    further = cv2.dilate(smooth, np.ones((3, 3), np.uint8)) * _fading(off / _OWN)
    gains = further > smooth
    return np.where(gains, further, smooth), np.where(gains[..., None], beside, ratio)


def _fading(x: Array) -> Array:
    """1 to 1, then down to 0 at 2."""
    return np.clip(2 - x, 0, 1)


def _texture_left(frame: Array, plate: Array, noise: Array) -> Array:
    """``(H, W)``: mean square of what ``frame - s * plate`` leaves in 5 x 5 px, in variances of the grain."""
    ratio = cv2.blur(frame * plate, _WINDOW) / np.maximum(cv2.blur(plate * plate, _WINDOW), 1e-8)
    expected = noise**2 * (1 + ratio**2) / 2 + (_EDGES * ratio * plate) ** 2
    return np.asarray(cv2.blur(((frame - ratio * plate) ** 2 / expected).mean(2), _WINDOW), np.float32)


def _reach(shape: tuple[int, ...]) -> int:
    return max(1, round(_REACH * max(shape)))


def _box(mask: Mask, margin: int) -> tuple[slice, slice]:
    """Rows and columns that hold a mask, with a margin."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return (
        slice(max(int(rows[0]) - margin, 0), int(rows[-1]) + margin + 1),
        slice(max(int(columns[0]) - margin, 0), int(columns[-1]) + margin + 1),
    )


def _connected(share: Array, sure: Mask, reach: int) -> Array:
    """The share where steps of a reach lead from sure shadow, over shadow that was found so."""
    known = sure
    for _ in range(_HOPS):
        connected = share * _near(known, reach)
        known = sure | (connected > _FOUND)
    return connected


def _near(sure: Mask, reach: int) -> Array:
    """``(H, W)`` 0..1: within reach of sure shadow, px."""
    far = cv2.distanceTransform((~sure).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(np.clip((reach + 2 - far) / 4, 0, 1), np.float32)
