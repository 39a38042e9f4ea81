"""What the 2020 system does to a cut-out subject and its background before the network sees them.

Numbers are those of the published training code, for 512 px; other sizes scale them. Colours are display-referred
sRGB in 0..1.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine.synthesis.faults import srgb
from engine.synthesis.textures import Rng
from engine.training.composition.cutouts import Bytes
from engine.values import Array

_PUBLISHED_SIZE = 512

# Rec.601 luma, as OpenCV makes grey pictures.
_LUMA = np.array((0.299, 0.587, 0.114), np.float32)


def crop(rng: Rng, pictures: tuple[Bytes, ...], alpha: Bytes, size: int) -> list[Array]:
    """The same square of several pictures, ``size`` px a side, 0..1.

    As published: everything is squeezed to a square of 800 px, and 576 to 800 px of it, about a point of the soft band,
    become 512. Ours: half of them are mirrored.

    Args:
        rng: source of randomness.
        pictures: of any size.
        alpha: says where the soft band is.
        size: px.
    """
    whole = round(800 * size / _PUBLISHED_SIZE)
    side = int(rng.integers(round(576 * size / _PUBLISHED_SIZE), whole + 1))
    small = cv2.resize(alpha, (whole, whole), interpolation=cv2.INTER_AREA)
    band = np.argwhere((small > 0) & (small < 255))
    centre = band[rng.integers(len(band))] if len(band) else np.full(2, whole // 2)
    top, left = (int(np.clip(place - side // 2, 0, whole - side)) for place in centre)
    mirror = rng.choice((-1, 1))
    results = []
    for picture in pictures:
        squeezed = cv2.resize(picture, (whole, whole), interpolation=cv2.INTER_AREA)
        piece = cv2.resize(squeezed[top : top + side, left : left + side], (size, size), interpolation=cv2.INTER_AREA)
        results.append(np.ascontiguousarray(piece[:, ::mirror], np.float32) / np.float32(255))
    return results


def over(colour: Array, alpha: Array, background: Array, linear: bool) -> Array:
    """A subject over a background, both display-referred; mixed as they are (as published), or as light mixes.

    Args:
        colour: ``(H, W, 3)`` straight.
        alpha: ``(H, W, 1)``.
        background: ``(H, W, 3)``.
        linear: mix in linear light.
    """
    if not linear:
        return colour * alpha + background * (1 - alpha)
    return srgb(light(colour) * alpha + light(background) * (1 - alpha))


def light(display: Array) -> Array:
    """Linear light of display-referred values, IEC 61966-2-1."""
    return np.where(display > 0.04045, ((display + 0.055) / 1.055) ** 2.4, display / 12.92).astype(np.float32)


def faulty_plate(rng: Rng, background: Array) -> Array:
    """The plate as published: grain with an offset in two of five, else another gamma; it lies where it was."""
    if rng.random() < 0.4:
        grain = rng.normal(int(rng.integers(-7, 7)), int(rng.integers(2, 6)), background.shape) / 255
        return (background + grain).clip(0, 1).astype(np.float32)
    return (background ** max(rng.normal(1, 0.12), 0.1)).astype(np.float32)


def shifted(rng: Rng, plate: Array, most: float) -> Array:
    """The plate up to ``most`` px aside, and turned by up to as many tenths of a degree: a camera in the hand."""
    if not most:
        return plate
    size = plate.shape[0]
    matrix = cv2.getRotationMatrix2D((size / 2, size / 2), rng.uniform(-0.1, 0.1) * most, 1)
    matrix[:, 2] += rng.uniform(-most, most, 2)
    moved = cv2.warpAffine(plate, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.float32)


def segmentation(rng: Rng, alpha: Array) -> Array:
    """What a segmenter might have said of the subject: worn, grown, with holes, and soft. ``(H, W)`` 0..1."""
    scale = alpha.shape[0] / _PUBLISHED_SIZE
    mask = (alpha >= 1 / 255).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    mask = cv2.erode(mask, kernel, iterations=round(rng.integers(10, 21) * scale))
    mask = cv2.dilate(mask, kernel, iterations=round(rng.integers(15, 31) * scale))
    for _ in range(rng.integers(0, 3)):
        side = round(rng.integers(15, 46) * scale)
        top, left = rng.integers(0, alpha.shape[0] - side + 1, 2)
        mask[top : top + side, left : left + side] = 0
    width = round(rng.choice((21, 31, 41)) * scale) // 2 * 2 + 1
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (width, width), 0), np.float32)


def motion(rng: Rng, colour: Array, alpha: Array, plate: Array) -> Array:
    """Four grey neighbour frames, ``(H, W, 4)``: the subject slightly elsewhere over the plate, each half of the time.

    Shifts are normal with deviation 5 px, turns with 7 degrees, scale and shear with 5 %.
    """
    return np.dstack([over(*_moved(rng, colour, alpha), plate, linear=False) @ _LUMA for _ in range(4)])


def _moved(rng: Rng, colour: Array, alpha: Array) -> tuple[Array, Array]:
    if rng.random() < 0.5:
        return colour, alpha
    size = alpha.shape[0]
    turn, shear = np.deg2rad(rng.normal(0, 7)), rng.normal(0, 0.05)
    cosine, sine = np.cos(turn) * (1 + rng.normal(0, 0.05)), np.sin(turn)
    linear = np.array(((cosine, -sine + shear), (sine, cosine)))
    shift = rng.normal(0, 5, 2) * size / _PUBLISHED_SIZE
    middle = np.full(2, size / 2)
    matrix = np.column_stack((linear, middle + shift - linear @ middle))
    flags = {"flags": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_CONSTANT}
    return cv2.warpAffine(colour, matrix, (size, size), **flags), cv2.warpAffine(alpha, matrix, (size, size), **flags)[
        ..., None
    ]
