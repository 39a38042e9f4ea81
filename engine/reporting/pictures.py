"""A delivered frame as small pictures that lie in the page itself."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import cv2
import numpy as np

from engine.evaluation.pictures import Picture, shown, shown_data
from engine.pipeline import colour
from engine.reporting.result import Result
from engine.values import Array

_WIDTH = 480
"""px of a picture; of a shot's worst and a few others that is a page of some megabytes."""

_QUALITY = 84
_GREY = 0.18
"""JPEG's quality; mid grey, the new background."""


@dataclass(frozen=True)
class Tiles:
    """One frame's pictures as ``data:`` addresses.

    Attributes:
        before: the frame; where it is not known, the matte.
        after: foreground and shadow over mid grey.
        alpha: the matte.
        uncertainty: of it; empty where it is not known.
        has_frame: ``before`` is the frame.
    """

    before: str
    after: str
    alpha: str
    uncertainty: str
    has_frame: bool


@dataclass(frozen=True)
class Light:
    """How linear colours are shown.

    Attributes:
        config: knows the space.
        space: of the results.
        exposure: factor that brings the shot to mid grey.
    """

    config: colour.ColourConfig
    space: str
    exposure: float = 1.0

    def shown(self, rgb: Array) -> Picture:
        """Linear ``(h, w, 3)`` as a display shows it."""
        return shown(colour.to_acescg(np.asarray(rgb * np.float32(self.exposure), np.float32), self.config, self.space))

    def exposed(self, rgb: Array) -> Light:
        """The same with the exposure that a picture asks for."""
        acescg = colour.to_acescg(np.ascontiguousarray(rgb), self.config, self.space)
        anchor = colour.exposure_anchor(acescg, np.ones(rgb.shape[:2], bool))
        return Light(self.config, self.space, anchor)


def tiles(result: Result, frame: Array | None, light: Light) -> Tiles:
    """Draw a frame.

    Args:
        result: the layers.
        frame: ``(H, W, 3)`` linear, in the space of the results; None where it is not known.
        light: how colours are shown.
    """
    alpha = _small(result.alpha)
    grey = _GREY / light.exposure
    over = _small(result.premultiplied) + (1 - alpha[..., None]) * _small(result.shadow) * np.float32(grey)
    matte = shown_data(alpha)
    before = matte if frame is None else light.shown(_small(frame))
    unsure = "" if result.uncertainty is None else _address(shown_data(_small(result.uncertainty)))
    return Tiles(_address(before), _address(light.shown(over)), _address(matte), unsure, frame is not None)


def _small(image: Array) -> Array:
    scale = min(1.0, _WIDTH / image.shape[1])
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.float32)


def _address(picture: Picture) -> str:
    packed = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
    return "data:image/jpeg;base64," + base64.b64encode(packed.tobytes()).decode("ascii")
