"""What a shadow explains: near shadow that the network is sure of, places that miss light just as that does.

A shadow has one colour and leaves the plate's texture as it was; the sure shadow of the same frame shows that colour.
Only what the network itself doubts is settled so: an alpha of 1 stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial

import cv2
import numpy as np

from engine.pipeline.solve.foreground import smoothstep
from engine.pipeline.solve.grain import deviation
from engine.pipeline.solve.pieces import Strip, box, by_plane, in_strips, planar, planes
from engine.values import Array, Mask, Matte, Photometric, Plate

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

_TEXTURE, _EDGES = 8.0, 0.04
"""Variances of the grain that may be left of the plate's texture, and the relative error of texture that grain is
counted with; at twice as many nothing is shadow. Strands of dark hair leave 10 to 30."""

_WINDOW = (5, 5)
"""px that texture is compared in."""

_DOUBT = 0.02
"""An alpha this far below 1 is wholly open to it; 1 itself is not. With 0.2 as much of the subject is missing, and
0.6 % more of the shadow is kept."""

_EDGE = 0.004
"""Of the longer side: so far from what is surely subject its soft edge is left to the network; from twice as far on
shadow is looked for. Dark hair ends there by degrees, and would be cut off where it begins to be soft."""

_REACH, _HOPS, _FOUND = 0.05, 4, 0.9
"""Of the longer side: how far from sure shadow more is looked for; how often what was found so counts as sure itself,
and from what share on. Hair lies apart as a rule: without a bound its error rose by 5 % on the same shots."""

_OWN = 3.0
"""Deviations by which a pixel beside shadow may miss what the shadow would show there; at twice as many it is none."""


def explained(frame: Array, plate: Plate, matte: Matte, fit: Photometric) -> tuple[Matte, Array]:
    """Take out of the alpha what a shadow explains, and measure the ratio there.

    Args:
        frame: ``(H, W, 3)`` linear.
        plate: registered and fitted.
        matte: the network's.
        fit: the noise of ``frame - plate``.

    Returns:
        The matte with another alpha and shadow, and ``(H, W)`` 0..1, how surely a pixel is such shadow.
    """
    shadow, alpha = planar(matte.shadow), matte.alpha
    dark = plate.valid & (alpha < _SURE_ALPHA) & (shadow.mean(2) < _SURE_RATIO)
    share = np.zeros_like(alpha)
    if dark.sum() < _FEWEST:
        return matte, share
    reach = max(1, round(_REACH * max(dark.shape)))
    around = box(dark, _HOPS * reach + 8)
    pair = _Pair(frame[around], Plate(plate.rgb[around], plate.valid[around]), fit)
    share[around], ratio = _share(pair, dark[around], reach)
    share[around] *= 1 - _edge(alpha[around], _EDGE * max(dark.shape))
    shadow, alpha = shadow.copy("K"), alpha.copy()
    taken, near, left = share[around], shadow[around], alpha[around]

    def solve(strip: Strip) -> None:
        rows = strip.keep
        near[rows] += taken[rows][..., None] * (np.minimum(ratio[rows], 1) - near[rows])
        left[rows] *= 1 - taken[rows] * smoothstep((1 - left[rows]) / _DOUBT)

    in_strips(left.shape, solve)
    return replace(matte, alpha=alpha, shadow=shadow), share


@dataclass(frozen=True)
class _Pair:
    """A frame and its plate, or some rows of them, plane by plane."""

    frame: Array
    plate: Plate
    fit: Photometric

    def at(self, rows: slice) -> _Pair:
        """Some rows."""
        return _Pair(planar(self.frame[rows]), Plate(planar(self.plate.rgb[rows]), self.plate.valid[rows]), self.fit)

    @cached_property
    def noise(self) -> Array:
        """Standard deviation of ``frame - plate``, ``(H, W, 3)``."""
        return deviation(self.frame, self.fit)

    @cached_property
    def dimmed(self) -> Array:
        """The frame's mean over 3 x 3 px."""
        return by_plane(_mean, self.frame)


def _share(pair: _Pair, dark: Mask, reach: int) -> tuple[Array, Array]:
    """``(H, W)`` 0..1, how surely a pixel is shadow such as the network is sure of where ``dark``; its ratio."""
    known, ratio, texture = _measured(pair)
    sure = known & dark
    logs = np.log(ratio[sure])
    missing = -logs.mean(1)
    deep = missing > _DEEP
    sure[sure] = deep
    if deep.sum() < _FEWEST:
        return np.zeros(dark.shape, np.float32), ratio
    colour = np.median(logs[deep] / missing[deep][:, None], 0)
    share = np.empty(dark.shape, np.float32)

    def solve(strip: Strip) -> None:
        part, rows = pair.at(strip.see), strip.keep
        grain = np.asarray(part.noise / np.maximum(part.dimmed, part.noise), np.float32)[strip.inner]
        likely = _alike(ratio[rows], grain, colour) * _fading(texture[rows] / _TEXTURE)
        share[rows] = np.where(known[rows], likely, 0)

    in_strips(share.shape, solve, margin=1)
    share, ratio = _grown(pair, share, ratio)
    return _connected(share, sure, reach), ratio


def _measured(pair: _Pair) -> tuple[Mask, Array, Array]:
    """Where a ratio of frame to plate can be told, that ratio, and how much of the plate's texture is missing."""
    shape = pair.plate.valid.shape
    known, ratio, texture = np.empty(shape, bool), planes(*shape), np.empty(shape, np.float32)

    def solve(strip: Strip) -> None:
        part, rows, inner = pair.at(strip.see), strip.keep, strip.inner
        lit = by_plane(_mean, part.plate.rgb)
        seen = part.plate.valid & (lit > 4 * part.noise).all(2)
        known[rows] = seen[inner]
        ratio[rows] = np.clip(part.dimmed / np.where(seen[..., None], lit, 1), _DEEPEST, 1 / _DEEPEST)[inner]
        texture[rows] = _texture_left(part.frame, part.plate.rgb, part.noise)[inner]

    in_strips(shape, solve, margin=_WINDOW[0] - 1)
    # Of the windows that a pixel lies in, the one that is most like the plate: one beside it may hold the subject.
    return known, ratio, cv2.erode(texture, np.ones(_WINDOW, np.uint8))


def _alike(ratio: Array, grain: Array, colour: Array) -> Array:
    """``(H, W)`` 0..1: whether a ratio has the shadow's colour, within relative grain, and is deep enough to tell."""
    logs = np.log(ratio)
    missing = -logs.mean(2)
    spread = 0.5 * grain + (_TINT * np.abs(missing) + _REGISTERED)[..., None]
    apart = (np.abs(logs - colour * missing[..., None]) / spread).max(2)
    return _fading(apart / _APART) * np.clip((missing - _SHALLOW) / (_DEEP - _SHALLOW), 0, 1)


def _grown(pair: _Pair, share: Array, ratio: Array) -> tuple[Array, Array]:
    """Share and ratio, smooth, and a pixel further where that one alone is what its neighbours' shadow would show."""
    weight = _mean(share)
    grown, beside = smoothstep(1.4 * weight), planes(*share.shape)
    further = cv2.dilate(grown, np.ones((3, 3), np.uint8))

    def solve(strip: Strip) -> None:
        part, rows = pair.at(strip.keep), strip.keep
        weighted = by_plane(_mean, ratio[strip.see] * share[strip.see][..., None])[strip.inner]
        expected = weighted / np.maximum(weight[rows], 1e-6)[..., None]
        shown = expected * part.plate.rgb
        off = (np.abs(part.frame - shown) / (part.noise + _REGISTERED * shown)).max(2)
        reached = further[rows] * _fading(off / _OWN)
        gains = reached > grown[rows]
        grown[rows] = np.where(gains, reached, grown[rows])
        beside[rows] = np.where(gains[..., None], expected, ratio[rows])

    in_strips(share.shape, solve, margin=1)
    return grown, beside


def _mean(plane: Array) -> Array:
    """Of 3 x 3 px."""
    return cv2.blur(plane, (3, 3))


def _fading(x: Array) -> Array:
    """1 to 1, then down to 0 at 2."""
    return np.clip(2 - x, 0, 1)


def _texture_left(frame: Array, plate: Array, noise: Array) -> Array:
    """``(H, W)``: mean square of what ``frame - s * plate`` leaves in 5 x 5 px, in variances of the grain."""
    mean = partial(cv2.blur, ksize=_WINDOW)
    ratio = by_plane(mean, frame * plate) / np.maximum(by_plane(mean, plate * plate), 1e-8)
    expected = noise**2 * (1 + ratio**2) / 2 + (_EDGES * ratio * plate) ** 2
    return np.asarray(mean(((frame - ratio * plate) ** 2 / expected).mean(2)), np.float32)


def _edge(alpha: Array, width: float) -> Array:
    """``(H, W)`` 0..1: within a width, px, of what is surely subject, and more than a speck."""
    subject = cv2.morphologyEx((alpha > 1 - _DOUBT).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    far = cv2.distanceTransform(1 - subject, cv2.DIST_L2, 5)
    return np.asarray(_fading(np.minimum(far, 2 * width) / width), np.float32)


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
