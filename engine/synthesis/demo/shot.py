"""The project's own shot: a woman walks through a room, filmed by hand, with its whole truth known.

    frame = P + (1 - a) * s * B + grain        exactly, in float32

Everything is procedural and comes from one seed; nothing is shared with training, which uses photographs. The figure is
sampled at `SUBFRAMES` instants of the open shutter, each with its own offset of the sampling grid and its own point of
the key light, so that motion blur, edges and the soft shadow are averages of light and coverage. The clean plate is
taken by the same hand a moment later: turned, rolled, and at another exposure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO

from engine.synthesis.demo.actor import Actor, to_world
from engine.synthesis.demo.camera import FOCAL, Camera, floats, opencv
from engine.synthesis.demo.hair import Hair, cap
from engine.synthesis.demo.light import KEY, KEY_RADIUS, acescg, fill_light
from engine.synthesis.demo.raster import Paint, Shape, paint_figure, paint_silhouette
from engine.synthesis.demo.room import SCALE, paint
from engine.synthesis.demo.set import MIRRORED, furnish
from engine.synthesis.demo.surface import face_normals
from engine.values import Array

SPACE = "ACEScg"
"""OCIO name of the shot's colour space."""

FIRST_FRAME = 1001
SUBFRAMES = 16
SHUTTER = 0.4
"""Part of a frame's time that the shutter is open: 144 degrees."""

PLATE_EXPOSURE = 0.15
"""Stops that the clean plate is brighter."""

PLATE_SHIFT = (9.3, -6.4)
"""px at a width of 960, x right and y down, that the plate's view is moved by ..."""
PLATE_ROLL = 0.3
"""... and degrees that it is rolled."""

GRAIN = (3e-6, 9e-5)
"""Variance of the grain: constant, and per unit of light; about 2 % of mid grey, a sensor at its base speed."""

VIGNETTE = 0.22
"""Light lost in the corners, as a share."""

ACESCG_CHROMATICITIES = (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)
"""AP1 and the ACES white, SMPTE ST 2065-1 and S-2014-004, as EXR's standard attribute wants them."""


@dataclass(frozen=True)
class Truth:
    """One frame and all that it was made of; ``(H, W, 3)`` scene-linear ACEScg, ``(H, W)`` alpha.

    Attributes:
        frame: the sum.
        premultiplied: P.
        alpha: a, exact coverage in 0..1.
        shadow_ratio: s, in 0..1, a little blue: the key is warm, what fills its shadow is cool.
        background: B, the clean set by this frame's own camera and exposure.
    """

    frame: Array
    premultiplied: Array
    alpha: Array
    shadow_ratio: Array
    background: Array


class DemoShot:
    """The shot at any size, made frame by frame.

    Args:
        size: ``(height, width)`` px, 16:9.
        seed: of everything.
    """

    def __init__(self, size: tuple[int, int] = (540, 960), seed: int = 2020) -> None:
        self._seed = seed
        self._unit = size[1] / 960
        self._camera = Camera(size, FOCAL * size[1], tilt=float(np.radians(7)))
        look = np.random.default_rng((seed, 0))
        self._room = paint(self._camera, round(24 * self._unit) + 2, furnish(look, min(self._unit, 2.0)), MIRRORED)
        self._actor, self._hair = Actor(look), Hair(look)

    def clean_plate(self) -> Array:
        """``(H, W, 3)`` the empty set, by hand: moved, rolled, `PLATE_EXPOSURE` brighter, with its own grain."""
        angle = np.array(PLATE_SHIFT) * self._unit / self._camera.focal
        camera = self._camera.turned(angle[0], angle[1], np.radians(PLATE_ROLL))
        clean = self._background(camera) * np.float32(2**PLATE_EXPOSURE)
        return clean + self._grain(clean, 0)

    def frame(self, number: int) -> Truth:
        """A frame by its number, `FIRST_FRAME` and up."""
        time = float(number - FIRST_FRAME)
        camera = self._held(time)
        shapes = [self._shape(time + SHUTTER * (i + 0.5) / SUBFRAMES) for i in range(SUBFRAMES)]
        figure = self._figure(time, shapes, camera)
        vignette = self._vignette()
        P, a = figure[..., :3] * vignette, np.clip(figure[..., 3], 0, 1)
        s, B = self._shadow(time, shapes, camera), self._background(camera)
        clean_sum = P + (1 - a[..., None]) * s * B
        return Truth(clean_sum + self._grain(clean_sum, number), P, a, s, B)

    def _held(self, time: float) -> Camera:
        """The camera drifts by about 2 px in half a second and never quite repeats itself."""
        px = self._unit / self._camera.focal
        pan = px * (0.13 * time + 0.5 * np.sin(0.9 * time))
        tilt = px * (0.6 * np.sin(0.55 * time + 1.0) - 0.5)
        return self._camera.turned(pan, tilt, np.radians(0.02) * np.sin(0.7 * time))

    def _background(self, camera: Camera) -> Array:
        """Each pixel averages `SCALE` squared samples of the room."""
        fine = camera.enlarged(SCALE, 0)
        mapping = fine.homography_to(self._room.camera.enlarged(SCALE, 0))
        samples = _resampled(self._room.radiance, mapping, fine)
        return np.asarray(cv2.resize(samples, camera.size[::-1], interpolation=cv2.INTER_AREA)) * self._vignette()

    def _shape(self, time: float) -> Shape:
        surfaces = [*self._actor.surfaces(time), cap(time)]
        strands = self._hair.strands(time)
        return Shape(
            np.concatenate([surface.faces() for surface in surfaces]),
            np.stack([strands[:, :-1], strands[:, 1:]], axis=2).reshape(-1, 2, 3),
            np.concatenate([surface.faces(step=2) for surface in surfaces]),
        )

    def _paint(self, time: float) -> Paint:
        surfaces = [*self._actor.surfaces(time), cap(time)]
        corners = np.concatenate([surface.faces() for surface in surfaces])
        albedo = np.concatenate([surface.albedo.reshape(-1, 3) for surface in surfaces])
        normals, middles = face_normals(corners), corners.mean(axis=1)
        faces = acescg(albedo) * (KEY.irradiance(middles, normals, 0.12) + fill_light(middles, normals))
        strands = self._hair.radiance(self._hair.strands(time)).reshape(-1, 3)
        return Paint.of(faces, strands, self._hair.widths)

    def _figure(self, time: float, shapes: list[Shape], camera: Camera) -> Array:
        """``(H, W, 4)`` premultiplied light and coverage, averaged over the open shutter; lit as in its middle."""
        colours = self._paint(time + SHUTTER / 2)
        offsets = _spread(SUBFRAMES) - 0.5
        instants = (
            paint_figure(shape, colours, camera, (float(x), float(y)))
            for shape, (x, y) in zip(shapes, offsets, strict=True)
        )
        return np.asarray(sum(instants) / np.float32(SUBFRAMES))

    def _shadow(self, time: float, shapes: list[Shape], camera: Camera) -> Array:
        """``(H, W, 3)`` ratio: what is left when the figure keeps the key light from the set."""
        room = self._room
        blocked = np.zeros(room.camera.size, np.float32)
        radius, turn = np.sqrt(_spread(SUBFRAMES)[:, 0]), 2 * np.pi * _spread(SUBFRAMES)[:, 1]
        aim = to_world(time)[1] + floats([0, 1.0, 0])
        for shape, r, angle in zip(shapes, KEY_RADIUS * radius, turn, strict=True):
            point = np.array(KEY.position) + r * np.array([np.cos(angle), np.sin(angle), 0])
            light = _looking(point, aim, round(400 * self._unit))
            seen = light.project(room.positions)
            blocked += cv2.remap(
                paint_silhouette(shape, light), seen[..., 0] - 0.5, seen[..., 1] - 0.5, cv2.INTER_LINEAR
            )
        blocked = cv2.GaussianBlur(blocked / SUBFRAMES, (0, 0), 2.0 * self._unit)
        ratio = 1 - room.key_share * blocked[..., None]
        return _resampled(ratio, camera.homography_to(room.camera), camera)

    def _vignette(self) -> Array:
        height, width = self._camera.size
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        squared = (x / width - 0.5) ** 2 + ((y - height / 2) / width) ** 2
        return (1 - VIGNETTE * squared / squared.max())[..., None].astype(np.float32)

    def _grain(self, light: Array, number: int) -> Array:
        rng = np.random.default_rng((self._seed, 1, number))
        deviation = np.sqrt(GRAIN[0] + GRAIN[1] * np.maximum(light, 0))
        return (deviation * rng.standard_normal(light.shape, np.float32)).astype(np.float32)


def write_shot(folder: Path, frames: int = 12, size: tuple[int, int] = (540, 960), seed: int = 2020) -> Iterator[Path]:
    """Write the shot as EXR, one file after another.

    ``frame.####.exr`` and ``cleanplate.exr`` are half, as from a camera. The truth is float: ``gt.####.exr`` holds P
    and a, ``shadow_gt.####.exr`` s, ``background_gt.####.exr`` B; a frame is their sum plus grain, rounded to half.

    Args:
        folder: made if missing.
        frames: number of frames, from `FIRST_FRAME`.
        size: ``(height, width)`` px.
        seed: of everything.

    Yields:
        Each file as it is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shot = DemoShot(size, seed)
    yield _write(folder / "cleanplate.exr", shot.clean_plate(), "half")
    for number in range(FIRST_FRAME, FIRST_FRAME + frames):
        truth = shot.frame(number)
        yield _write(folder / f"frame.{number:04d}.exr", truth.frame, "half")
        yield _write(folder / f"gt.{number:04d}.exr", np.dstack([truth.premultiplied, truth.alpha]), "float")
        yield _write(folder / f"shadow_gt.{number:04d}.exr", truth.shadow_ratio, "float")
        yield _write(folder / f"background_gt.{number:04d}.exr", truth.background, "float")


def _write(path: Path, pixels: Array, depth: str) -> Path:
    spec = OpenImageIO.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], depth)
    spec.attribute("compression", "zip")
    spec.attribute("oiio:ColorSpace", SPACE)
    spec.attribute("chromaticities", OpenImageIO.TypeDesc("float[8]"), ACESCG_CHROMATICITIES)
    image = OpenImageIO.ImageBuf(spec)
    image.set_pixels(OpenImageIO.ROI(), np.ascontiguousarray(pixels, np.float32))
    if not image.write(str(path)):
        raise OSError(f"{path.name} could not be written: {image.geterror()}")
    return path


def _looking(point: np.ndarray, aim: np.ndarray, size: int) -> Camera:
    """A square picture, about 60 degrees wide, from a point towards another."""
    x, y, z = aim - point
    tilt = np.arctan2(-y, np.hypot(x, z))
    return Camera((size, size), 0.85 * size, tuple(point), pan=float(np.arctan2(x, z)), tilt=float(tilt))


def _spread(count: int) -> np.ndarray:
    """``(count, 2)`` points that fill the unit square evenly: Roberts' R2 sequence (2018), from the plastic number."""
    plastic = 1.32471795724474602596
    return (0.5 + np.arange(count)[:, None] * np.array([1 / plastic, 1 / plastic**2])) % 1


def _resampled(image: Array, to_image: np.ndarray, camera: Camera) -> Array:
    """An image as another camera sees it; ``to_image`` carries that camera's pixels to the image's."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = camera.size[::-1]
    return np.asarray(cv2.warpPerspective(image, opencv(to_image), size, flags=flags, borderMode=cv2.BORDER_REPLICATE))
