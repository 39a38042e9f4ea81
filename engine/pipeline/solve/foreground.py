"""The subject's colour, straight and premultiplied."""

from __future__ import annotations

import numpy as np

from engine.pipeline.solve.extend import extend
from engine.settings import Knobs
from engine.values import Array, Plate

HALF_MAX = 65504.0
"""Largest half, IEEE 754-2008 binary16."""

# Share of alpha over which a mismatch of the background moves from the residual into the foreground. At a tenth of
# coverage, hair of 18 % reflectance is as strong as a 2 % error of an equally bright plate.
_HANDOVER = 0.1

# Alphas between which the unmixed pixel takes over from the network's colour: an error of alpha is divided by alpha.
_UNMIXED = (0.1, 0.5)

# Below this alpha a pixel's colour says nothing of the subject's: a highlight of the set must not run into its edges.
# Above, it says as much as this power of alpha. Both, and `_UNMIXED`, had the least error on generated shots
# (tests/bench/fg.py).
_VOUCHED, _POWER = 0.02, 4

# Alphas between which a pixel comes to keep its own colour and grain; it costs no accuracy (measured with the others).
_GRAINY = (0.5, 0.9)

# How far a subject's colour strays from what is expected, as a share of it; the light that black may hold too; and how
# sharply the lesser error wins. Of five choices these had the least error of P (docs/decisions/0028-trust.md).
_STRAY, _LEAST, _STEEP = 0.3, 1e-3, 4


def trust(alpha: Array, doubt: Array, behind: Array, expected: Array) -> Array:
    """How far what is left of a pixel without its background may be taken for the subject, ``(H, W, 1)`` 0..1.

    An alpha that is wrong by e leaves ``e s B`` of the set's light in ``I - (1 - a) s B``; the expected colour instead
    of it is wrong by ``(e + 0.3 a) F``. The lesser error gets the say: a strand of hair before a window keeps no bars.

    Args:
        alpha: a, ``(H, W)``.
        doubt: e, expected error of alpha, ``(H, W)``.
        behind: ``s B``, ``(H, W, 3)``.
        expected: F, the same.
    """
    leak = doubt * np.abs(behind).max(2)
    stray = (doubt + _STRAY * alpha) * np.abs(expected).max(2) + _LEAST
    return np.asarray(1 / (1 + (leak / stray) ** _STEEP), np.float32)[..., None]


def straight_colour(frame: Array, alpha: Array, predicted: Array, behind: Array, plate: Plate, doubt: Array) -> Array:
    """F ``(H, W, 3)``: the frame less the background that shines through, grain and all, continued past the edge.

    ``(I - (1 - a) s B) / a`` where alpha is large enough to divide by and sure enough to `trust`, the network's colour
    where it is not; where the plate saw nothing, the frame where it is all subject. What counts past the edge is what
    lies well inside. Ends at half's range, so that it can always be stored.

    Args:
        frame: I.
        alpha: a, ``(H, W)``.
        predicted: the network's F.
        behind: ``s B``.
        plate: where it saw the pixel.
        doubt: expected error of alpha, ``(H, W)``.
    """
    cover, sure = alpha[..., None], trust(alpha, doubt, behind, predicted)
    unmixed = (frame - (1 - cover) * behind) / np.maximum(cover, _UNMIXED[0])
    # No darker than the frame where it is dark: an alpha that is too small must not make light negative.
    unmixed = np.maximum(unmixed, np.minimum(frame, 0))
    clear = smoothstep((cover - _UNMIXED[0]) / (_UNMIXED[1] - _UNMIXED[0]))
    solid = np.clip(cover - 0.9, 0, 0.1) * 10
    seen = plate.valid[..., None]
    colour = predicted + np.where(seen, clear * sure, solid) * (np.where(seen, unmixed, frame) - predicted)
    smooth = extend(np.asarray(colour, np.float32), np.where(alpha > _VOUCHED, alpha**_POWER, 0) * sure[..., 0])
    own = smoothstep((cover - _GRAINY[0]) / (_GRAINY[1] - _GRAINY[0])) * sure
    return np.clip(np.where(cover == 1, frame, smooth + (colour - smooth) * own), -HALF_MAX, HALF_MAX)


def foreground(
    frame: Array, behind: Array, alpha: Array, colour: Array, noise: Array, plate: Plate, knobs: Knobs, doubt: Array
) -> Array:
    """P ``(H, W, 3)``: what the frame holds beyond the background, as far as alpha vouches for it.

    ``P = a F + w (I - (1 - a) s B - a F)`` with ``w`` from 0 at ``a = 0`` to `trust` at `_HANDOVER`: at full weight
    exactly ``I - (1 - a) s B``; where alpha vanishes so does P, and the mismatch is left to the residual. Despill
    lowers ``w`` at soft edges. Negative light stays within a standard deviation of the grain. Where the plate is
    invalid nothing is subtracted and ``P = a F``.
    """
    cover = alpha[..., None]
    weight = smoothstep(cover / _HANDOVER) * (1 - knobs.despill * (1 - cover)) * trust(alpha, doubt, behind, colour)
    expected = cover * colour
    exact = expected + weight * (frame - (1 - cover) * behind - expected)
    exact = np.maximum(exact, np.minimum(-noise, frame) * smoothstep(cover / _HANDOVER))
    premultiplied = np.where(plate.valid[..., None] | (cover == 1), exact, expected)
    keyed = np.where(cover == 1, frame, premultiplied)
    return np.asarray(np.where(cover == 0, 0, keyed), np.float32)


def smoothstep(x: Array) -> Array:
    """3 x^2 - 2 x^3 on 0..1, flat outside."""
    t = np.clip(x, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
