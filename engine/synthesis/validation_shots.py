"""Short shots with their whole truth, for validation: a moving subject in a photographed set, and its clean plate.

    frame = P + (1 - a) * s * B + grain,   plate = exposure * B' + grain

in linear light. Two kinds: *locked-off*, where B' is B; and *hand-held*, where the camera of both moves, the plate is
exposed and balanced otherwise, and the subject casts shadows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from engine.synthesis.composites import shadow
from engine.synthesis.grain import with_grain
from engine.synthesis.held_camera import HeldCamera, Pose, frame_photograph, hold, second_take
from engine.synthesis.textures import Rng
from engine.values import Array

Kind = Literal["locked-off", "hand-held"]

_SUBFRAMES = 8
_SHUTTER = 0.5
"""Instants of the open shutter, and the part of a frame's time that it is open: 180 degrees."""

_ISO = (100, 1600)
"""Bounds of the grain; the draw is even in its logarithm."""


@dataclass(frozen=True)
class ValidationShot:
    """A shot and all that it was made of; linear, a list entry a frame.

    Attributes:
        frames: ``(H, W, 3)`` with grain.
        plate: ``(H, W, 3)`` with grain.
        alphas: ``(H, W)`` 0..1, exact.
        foregrounds: ``(H, W, 3)`` P, without grain.
        shadows: ``(H, W, 3)`` s, 0..1.
    """

    frames: list[Array]
    plate: Array
    alphas: list[Array]
    foregrounds: list[Array]
    shadows: list[Array]


def shoot(
    rng: Rng, kind: Kind, photo: Array, subject: Sequence[Array], size: tuple[int, int], count: int
) -> ValidationShot:
    """Make one shot.

    Args:
        rng: of everything.
        kind: what the camera does, and with it light and shadow.
        photo: ``(H, W, 3)`` linear.
        subject: premultiplied linear RGBA, ``(S, S, 4)`` each: one picture, which is then moved, or one a frame, which
            moves by itself and is blurred already.
        size: ``(height, width)`` px.
        count: number of frames; no more are made than a moving subject has.
    """
    count = count if len(subject) == 1 else min(count, len(subject))
    camera = frame_photograph(photo, size, rng)
    poses = hold(rng, count) if kind == "hand-held" else [Pose()] * count
    sets = [camera.picture(pose) for pose in poses]
    placed = list(_moved(rng, subject, size, count))
    gain = _light(rng, placed[0], sets[0])
    alphas, foregrounds = [rgba[..., 3] for rgba in placed], [rgba[..., :3] * gain for rgba in placed]
    shadows = list(_shadows(rng, kind, alphas))
    parts = zip(foregrounds, alphas, shadows, sets, strict=True)
    clean_frames = [P + (1 - a[..., None]) * s * B for P, a, s, B in parts]
    clean_plate = _clean_plate(rng, kind, camera, poses[0], sets[0])
    iso = float(np.exp(rng.uniform(*np.log(_ISO))))
    frames = [with_grain(frame, iso, rng) for frame in clean_frames]
    return ValidationShot(frames, with_grain(clean_plate, iso, rng), alphas, foregrounds, shadows)


def _moved(rng: Rng, subject: Sequence[Array], size: tuple[int, int], count: int) -> Iterator[Array]:
    """The subject on the frames' grid, ``(H, W, 4)``, standing on the lower edge.

    A single picture walks up to 6 px a frame, bobs and leans; each frame averages the instants of its open shutter.
    """
    scale = size[0] * float(rng.uniform(0.8, 1.05)) / subject[0].shape[0]
    middle = float(rng.uniform(0.35, 0.65)) * size[1]
    speed, bob, lean = rng.uniform(-6, 6) * size[1] / 640, rng.uniform(-2, 2), np.radians(rng.uniform(-0.7, 0.7))
    still = len(subject) > 1
    instants = [0.0] if still else [_SHUTTER * (i + 0.5) / _SUBFRAMES for i in range(_SUBFRAMES)]
    pictures = [_sized(picture, scale) for picture in (subject[:count] if still else subject)]
    for frame in range(count):
        picture = pictures[frame % len(pictures)]
        times = [0.0 if still else frame - count / 2 + instant for instant in instants]
        poses = [Pose(middle + speed * time, bob * np.sin(time), lean * time) for time in times]
        yield np.asarray(sum(_stood(picture, pose, size) for pose in poses) / np.float32(len(poses)), np.float32)


def _sized(picture: Array, scale: float) -> Array:
    picture = np.asarray(picture, np.float32)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=interpolation)).clip(0, None)


def _stood(picture: Array, pose: Pose, size: tuple[int, int]) -> Array:
    """A picture turned about the middle of its lower edge, which comes to ``pose.x`` on the frame's lower edge."""
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, float(height)), float(np.degrees(pose.roll)), 1.0)
    # As low as its corners rise.
    turn[:, 2] += (pose.x - width / 2, size[0] - height + abs(pose.y) + abs(np.sin(pose.roll)) * width / 2)
    return np.asarray(cv2.warpAffine(picture, turn, size[::-1], flags=cv2.INTER_LINEAR))


def _light(rng: Rng, placed: Array, around: Array) -> Array:
    """Gain ``(3,)`` that exposes a subject like its set; one in four is given the set's very colour."""
    own = placed[..., :3].sum((0, 1)) / (placed[..., 3].sum() + 1e-3) + 1e-4
    light = around.mean((0, 1)) + 1e-4
    alike = rng.random() < 0.25
    gain = light / own if alike else np.full(3, light.mean() / own.mean())
    spread = rng.normal(0, 0.15, 3) if alike else rng.normal(0, 0.5)
    return np.asarray(gain * np.exp(spread), np.float32)


def _shadows(rng: Rng, kind: Kind, alphas: Sequence[Array]) -> Iterator[Array]:
    """Shadow ratios ``(H, W, 3)``: none, or those of `engine.synthesis.composites`, which go with the subject."""
    seed = int(rng.integers(1 << 31))
    for alpha in alphas:
        if kind == "locked-off":
            yield np.ones((*alpha.shape, 3), np.float32)
            continue
        height, width = alpha.shape
        square = np.pad(alpha, ((max(width - height, 0), 0), (0, max(height - width, 0))))
        # The same draws for every frame: one light, and a shadow that follows its subject.
        yield shadow(np.random.default_rng(seed), square)[-height:, :width]


def _clean_plate(rng: Rng, kind: Kind, camera: HeldCamera, first: Pose, seen: Array) -> Array:
    if kind == "locked-off":
        return seen
    exposure = 2 ** rng.uniform(-0.5, 0.5) * np.exp(rng.normal(0, 0.03, 3))
    return camera.picture(second_take(rng, first)) * exposure.astype(np.float32)
