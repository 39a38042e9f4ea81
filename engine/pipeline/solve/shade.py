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

_DOUBT = 0.2
"""An alpha this far below 1 is wholly open to it; 1 itself is not."""

_REACH = 0.075
"""Of the longer side: how far from sure shadow more is looked for. Hair lies further off as a rule: without this bound
its error rose by 5 % on the same shots, with a twentieth by nothing."""


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
    lit, dimmed = cv2.blur(plate.rgb, (3, 3)), cv2.blur(frame, (3, 3))
    known = plate.valid & (lit > 4 * noise).all(2)
    ratio = np.clip(dimmed / np.where(known[..., None], lit, 1), _DEEPEST, 1 / _DEEPEST)
    logs = np.where(known[..., None], np.log(ratio), 0).astype(np.float32)
    missing = -logs.mean(2)
    sure = known & (matte.alpha < _SURE_ALPHA) & (matte.shadow.mean(2) < _SURE_RATIO) & (missing > _DEEP)
    if sure.sum() < _FEWEST:
        return matte, np.zeros_like(matte.alpha)
    colour = np.median(logs[sure] / missing[sure][:, None], 0)
    spread = 0.5 * noise / np.maximum(dimmed, noise) + (_TINT * np.abs(missing) + _REGISTERED)[..., None]
    apart = (np.abs(logs - colour * missing[..., None]) / spread).max(2)
    share = _fading(apart / _APART) * _fading(_texture_left(frame, plate.rgb, noise) / _TEXTURE) * known
    share *= np.clip((missing - _SHALLOW) / (_DEEP - _SHALLOW), 0, 1)
    share = smoothstep(1.4 * cv2.blur(share.astype(np.float32), (3, 3))) * _near(sure)
    shadow = matte.shadow + share[..., None] * (np.minimum(ratio, 1) - matte.shadow)
    alpha = matte.alpha * (1 - share * smoothstep((1 - matte.alpha) / _DOUBT))
    return replace(matte, alpha=alpha.astype(np.float32), shadow=shadow.astype(np.float32)), share


def _fading(x: Array) -> Array:
    """1 to 1, then down to 0 at 2."""
    return np.clip(2 - x, 0, 1)


def _texture_left(frame: Array, plate: Array, noise: Array) -> Array:
    """``(H, W)``: mean square of what ``frame - s * plate`` leaves in 5 x 5 px, in variances of the grain."""
    window = (5, 5)
    ratio = cv2.blur(frame * plate, window) / np.maximum(cv2.blur(plate * plate, window), 1e-8)
    expected = noise**2 * (1 + ratio**2) / 2 + (_EDGES * ratio * plate) ** 2
    return np.asarray(cv2.blur(((frame - ratio * plate) ** 2 / expected).mean(2), window), np.float32)


def _near(sure: Mask) -> Array:
    """``(H, W)`` 0..1: within reach of sure shadow."""
    reach = max(1, round(_REACH * max(sure.shape)))
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    return np.asarray(cv2.blur(cv2.dilate(sure.astype(np.float32), disk), (5, 5)), np.float32)
