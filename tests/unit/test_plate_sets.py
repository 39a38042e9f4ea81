"""Several plates behind one frame: a burst's mean, and a background that moves, down to the matte."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import scenes
from exr_files import read_bytes, source_of

from engine.evaluation.shot import exr
from engine.pipeline import colour
from engine.pipeline.matte_frame import matte_frame
from engine.pipeline.plates import Reading, choose, holes, moving_images, one_image
from engine.pipeline.session import Session, source_key
from engine.settings import FrameJob, Knobs, MatteJob, plate_set
from engine.synthesis.foregrounds import foreground
from engine.synthesis.grain import with_grain
from engine.synthesis.moving_set import moving_set
from engine.synthesis.walk_through import drawn_set
from engine.values import Photometric, Plate

SIZE = (96, 144)
FIT = Photometric((1, 1, 1), (0, 0, 0), 1.0, ((1e-4, 0.0),) * 3)


def source(rgb, name="plate.exr"):
    return source_of(exr(rgb, half=True), name, "ACEScg")


def reading(mode="auto"):
    return Reading(colour.load_config(colour.SHIPPED), "ACEScg", mode)


def run(frame, plate, session=None):
    """Matte one frame; returns its alpha and its other channels, and the report."""
    job = MatteJob(Knobs(), ("cleanplate", "validity"), colour.SHIPPED, "ACEScg", "cpu")
    task = FrameJob(7, source(frame, "frame.exr"), plate)
    data, measured = matte_frame(job, task, session or Session("cpu", 1 << 30), lambda _: None, lambda: False)
    return data, measured


def test_a_burst_is_averaged_and_those_who_cross_it_are_left_out():
    base = scenes.shot(SIZE, 4)
    pictures = [scenes.with_grain(base, index) for index in range(9)]
    pictures[3][30:60, 40:70] = (3.0, 0.1, 2.0)
    mean = one_image(plate_set("burst", tuple(map(source, pictures))), reading(), 1 << 30)
    single, together = (np.abs(rgb - base)[:, 75:].mean() for rgb in (pictures[0], mean.rgb))
    assert together < 0.45 * single
    assert np.abs(mean.rgb - base)[32:58, 42:68].mean() < single
    assert holes(mean) is None


def test_a_moving_sets_one_image_is_its_median():
    pictures = [np.full((8, 8, 3), value, np.float32) for value in (0.1, 40.0, 0.3)]
    images = plate_set("moving", tuple(map(source, pictures)))
    np.testing.assert_allclose(one_image(images, reading(), 1 << 30).rgb, 0.3, rtol=1e-3)


def test_of_a_long_clip_so_many_images_are_compared_as_fit():
    images = plate_set("moving", tuple(source(np.full((8, 8, 3), n / 100, np.float32)) for n in range(60)))
    few = moving_images(images, reading(), 5 * 8 * 8 * 3 * 4)
    assert len(few) == 5
    assert few[-1].rgb.max() == pytest.approx(0.59, rel=1e-3)
    assert len(moving_images(images, reading(), 1 << 30)) == 24


def test_sets_of_other_use_or_images_are_other_plates():
    one, two = source(np.zeros((4, 4, 3))), source(np.ones((4, 4, 3)))
    keys = {source_key(plate_set(use, images)) for use in ("burst", "moving") for images in ((one, two), (two, one))}
    assert len(keys) == 4


def test_each_pixel_takes_the_image_that_its_surroundings_look_like():
    rng = np.random.default_rng(0)
    left, right = (rng.uniform(0.1, 0.9, (64, 64, 3)).astype(np.float32) for _ in range(2))
    frame = np.where(np.arange(64)[None, :, None] < 32, left, right)
    nothing = Plate(np.zeros_like(left), np.zeros((64, 64), bool))
    images = [Plate(left, np.ones((64, 64), bool)), nothing, Plate(right, np.ones((64, 64), bool))]
    chosen = choose(frame, images, FIT)
    assert chosen.valid.all()
    wrong = (chosen.rgb != frame).any(-1)
    assert not wrong[:, :26].any()
    assert not wrong[:, 38:].any()
    assert not choose(frame, [nothing], FIT).valid.any()


def test_a_subject_is_not_explained_away():
    """Where nothing in the set looks like the frame, the plate stays as different from it as the set is."""
    ours = moving_set((64, 96), 3)
    images = [Plate(ours.at(100 + time), np.ones((64, 96), bool)) for time in range(12)]
    frame = ours.at(5.5)
    frame[20:44, 30:60] = (0.8, 0.05, 0.4)
    chosen = choose(frame, images, FIT)
    apart = np.abs(chosen.rgb - frame).max(-1)[24:40, 34:56]
    still = np.abs(images[0].rgb - frame).max(-1)[24:40, 34:56]
    assert apart.min() > 0.2
    assert apart.mean() > 0.8 * still.mean()


def leaves(seed, size=(256, 384)):
    """Frame, plate clip and true alpha of a subject before leaves in the wind."""
    ours, rng = moving_set(size, seed), np.random.default_rng(seed)
    rgba = foreground(seed + 10, [drawn_set(rng, 512)])
    scale = 0.95 * size[0] / rgba.shape[0]
    place = np.array([[scale, 0, 0.16 * size[1]], [0, scale, 0.04 * size[0]]])
    rgba = cv2.warpAffine(rgba, place, size[::-1], flags=cv2.INTER_AREA)
    frame = with_grain(rgba[..., :3] + (1 - rgba[..., 3:]) * ours.at(5.3), 400, rng)
    clip = tuple(source(with_grain(ours.at(100 + time), 400, rng), f"plate.{time}.exr") for time in range(24))
    return frame, clip, rgba[..., 3]


def test_before_leaves_a_clip_halves_the_error_of_a_still(tmp_path):
    """On this shot; `tests/bench/plates.py` measures eight."""
    frame, clip, truth = leaves(2)
    session = Session("cpu", 1 << 30)
    still, moving = (
        np.abs(read_bytes(run(frame, plate, session)[0], tmp_path)[1]["A"] - truth).mean()
        for plate in (clip[0], plate_set("moving", clip))
    )
    assert moving <= 0.5 * still


def test_layers_recombine_over_a_chosen_plate(tmp_path):
    frame, clip, _ = leaves(2, SIZE)
    job = MatteJob(Knobs(depth="float"), ("shadow", "residual", "cleanplate"), colour.SHIPPED, "ACEScg", "cpu")
    task = FrameJob(7, source(frame, "frame.exr"), plate_set("moving", clip[:6]))
    data, _ = matte_frame(job, task, Session("cpu", 1 << 30), lambda _: None, lambda: False)
    found = read_bytes(data, tmp_path)[1]
    for name in "RGB":
        under = found[f"cleanplate.{name}"] * (1 - found["shadow.A"])
        again = found[name] + (1 - found["A"]) * under + found[f"residual.{name}"]
        np.testing.assert_allclose(again, frame[..., "RGB".index(name)].astype(np.float16), atol=2e-6, rtol=1e-5)


def test_what_a_session_did_before_does_not_matter():
    frame, clip, _ = leaves(2, SIZE)
    moving, burst = plate_set("moving", clip[:5]), plate_set("burst", clip[:5])
    fresh = run(frame, moving)[0]
    used = Session("cpu", 1 << 30)
    for plate in (clip[0], burst, plate_set("moving", clip[5:9])):
        run(frame, plate, used)
    assert run(frame, moving, used)[0] == fresh
