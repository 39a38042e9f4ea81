"""The demo's light: one soft key that casts the shadow, and everything else.

A diffuse surface of albedo ``c`` shows the radiance ``c * (key + fill)``. Colours are written down in linear Rec. 709,
where they are familiar, and all arithmetic is in scene-linear ACEScg.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.synthesis.demo.camera import Points, floats
from engine.values import Array

REC709_TO_ACESCG = floats(
    [[0.61309741, 0.33952315, 0.04737945], [0.07019373, 0.91635388, 0.01345240], [0.02061560, 0.10956977, 0.86981463]]
)
"""Bradford adapted from D65 to ACES white, as in the OpenColorIO ACES configs."""


def acescg(colours: npt.ArrayLike) -> Array:
    """Linear Rec. 709 colours ``(..., 3)`` in ACEScg."""
    return (np.asarray(colours, np.float32) @ REC709_TO_ACESCG.T).astype(np.float32)


@dataclass(frozen=True)
class Lamp:
    """A small light source.

    Attributes:
        position: x, y, z, metres.
        power: R, G, B: irradiance on a facing surface one metre away.
        core: metres, softens the fall-off nearby.
    """

    position: tuple[float, float, float]
    power: tuple[float, float, float]
    core: float

    def irradiance(self, points: Points, normals: Points, wrap: float = 0.0) -> Array:
        """``(..., 3)`` light that arrives; ``wrap`` (0..1) lets it reach round an edge as a large source's does."""
        towards = floats(self.position) - points
        squared = np.sum(towards**2, axis=-1, keepdims=True)
        cosine = np.sum(towards * normals, axis=-1, keepdims=True) / np.sqrt(squared)
        facing = np.maximum((cosine + wrap) / (1 + wrap), 0)
        return (acescg(self.power) * facing / (squared + self.core**2)).astype(np.float32)


KEY = Lamp((-2.0, 2.45, -0.8), (40.0, 34.4, 28.6), 0.3)
KEY_RADIUS = 0.16
"""metres; the size of the key decides how soft the shadow is."""

WINDOW = Lamp((-2.25, 1.75, 4.9), (4.2, 5.2, 6.4), 0.8)
BULB = Lamp((1.05, 1.92, 4.2), (1.9, 1.02, 0.40), 0.25)
SKY = (0.11, 0.135, 0.17)
GROUND = (0.085, 0.06, 0.042)


def key_light(points: Points, normals: Points) -> Array:
    """``(..., 3)`` irradiance of the key alone."""
    return KEY.irradiance(points, normals)


def fill_light(points: Points, normals: Points) -> Array:
    """``(..., 3)`` irradiance of all but the key: window, bulb, and the room's own bounced light."""
    up = (normals[..., 1:2] + 1) / 2
    bounced = up * acescg(SKY) + (1 - up) * acescg(GROUND)
    lamps = WINDOW.irradiance(points, normals, 0.3) + BULB.irradiance(points, normals, 0.1)
    return (bounced + lamps).astype(np.float32)
