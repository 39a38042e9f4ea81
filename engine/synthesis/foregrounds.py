"""Drawn subjects with exact linear alpha: people with hair, things with holes, plants, fur and veils."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from engine.synthesis import silhouettes as draw
from engine.synthesis.textures import Rng, colour, noise, surface
from engine.values import Array

SIZE = 640
"""px, height and width of a drawn subject."""

# Lengths below are those of a subject of 448 px.
_UNIT = SIZE / 448


class Painting:
    """A subject while it is painted: premultiplied linear colour and alpha, part over part."""

    def __init__(self, rng: Rng, photos: Sequence[Array]) -> None:
        self.rng = rng
        self.photos = photos
        self.rgba = np.zeros((SIZE, SIZE, 4), np.float32)

    def over(self, coverage: Array, rgb: Array) -> None:
        """Paint a part: coverage ``(S, S)`` 0..1, colour ``(S, S, 3)`` or ``(3,)``."""
        cover = coverage[..., None]
        self.rgba *= 1 - cover
        self.rgba[..., :3] += cover * rgb
        self.rgba[..., 3] += coverage

    def part(self, *outlines: draw.Points) -> None:
        """Paint filled outlines with a surface of their own."""
        sheet = draw.Sheet(SIZE)
        for outline in outlines:
            sheet.fill(outline)
        self.over(sheet.coverage(), surface(self.rng, self.photos, SIZE))

    def hair(self, roots: draw.Points, centre: draw.Points, count: int, length: float) -> None:
        """Paint hair that grows from an outline, in several tones of one colour."""
        rng, tone, curl = self.rng, colour(self.rng), self.rng.uniform(0, 1)
        thick = int(rng.choice((1, 1, 2, 3)))
        shades = 5
        for _ in range(shades):
            picked = rng.integers(len(roots), size=max(1, count // shades))
            grown = roots[picked] + rng.normal(0, 3, (len(picked), 2))
            outward = grown - centre
            outward /= np.maximum(np.hypot(outward[:, :1], outward[:, 1:]), 1e-6)
            sheet = draw.Sheet(SIZE)
            sheet.hairs(draw.locks(rng, grown, outward, length, curl), thick)
            self.over(sheet.coverage() * rng.uniform(0.6, 1), tone * np.float32(np.exp(rng.normal(0, 0.5))))


def _person(painting: Painting, scale: float, x: float, y: float) -> None:
    """Head, neck, shoulders and hair; ``scale`` is the head's height in px, ``x, y`` its centre."""
    rng = painting.rng
    centre = np.array((x, y))
    head = draw.wobble(rng, draw.ellipse((x, y), (scale * rng.uniform(0.34, 0.42), scale * 0.5)), 0.05)
    width, drop = scale * rng.uniform(0.9, 1.4), scale * rng.uniform(0.75, 1.0)
    shoulders = np.array(
        (
            (x - width * 0.3, y + drop * 0.7), (x + width * 0.3, y + drop * 0.7), (x + width * 0.9, y + drop * 1.05),
            (x + width * 1.05, y + drop * 1.6), (x + width * 1.0, y + scale * 9), (x - width * 1.0, y + scale * 9),
            (x - width * 1.05, y + drop * 1.6), (x - width * 0.9, y + drop * 1.05),
        )
    )  # fmt: skip
    skull = draw.wobble(rng, draw.ellipse((x, y - scale * 0.1), (scale * 0.46, scale * 0.52)), 0.12)
    if rng.random() < 0.85:
        painting.part(skull)
        painting.hair(skull, centre, int(rng.integers(60, 900)), scale * rng.uniform(0.1, 0.9))
    neck = draw.capsule(centre, np.array((x, y + drop)), scale * 0.34, scale * 0.4)
    painting.part(neck)
    painting.part(draw.wobble(rng, shoulders, 0.03))
    painting.part(head)
    fringe = skull[skull[:, 1] < y - scale * 0.2]
    if rng.random() < 0.6 and len(fringe):
        painting.hair(fringe, centre, int(rng.integers(40, 500)), scale * rng.uniform(0.1, 0.6))


def portrait(painting: Painting) -> None:
    """Head and shoulders, large."""
    rng = painting.rng
    _person(painting, _UNIT * rng.uniform(110, 250), SIZE * rng.uniform(0.35, 0.65), SIZE * rng.uniform(0.3, 0.5))


def figure(painting: Painting) -> None:
    """A whole person with limbs, each with a surface of its own or all in one."""
    rng = painting.rng
    tall = _UNIT * rng.uniform(70, 105)
    hip = np.array((SIZE * rng.uniform(0.4, 0.6), SIZE * rng.uniform(0.5, 0.6)))
    chest = hip + np.array((rng.normal(0, tall * 0.15), -tall * 1.2))
    limbs = []
    for joint, reach, width in ((hip, 1.0, 0.42), (hip, 1.0, 0.42), (chest, 0.75, 0.28), (chest, 0.75, 0.28)):
        down = np.pi / 2 + rng.normal(0, 0.55 if joint is hip else 1.1)
        knee = joint + tall * reach * np.array((np.cos(down), np.sin(down)))
        bent = down + rng.normal(0, 0.5)
        foot = knee + tall * reach * np.array((np.cos(bent), np.sin(bent)))
        limbs += [draw.capsule(joint, knee, tall * width, tall * width * 0.8)]
        limbs += [draw.capsule(knee, foot, tall * width * 0.8, tall * width * 0.55)]
    torso = draw.wobble(rng, draw.capsule(hip, chest, tall * 0.75, tall * 1.0), 0.04)
    for index in range(0, 8, 2):
        painting.part(limbs[index], limbs[index + 1])
    painting.part(torso)
    head = chest + np.array((rng.normal(0, 5), -tall * 0.85))
    outline = draw.wobble(rng, draw.ellipse((head[0], head[1]), (tall * 0.3, tall * 0.38)), 0.06)
    painting.part(draw.capsule(chest, head, tall * 0.25, tall * 0.25))
    painting.part(outline)
    painting.hair(outline, head, int(rng.integers(40, 400)), tall * rng.uniform(0.1, 0.7))


def thing(painting: Painting) -> None:
    """One to four solid shapes, some with holes, bars or wires."""
    rng = painting.rng
    for _ in range(rng.integers(1, 5)):
        centre = (SIZE * rng.uniform(0.25, 0.75), SIZE * rng.uniform(0.25, 0.75))
        axes = (_UNIT * rng.uniform(20, 150), _UNIT * rng.uniform(20, 150))
        outline = draw.ellipse(centre, axes, rng.uniform(0, np.pi), int(rng.choice((3, 4, 4, 6, 64, 64))))
        sheet = draw.Sheet(SIZE)
        if rng.random() < 0.25:
            sheet.stroke(outline, rng.uniform(0.6, 12), closed=True)
        else:
            sheet.fill(draw.wobble(rng, outline, 0.2 * rng.random()))
        for _ in range(rng.integers(0, 4)):
            hole = rng.uniform(0.05, 0.4) * np.array(axes)
            sheet.fill(draw.ellipse(tuple(np.array(centre) + rng.normal(0, 0.4, 2) * axes), (hole[0], hole[1])), 0)
        painting.over(sheet.coverage(), surface(rng, painting.photos, SIZE))
    if rng.random() < 0.5:
        wires(painting)


def wires(painting: Painting) -> None:
    """Thin straight and curved lines: cables, poles, strings, a lattice."""
    rng = painting.rng
    for _ in range(rng.integers(1, 8)):
        sheet = draw.Sheet(SIZE)
        ends = rng.uniform(0.05, 0.95, (rng.integers(2, 4), 2)) * SIZE
        sheet.stroke(ends, rng.uniform(0.4, 7))
        painting.over(sheet.coverage(), colour(rng))


def plant(painting: Painting) -> None:
    """Stems with many leaves."""
    rng = painting.rng
    foot = np.array((SIZE * rng.uniform(0.3, 0.7), SIZE * rng.uniform(0.75, 1.0)))
    for _ in range(rng.integers(3, 10)):
        up = np.array((rng.normal(0, 0.5), -1.0))
        stem = draw.locks(rng, foot[None], up[None], SIZE * rng.uniform(0.4, 0.9), rng.uniform(0, 0.3), 16)[0]
        sheet = draw.Sheet(SIZE)
        sheet.stroke(stem, rng.uniform(0.7, 6))
        for point in stem[4:]:
            leaf = (_UNIT * rng.uniform(4, 30), _UNIT * rng.uniform(1.5, 9))
            sheet.fill(draw.ellipse((point[0], point[1]), leaf, rng.uniform(0, np.pi), 24))
        painting.over(sheet.coverage(), surface(rng, painting.photos, SIZE))


def fur(painting: Painting) -> None:
    """A solid body all covered with hair."""
    rng = painting.rng
    centre = np.array((SIZE * rng.uniform(0.35, 0.65), SIZE * rng.uniform(0.35, 0.65)))
    axes = (_UNIT * rng.uniform(50, 140), _UNIT * rng.uniform(50, 140))
    outline = draw.wobble(rng, draw.ellipse((centre[0], centre[1]), axes, points=200), 0.25)
    painting.part(outline)
    painting.hair(outline, centre, int(rng.integers(300, 3000)), _UNIT * rng.uniform(8, 60))


def veil(painting: Painting) -> None:
    """A person or thing, and a half-transparent cloth in front."""
    rng = painting.rng
    (portrait if rng.random() < 0.5 else thing)(painting)
    sheet = draw.Sheet(SIZE)
    centre = (SIZE * rng.uniform(0.3, 0.7), SIZE * rng.uniform(0.3, 0.7))
    sheet.fill(
        draw.wobble(rng, draw.ellipse(centre, (_UNIT * rng.uniform(40, 150), _UNIT * rng.uniform(40, 150))), 0.3)
    )
    density = np.clip(rng.uniform(0.15, 0.7) + 0.25 * noise(rng, SIZE, rng.uniform(10, 80)), 0.02, 0.98)
    painting.over(sheet.coverage() * density.astype(np.float32), surface(rng, painting.photos, SIZE))


KINDS = ((portrait, 0.42), (figure, 0.22), (thing, 0.14), (fur, 0.09), (plant, 0.06), (veil, 0.03), (wires, 0.04))
"""Painter and its share. Mostly solid subjects: a network raised on veils leaves holes in people."""


def foreground(seed: int, photos: Sequence[Array]) -> Array:
    """Paint one subject.

    Args:
        seed: the same seed and photographs give the same subject.
        photos: linear ``(H, W, 3)`` photographs to cut surfaces from.

    Returns:
        ``(SIZE, SIZE, 4)`` premultiplied linear RGBA; alpha is exact area coverage, then blurred as a lens and a
        shutter blur: in linear light, colour and alpha together.
    """
    rng = np.random.default_rng(seed)
    painting = Painting(rng, photos)
    painters, shares = zip(*KINDS, strict=True)
    painters[rng.choice(len(painters), p=shares)](painting)
    return blur(rng, painting.rgba)


def blur(rng: Rng, rgba: Array) -> Array:
    """Defocus (a disk) and motion blur (a line), each sometimes."""
    if rng.random() < 0.25:
        radius = float(rng.uniform(0.6, 4))
        rgba = cv2.filter2D(rgba, -1, disk(radius))
    if rng.random() < 0.25:
        rgba = cv2.filter2D(rgba, -1, streak(float(rng.uniform(2, 26)), float(rng.uniform(0, np.pi))))
    return np.maximum(rgba, 0, dtype=np.float32)  # a long filter leaves rounding below nothing


def disk(radius: float) -> Array:
    """Kernel of a defocused point: a disk of a radius in px, antialiased, sum 1."""
    reach = int(np.ceil(radius)) + 1
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kernel = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    return np.asarray(kernel / kernel.sum(), np.float32)


def streak(length: float, angle: float) -> Array:
    """Kernel of a point that moves while the shutter is open: a line of a length in px, sum 1."""
    reach = int(np.ceil(length / 2)) + 1
    size = 2 * reach + 1
    half = np.array((np.cos(angle), np.sin(angle))) * length / 2
    sheet = draw.Sheet(size)
    sheet.stroke(np.stack((reach + 0.5 - half, reach + 0.5 + half)), 1.0)
    kernel = sheet.coverage()
    return np.asarray(kernel / kernel.sum(), np.float32)
