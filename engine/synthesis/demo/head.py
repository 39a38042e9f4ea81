"""The actor's head: a skull with a nose, brows, lips and chin, and a face painted on it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.synthesis.demo.camera import floats
from engine.synthesis.demo.surface import Surface
from engine.synthesis.demo.textures import Colour
from engine.values import Array

HEAD_CENTRE = (0.0, 1.612, 0.022)
"""In the actor's axes, metres."""
HEAD_RADII = (0.0765, 0.118, 0.096)
"""Half width, height and depth, metres."""

SKIN: Colour = (0.50, 0.29, 0.205)
LIPS: Colour = (0.36, 0.10, 0.085)


def head() -> Surface:
    """Skull and face about the origin, looking along z; rings from the chin up, columns from behind round her right."""
    rise = np.linspace(-0.5, 0.5, 101, dtype=np.float32)[:, None] * np.pi * 0.985
    turn = np.linspace(-np.pi, np.pi, 121, dtype=np.float32)[None]
    front = np.cos(turn / 2) ** 2
    out = 1 + 0.225 * _bump(turn, 0, 0.115, rise, -0.10, 0.15) * (0.55 + 0.45 * _ramp(rise, 0.12, -0.12))
    out = out - 0.055 * (_bump(turn, 0.36, 0.2, rise, 0.13, 0.11) + _bump(turn, -0.36, 0.2, rise, 0.13, 0.11))
    out = out + 0.03 * _bump(turn, 0, 0.55, rise, 0.30, 0.10) + 0.045 * _bump(turn, 0, 0.22, rise, -0.44, 0.07)
    out = out + 0.07 * _bump(turn, 0, 0.3, rise, -0.78, 0.22) - 0.02 * _bump(turn, 0, 0.25, rise, -0.57, 0.05)
    jaw = 1 - 0.24 * _ramp(rise, -0.15, -1.1) * front
    points = np.stack(
        [
            HEAD_RADII[0] * np.cos(rise) * np.sin(turn) * out * jaw,
            HEAD_RADII[1] * np.sin(rise) * (1 + 0.10 * front * _ramp(rise, -0.3, -1.2)) * np.ones_like(turn),
            HEAD_RADII[2] * np.cos(rise) * np.cos(turn) * out,
        ],
        axis=-1,
    )
    return Surface(points.astype(np.float32), _face(rise[:-1], turn[:, :-1]))


def _face(rise: Array, turn: Array) -> Array:
    """Albedo by direction: skin, warm cheeks and nose, lips, eyes with lids, brows."""
    colour = np.broadcast_to(floats(SKIN), (*np.broadcast_shapes(rise.shape, turn.shape), 3)).copy()
    blush = _bump(np.abs(turn), 0.5, 0.22, rise, -0.2, 0.16) + 0.8 * _bump(turn, 0, 0.12, rise, -0.13, 0.08)
    colour *= 1 - 0.3 * blush[..., None] * floats([0.15, 0.75, 0.75])
    side = np.abs(turn)
    arch = 0.285 + 0.05 * np.cos(4.0 * (side - 0.36))
    _lay(colour, np.exp(-(((side - 0.37) / 0.19) ** 4) - ((rise - arch) / 0.027) ** 2), (0.06, 0.035, 0.022))
    socket = np.exp(-(((side - 0.345) / 0.15) ** 4) - ((rise - 0.135) / 0.072) ** 4)
    _lay(colour, 0.9 * np.clip(2 * socket - 0.6, 0, 1), (0.48, 0.44, 0.41))
    iris = np.exp(-(((np.hypot((side - 0.345) * 0.8, rise - 0.14)) / 0.058) ** 6))
    _lay(colour, iris * np.clip(2 * socket, 0, 1), (0.035, 0.022, 0.014))
    lid = np.exp(-(((side - 0.355) / 0.175) ** 6) - ((rise - 0.195 + 0.9 * (side - 0.35) ** 2) / 0.024) ** 2)
    _lay(colour, lid, (0.022, 0.014, 0.012))
    width = np.exp(-((turn / 0.235) ** 6))
    _lay(colour, width * np.exp(-(((rise + 0.45 + 0.5 * turn**2) / 0.062) ** 4)), LIPS)
    _lay(colour, 0.75 * width * np.exp(-(((rise + 0.447 - 0.35 * turn**2) / 0.014) ** 2)), (0.10, 0.02, 0.02))
    _lay(colour, 0.7 * _bump(side, 0.062, 0.034, rise, -0.235, 0.03), (0.13, 0.05, 0.035))
    return colour


def _lay(colour: Array, cover: npt.NDArray[np.floating], paint: Colour) -> None:
    colour += cover[..., None] * (floats(paint) - colour)


def _bump(x: Array, x0: float, x_width: float, y: Array, y0: float, y_width: float) -> Array:
    return np.exp(-(((x - x0) / x_width) ** 2) - ((y - y0) / y_width) ** 2).astype(np.float32)


def _ramp(x: Array, zero: float, one: float) -> Array:
    return np.clip((x - zero) / (one - zero), 0, 1).astype(np.float32)
