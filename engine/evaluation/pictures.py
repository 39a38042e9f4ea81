"""Pictures to look at: contact sheets and animations of what was delivered.

They go through the default view of the shipped colour config (ACES SDR on an sRGB display) last of all; every merge
happens before it, in linear light.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import PyOpenColorIO

from engine.evaluation.layer_errors import Stack
from engine.pipeline.colour import SHIPPED, load_config
from engine.synthesis.demo.camera import floats
from engine.synthesis.demo.light import acescg
from engine.values import Array

Picture = npt.NDArray[np.uint8]
"""``(H, W, 3)`` display-referred sRGB, R G B."""

SPACE = "ACEScg"
GREY = 0.18
RESIDUAL_GAIN = 8.0
"""The residual is shown this many times larger, about mid grey."""

LABEL_HEIGHT = 26
"""px above a sheet's tiles."""


def shown(linear: Array, space: str = SPACE) -> Picture:
    """Linear colours ``(H, W, 3)`` as a display shows them: the config's default display and view."""
    values = np.array(linear, np.float32, order="C")
    _view(space).applyRGB(values)
    return np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)


def shown_data(values: Array) -> Picture:
    """A matte or map ``(H, W)`` in 0..1 as grey, without any view."""
    grey = np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def over(stack: Stack, background: Array) -> Array:
    """The premultiplied foreground and its shadow over another background, ``(H, W, 3)`` linear; without residual."""
    return (stack.premultiplied + (1 - stack.alpha[..., None]) * stack.shadow_ratio * background).astype(np.float32)


def contact_sheet(rows: Sequence[tuple[Array, Stack]], background: Array, width: int = 400) -> Picture:
    """One row a frame: frame, plate, alpha, foreground over grey, shadow, residual, over a new background.

    Args:
        rows: ``(frame, layers)``, both linear in `SPACE`.
        background: ``(H, W, 3)`` linear, for the last column.
        width: px of a tile.
    """
    columns = {
        "frame": [shown(frame) for frame, _ in rows],
        "clean plate, registered": [shown(stack.plate) for _, stack in rows],
        "alpha": [shown_data(stack.alpha) for _, stack in rows],
        "foreground over grey": [shown(_over_grey(stack)) for _, stack in rows],
        "shadow ratio": [shown_data(stack.shadow_ratio.mean(axis=2)) for _, stack in rows],
        f"residual x {RESIDUAL_GAIN:g}": [shown(GREY + RESIDUAL_GAIN * stack.residual) for _, stack in rows],
        "over a new background": [shown(over(stack, background)) for _, stack in rows],
    }
    return sheet(columns, width)


def sheet(columns: Mapping[str, Sequence[Picture]], width: int) -> Picture:
    """Columns of pictures under their titles, each picture ``width`` px wide."""
    return np.hstack([_column(title, tiles, width) for title, tiles in columns.items()])


def before_and_after(frame: Array, stack: Stack, background: Array, width: int = 640) -> Picture:
    """The frame beside its result over a new background, each `width` px wide."""
    return np.hstack([_fitted(shown(image), width) for image in (frame, over(stack, background))])


def write_picture(path: Path, picture: Picture) -> Path:
    """Write a still in the format of its suffix.

    Raises:
        OSError: it could not be written.
    """
    if not cv2.imwrite(str(path), picture[..., ::-1]):
        raise OSError(f"{path} could not be written.")
    return path


def write_animation(path: Path, pictures: Sequence[Picture], rate: float = 12.0) -> Path:
    """Write an animated picture (WebP by its suffix) that repeats for ever, at ``rate`` pictures a second.

    Raises:
        OSError: it could not be written.
    """
    animation = cv2.Animation()
    animation.frames = [np.ascontiguousarray(picture[..., ::-1]) for picture in pictures]
    animation.durations = [round(1000 / rate)] * len(pictures)
    if not cv2.imwriteanimation(str(path), animation, [cv2.IMWRITE_WEBP_QUALITY, 82]):
        raise OSError(f"{path} could not be written.")
    return path


def evening_room(size: tuple[int, int]) -> Array:
    """A procedural new set, ``(H, W, 3)`` linear ACEScg: a plastered wall in low sun through a window, a pale floor.

    Wall and floor meet where they do in the demo's set, so that its shadow falls as it did there.
    """
    y, x = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32) / size[1]
    corner = 0.424
    wall = floats([0.045, 0.115, 0.135]) * (1.25 - 0.8 * (x - 0.25) ** 2 - 0.7 * y)[..., None]
    slanted = y + 0.16 * x
    panes = [
        _soft_box(x + 0.10 * y, 0.40 + 0.125 * i, 0.51 + 0.125 * i, 0.006) * _soft_box(slanted, low, low + 0.13, 0.006)
        for i in range(4)
        for low in (0.12, 0.265)
    ]
    wall = wall + np.sum(panes, axis=0)[..., None] * floats([0.62, 0.30, 0.105])
    depth = np.clip((y - corner) / (size[0] / size[1] - corner), 0, 1)[..., None]
    floor = floats([0.20, 0.155, 0.12]) * (0.65 + 0.5 * depth) + 0.12 * (1 - depth) ** 2 * floats([0.9, 0.5, 0.25])
    boards = 1 - 0.25 * np.exp(-(((((x - 0.5) / (0.35 + depth[..., 0]) * 14) % 1 - 0.5) / 0.03) ** 2))[..., None]
    skirting = _soft_box(y, corner - 0.022, corner, 0.001)[..., None]
    wall = (1 - skirting) * wall + skirting * floats([0.30, 0.27, 0.24])
    return acescg(np.where(y[..., None] < corner, wall, floor * boards))


@lru_cache
def _view(space: str) -> PyOpenColorIO.CPUProcessor:
    config = load_config(SHIPPED).ocio
    display = config.getDefaultDisplay()
    transform = PyOpenColorIO.DisplayViewTransform(src=space, display=display, view=config.getDefaultView(display))
    return config.getProcessor(transform).getDefaultCPUProcessor()


def _over_grey(stack: Stack) -> Array:
    return (stack.premultiplied + (1 - stack.alpha[..., None]) * np.float32(GREY)).astype(np.float32)


def _column(title: str, tiles: Sequence[Picture], width: int) -> Picture:
    label = np.full((LABEL_HEIGHT, width, 3), 24, np.uint8)
    font, place = cv2.FONT_HERSHEY_SIMPLEX, (6, LABEL_HEIGHT - 8)
    cv2.putText(label, title, place, font, 0.5, (225, 225, 225), 1, cv2.LINE_AA)
    return np.vstack([label, *(_fitted(tile, width) for tile in tiles)])


def _fitted(picture: Picture, width: int) -> Picture:
    height = round(picture.shape[0] * width / picture.shape[1])
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))


def _soft_box(values: Array, low: float, high: float, softness: float) -> Array:
    """1 between two bounds, falling to 0 over ``softness`` on either side."""
    inside = np.minimum(values - low, high - values) / softness
    return np.clip(inside + 0.5, 0, 1).astype(np.float32)
