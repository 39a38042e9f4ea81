"""The subject's colour, straight and premultiplied."""

from __future__ import annotations

import numpy as np

from engine.pipeline.solve.rounding import HALF_MAX
from engine.settings import Knobs
from engine.values import Array, Mask

# Share of alpha over which a mismatch of the background moves from the residual into the foreground. At a tenth of
# coverage, hair of 18 % reflectance is as strong as a 2 % error of an equally bright plate.
_HANDOVER = 0.1

# Alphas between which the unmixed pixel takes over from the network's colour: an error of alpha is divided by alpha.
_UNMIXED = (0.1, 0.5)

# Below this alpha a pixel's colour says nothing of the subject's: a highlight of the set must not run into its edges.
# Above, it says as much as alpha's fourth power. Both, and `_UNMIXED`, had the least error on generated shots
# (tests/bench/fg.py).
_VOUCHED = 0.02

# Alphas between which a pixel comes to keep its own colour and grain; it costs no accuracy (measured with the others).
_GRAINY = (0.5, 0.9)

# How far a subject's colour strays from what is expected, as a share of it; the light that black may hold too; and how
# sharply the lesser error wins (fourth power). Of five choices these had the least error of P
# (docs/decisions/0028-trust.md).
_STRAY, _LEAST = 0.3, 1e-3


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
    return np.asarray(1 / (1 + _fourth(leak / stray)), np.float32)[..., None]


def vouched_colour(
    frame: Array, alpha: Array, predicted: Array, behind: Array, valid: Mask, doubt: Array
) -> tuple[Array, Array]:
    """A pixel's own F ``(H, W, 3)``: the frame less the background that shines through, and how far it is `trust`-ed.

    ``(I - (1 - a) s B) / a`` where alpha is large enough to divide by and sure enough to trust, the network's colour
    where it is not; where the plate saw nothing, the frame where it is all subject.

    Args:
        frame: I.
        alpha: a, ``(H, W)``.
        predicted: the network's F.
        behind: ``s B``.
        valid: where the plate saw the pixel.
        doubt: expected error of alpha, ``(H, W)``.

    Returns:
        The colour, and the trust as ``(H, W, 1)`` 0..1.
    """
    cover, sure = alpha[..., None], trust(alpha, doubt, behind, predicted)
    unmixed = (frame - (1 - cover) * behind) / np.maximum(cover, _UNMIXED[0])
    # No darker than the frame where it is dark: an alpha that is too small must not make light negative.
    np.maximum(unmixed, np.minimum(frame, 0), out=unmixed)
    clear = smoothstep((cover - _UNMIXED[0]) / (_UNMIXED[1] - _UNMIXED[0]))
    own, unseen = clear * sure, ~valid[..., None]
    np.copyto(unmixed, frame, where=unseen)
    np.copyto(own, np.clip(cover - 0.9, 0, 0.1) * 10, where=unseen)
    return np.asarray(predicted + own * (unmixed - predicted), np.float32), sure


def vouched(alpha: Array, sure: Array) -> Array:
    """How far a pixel's colour counts past the subject's edge, ``(H, W)`` 0..1: most where it lies well inside."""
    return np.where(alpha > _VOUCHED, _fourth(alpha), 0) * sure[..., 0]


def straight_colour(frame: Array, alpha: Array, colour: Array, smooth: Array, sure: Array) -> Array:
    """F ``(H, W, 3)``, grain and all, continued past the edge.

    Ends at half's range, so that it can always be stored.

    Args:
        frame: I.
        alpha: a, ``(H, W)``.
        colour: `vouched_colour`.
        smooth: that, continued from where it is `vouched`.
        sure: how far the colour is trusted, ``(H, W, 1)``.
    """
    cover = alpha[..., None]
    own = smoothstep((cover - _GRAINY[0]) / (_GRAINY[1] - _GRAINY[0])) * sure
    colour = smooth + (colour - smooth) * own
    np.copyto(colour, frame, where=cover == 1)
    return np.clip(colour, -HALF_MAX, HALF_MAX, out=colour)


def foreground(
    frame: Array, behind: Array, alpha: Array, colour: Array, noise: Array, valid: Mask, knobs: Knobs, doubt: Array
) -> Array:
    """P ``(H, W, 3)``: what the frame holds beyond the background, as far as alpha vouches for it.

    ``P = a F + w (I - (1 - a) s B - a F)`` with ``w`` from 0 at ``a = 0`` to `trust` at `_HANDOVER`: at full weight
    exactly ``I - (1 - a) s B``; where alpha vanishes so does P, and the mismatch is left to the residual. Despill
    lowers ``w`` at soft edges. Negative light stays within a standard deviation of the grain. Where the plate is
    invalid nothing is subtracted and ``P = a F``.
    """
    cover = alpha[..., None]
    given = smoothstep(cover / _HANDOVER)
    weight = given * (1 - knobs.despill * (1 - cover)) * trust(alpha, doubt, behind, colour)
    expected = cover * colour
    light = expected + weight * (frame - (1 - cover) * behind - expected)
    np.maximum(light, np.minimum(-noise, frame) * given, out=light)
    np.copyto(light, expected, where=~valid[..., None])
    np.copyto(light, frame, where=cover == 1)
    np.copyto(light, 0, where=cover == 0)
    return light


def smoothstep(x: Array) -> Array:
    """3 x^2 - 2 x^3 on 0..1, flat outside."""
    t = np.clip(x, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _fourth(x: Array) -> Array:
    """x^4, in a tenth of the time of a power."""
    squared = x * x
    squared *= squared
    return squared
