from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from scenes import camera_move, figure, image, pixels, radiance, shot, with_grain, with_subject

from engine.errors import EngineError
from engine.pipeline.registration import register
from engine.pipeline.registration.alignment import align
from engine.pipeline.registration.feature_image import feature_images
from engine.pipeline.registration.warp import warp_plate
from engine.values import Window

SIZE = (360, 640)
SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples"


def mapped(homography, points):
    at = np.c_[points, np.ones(len(points))] @ homography.T
    return at[:, :2] / at[:, 2:]


def corner_error(found, true, size=SIZE):
    corners = np.array([[0, 0], [size[1], 0], [0, size[0]], [size[1], size[0]]], float)
    return np.hypot(*(mapped(found, corners) - mapped(true, corners)).T).max()


def take(homography=None, gain=1.0, subject=0.4, seed=1):
    """Frame and plate of one set, both with grain; the frame's camera moved."""
    frame = with_subject(shot(SIZE, seed, homography) * np.float32(gain), subject)
    return image(with_grain(frame, 5)), image(with_grain(shot(SIZE, seed), 6), "plate.exr")


@pytest.mark.parametrize(("gain", "shift"), [(1.6, (7.3, -4.6)), (0.5, (0.4, 0.3)), (2.0, (-40.0, 21.5))])
def test_known_homography_is_recovered_behind_a_subject_of_40_percent(gain, shift):
    true = camera_move(SIZE, shift=shift)
    registration, plate = register(*take(true, gain), "auto")
    assert corner_error(registration.homography, true) < 0.2
    assert not registration.locked_off
    assert registration.residual_median < 0.1
    assert registration.inliers > 60
    assert plate.rgb.shape == (*SIZE, 3)
    assert plate.rgb.dtype == np.float32


def test_registered_plate_is_the_set_as_the_moved_camera_sees_it():
    true = camera_move(SIZE)
    frame = image(with_subject(shot(SIZE, 1, true), 0.3))
    plate = image(shot(SIZE, 1))
    _, registered = register(frame, plate, "auto")
    behind = shot(SIZE, 1, true)
    error = np.abs(np.log2(registered.rgb[registered.valid] / behind[registered.valid]))
    unregistered = np.abs(np.log2(plate.rgb / behind))
    assert np.median(error) < 0.003
    assert np.median(error) < np.median(unregistered) / 50


def test_warp_is_within_a_thirtieth_of_a_pixel_on_ramps():
    x, y = pixels(SIZE)
    homography = camera_move(SIZE, shift=(3.21, -2.77))
    ramp = np.stack([x, y, x + y], -1).astype(np.float32)
    plate = warp_plate(ramp, homography, SIZE)
    expected = mapped(np.linalg.inv(homography), np.stack([x.ravel(), y.ravel()], 1)).reshape(*SIZE, 2)
    error = np.abs(plate.rgb[..., :2] - expected)[20:-20, 20:-20]
    assert error.max() < 1 / 30
    assert error.mean() < 0.015


def test_validity_is_where_the_plate_was_seen_and_nothing_is_filled():
    homography = np.array([[1, 0, 12.5], [0, 1, -7.25], [0, 0, 1.0]])
    plate = warp_plate(np.full((*SIZE, 3), 3.0, np.float32), homography, SIZE)
    x, y = pixels(SIZE)
    seen = (x - 12.5 > 1.5) & (x - 12.5 < SIZE[1] - 1.5) & (y + 7.25 > 1.5) & (y + 7.25 < SIZE[0] - 1.5)
    np.testing.assert_array_equal(plate.valid, seen)
    np.testing.assert_array_equal(plate.rgb[~seen], 0.0)
    np.testing.assert_allclose(plate.rgb[seen], 3.0, rtol=1e-6)


def test_a_lamp_of_500_rings_no_darker_and_no_brighter_than_the_plate():
    plate = np.full((40, 40, 3), 0.2, np.float32)
    plate[18:22, 18:22] = 500.0
    plate[5, 5] = -0.25
    warped = warp_plate(plate, np.array([[1, 0, 0.4], [0, 1, 0.6], [0, 0, 1.0]]), (40, 40))
    assert warped.rgb[warped.valid].min() >= -0.25
    assert warped.rgb[10:32, 10:32].min() >= 0.2
    assert warped.rgb.max() <= 500.0
    assert warped.rgb.max() > 400.0


@pytest.mark.parametrize("subject", [0.0, 0.4, 0.6])
def test_a_camera_that_stood_still_leaves_every_bit_of_the_plate(subject):
    frame, plate = take(gain=1.6, subject=subject)
    registration, placed = register(frame, plate, "auto")
    assert registration.locked_off
    assert registration.residual_median < 0.1
    np.testing.assert_array_equal(registration.homography, np.eye(3))
    np.testing.assert_array_equal(placed.rgb.view(np.uint32), plate.rgb.view(np.uint32))
    assert placed.valid.all()


def test_a_quarter_pixel_is_no_still_camera():
    true = camera_move(SIZE, shift=(0.2, 0.15), turn=0, zoom=1, tilt=0)
    registration, _ = register(*take(true), "auto")
    assert not registration.locked_off
    assert corner_error(registration.homography, true) < 0.1


def test_locked_measures_the_move_and_warps_nothing():
    frame, plate = take(camera_move(SIZE, shift=(1.5, 2.0), turn=0, zoom=1, tilt=0))
    registration, placed = register(frame, plate, "locked")
    assert registration.locked_off
    assert registration.residual_median == pytest.approx(2.5, abs=0.1)
    np.testing.assert_array_equal(placed.rgb, plate.rgb)


@pytest.mark.parametrize("shift", [(2.4, 2.4), (6.0, 8.0), (40.0, -21.5)])
def test_locked_refuses_a_plate_that_lies_elsewhere(shift):
    frame, plate = take(camera_move(SIZE, shift=shift, turn=0, zoom=1, tilt=0))
    with pytest.raises(EngineError) as caught:
        register(frame, plate, "locked")
    assert caught.value.reason == "REGISTRATION_FAILED"
    assert caught.value.next_step == "Set Registration to Auto."
    assert float(caught.value.facts["residual_px"]) == pytest.approx(np.hypot(*shift), abs=0.1)
    assert register(frame, plate, "auto")[0].residual_median < 0.1


def test_off_measures_nothing_and_takes_any_plate():
    frame, plate = image(shot(SIZE, 1)), image(shot(SIZE, 2), "plate.exr")
    registration, placed = register(frame, plate, "off")
    assert (registration.residual_median, registration.residual_p95, registration.inliers) == (0.0, 0.0, 0)
    np.testing.assert_array_equal(registration.homography, np.eye(3))
    np.testing.assert_array_equal(placed.rgb, plate.rgb)


def test_the_same_pictures_give_the_same_bits():
    frame, plate = take(camera_move(SIZE))
    first, second = register(frame, plate, "auto"), register(frame, plate, "auto")
    np.testing.assert_array_equal(first[0].homography, second[0].homography)
    np.testing.assert_array_equal(first[1].rgb, second[1].rgb)


def test_extreme_values_do_not_disturb():
    true = camera_move(SIZE)
    frame, plate = take(true)
    lamps = np.zeros(SIZE, np.float32)
    lamps[40:44, 50:54], lamps[300:303, 600:604] = 500.0, 40.0
    frame.rgb[...] += lamps[..., None]
    frame.rgb[100:130, 30:60] -= 0.6
    plate.rgb[20:24, 500:504] = 40.0
    registration, registered = register(frame, plate, "auto")
    assert corner_error(registration.homography, true) < 0.2
    assert np.isfinite(registered.rgb).all()
    assert registered.rgb.max() <= plate.rgb.max()


@pytest.mark.parametrize("mode", ["auto", "locked"])
@pytest.mark.parametrize("seed", [21, 22, 23])
def test_a_plate_of_another_scene_is_refused(seed, mode):
    frame = image(with_subject(shot(SIZE, 1), 0.3), "shot.1001.exr")
    plate = image(shot(SIZE, seed), "elsewhere.exr")
    with pytest.raises(EngineError) as caught:
        register(frame, plate, mode)
    error = caught.value
    assert error.reason == "REGISTRATION_FAILED"
    assert "elsewhere.exr" in error.message
    assert "shot.1001.exr" in error.message
    assert "Registration to Off" in error.next_step
    assert {"residual_px", "inliers"} <= error.facts.keys()


def test_a_few_points_all_over_the_frame_that_agree_to_a_man_are_enough():
    """Nine tenths of the texture stand behind the subject; of a faint set around it 7 % of the points are found."""
    true, hidden, subject = camera_move(SIZE), figure(SIZE, 0.4)[..., None], figure(SIZE, 0.46)[..., None]
    plate = 0.2 * (shot(SIZE, 1) / 0.2) ** (0.08 + 0.92 * hidden)
    seen = 0.2 * (shot(SIZE, 1, true) / 0.2) ** 0.08
    frame = subject * 0.5 + (1 - subject) * seen
    pictures = (np.asarray(rgb, np.float32) for rgb in (frame, plate))
    found, _ = register(*(image(with_grain(rgb, seed)) for seed, rgb in enumerate(pictures, 5)), "auto")
    assert 48 <= found.inliers < 120
    assert corner_error(found.homography, true) < 1.2


def test_a_burnt_in_caption_does_not_make_two_scenes_one():
    frame, plate = shot(SIZE, 1), shot(SIZE, 31)
    caption = cv2.putText(np.zeros(SIZE, np.uint8), "PLATEKEY 1001", (20, 340), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 255, 2)
    for rgb in (frame, plate):
        rgb[caption > 128], rgb[:30] = 1.0, 0.0
    with pytest.raises(EngineError, match="residual"):
        register(image(frame), image(plate), "auto")


def test_captions_in_every_corner_do_not_make_two_bare_scenes_one():
    """Nothing else is found, so nothing disagrees; but text that is burnt in does not move."""
    ramp = np.linspace(0.1, 0.3, SIZE[1], dtype=np.float32)
    frame, plate = (np.repeat(np.broadcast_to(row, SIZE)[..., None], 3, 2).copy() for row in (ramp, ramp[::-1]))
    caption = np.zeros(SIZE, np.uint8)
    for at in ((20, 40), (380, 40), (20, 340), (380, 340)):
        cv2.putText(caption, "PLATEKEY 1001", at, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 255, 2)
    for rgb in (frame, plate):
        rgb[caption > 128] = 1.0
    pictures = [with_grain(rgb, seed) for seed, rgb in enumerate((frame, plate), 5)]
    found = align(feature_images(*pictures), np.eye(3))
    assert found.majority > 0.9
    assert found.spread > 0.5
    assert len(found.plate) >= 48
    assert not found.undisputed(np.eye(3))


def test_a_mirrored_plate_is_refused():
    frame, plate = take()
    with pytest.raises(EngineError, match=r"plate\.exr is mirrored"):
        register(frame, image(plate.rgb[:, ::-1], "plate.exr"), "auto")


def panels(seed):
    """Plain boxes on a plain wall."""
    random, (x, y) = np.random.default_rng(seed), pixels(SIZE)
    picture = np.full((*SIZE, 3), 0.2, np.float32)
    for _ in range(20):
        across = np.abs(x - random.uniform(0, SIZE[1])) * random.uniform(0.4, 2)
        far = np.maximum(across, np.abs(y - random.uniform(0, SIZE[0])))
        picture[far < random.uniform(7, 80)] = random.uniform(0.03, 0.6, 3)
    return picture


@pytest.mark.parametrize("seed", [1, 3, 6])
def test_a_set_that_is_nearly_its_own_mirror_image_tells_its_plate_from_a_mirrored_one(seed):
    half = panels(seed)
    half[:, : SIZE[1] // 3] = half[:, ::-1][:, : SIZE[1] // 3]
    half[100:200, 330:420] = panels(seed + 1)[100:200, 330:420]
    frame, plate = image(with_grain(with_subject(half, 0.2), 5)), with_grain(half, 6)
    assert register(frame, image(plate), "auto")[0].locked_off
    with pytest.raises(EngineError, match=r"plate\.exr is mirrored"):
        register(frame, image(plate[:, ::-1], "plate.exr"), "auto")


def test_one_box_that_looks_alike_does_not_make_two_scenes_one():
    """Upside down it is found again: 14 % of the points that were looked for."""
    frame, plate = with_grain(with_subject(panels(12), 0.2), 5), with_grain(panels(12), 6)
    assert register(image(frame), image(plate), "auto")[0].locked_off
    with pytest.raises(EngineError, match=r"plate\.exr shows nothing"):
        register(image(frame), image(plate[::-1], "plate.exr"), "auto")


def wall(seed):
    """A grey wall, lit from one side, with grain."""
    x, _ = pixels(SIZE)
    grey = np.repeat((0.18 + 0.1 * x / SIZE[1])[..., None], 3, -1)
    return with_grain(grey, seed)


@pytest.mark.parametrize("mode", ["auto", "locked"])
def test_a_bare_wall_is_accepted_as_it_lies(mode):
    frame = image(with_subject(wall(1) * 1.4, 0.4))
    plate = image(wall(2))
    registration, placed = register(frame, plate, mode)
    assert registration.locked_off
    assert registration.inliers < 20
    np.testing.assert_array_equal(placed.rgb, plate.rgb)


def test_a_wall_with_a_few_sockets_follows_a_hand_held_camera():
    random = np.random.default_rng(1)
    plate = np.full((*SIZE, 3), 0.3, np.float32)
    for x, y in zip(random.integers(20, 600, 25), random.integers(20, 330, 25), strict=True):
        plate[y : y + 14, x : x + 9] *= 0.5
    frame = with_grain(with_subject(np.roll(plate, 4, 1), 0.3), 1)
    registration, _ = register(image(frame), image(with_grain(plate, 2)), "auto")
    assert not registration.locked_off
    np.testing.assert_allclose(registration.homography[:2, 2], [4, 0], atol=0.5)


def test_a_common_sky_does_not_make_two_scenes_one():
    frame, plate = shot(SIZE, 1), shot(SIZE, 32)
    for rgb in (frame, plate):
        rgb[:200] = np.linspace(0.5, 0.9, 200)[:, None, None] * np.float32([0.7, 0.9, 1.2])
    with pytest.raises(EngineError, match="residual"):
        register(image(with_grain(frame, 1)), image(with_grain(plate, 2)), "auto")


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (16, 16)])
def test_pictures_too_small_for_features_are_refused_or_agree(size):
    flat = np.full((*size, 3), 0.2, np.float32)
    registration, placed = register(image(flat), image(flat), "auto")
    assert registration.locked_off
    np.testing.assert_array_equal(placed.rgb, flat)
    with pytest.raises(EngineError, match="residual"):
        register(image(flat), image(np.float32([8.0, 0.2, 0.01]) * flat), "auto")


def test_a_bare_wall_is_no_plate_for_a_set():
    with pytest.raises(EngineError, match=r"wall\.exr"):
        register(image(shot(SIZE, 1)), image(wall(2), "wall.exr"), "auto")


def test_a_wall_of_another_colour_is_refused():
    paint = np.float32([1.6, 0.9, 0.5])
    with pytest.raises(EngineError, match=r"wall\.exr"):
        register(image(with_subject(wall(1), 0.2)), image(wall(2) * paint, "wall.exr"), "auto")


def windowed(size, window, homography=None):
    """The part of a set that a data window holds, of a display window with its corner at 0, 0."""
    whole = np.eye(3) if homography is None else homography
    x, y = np.meshgrid(np.arange(window.width) + window.x + 0.5, np.arange(window.height) + window.y + 0.5)
    at = np.stack([x, y, np.ones_like(x)], -1) @ np.linalg.inv(whole).T
    rgb = radiance(at[..., 0] / at[..., 2], at[..., 1] / at[..., 2], 1).astype(np.float32)
    return rgb, window, Window(0, 0, size[1], size[0])


CROP = Window(40, 24, 560, 300)
OVERSCAN = Window(-20, -16, 680, 392)


@pytest.mark.parametrize(("of_frame", "of_plate"), [(CROP, OVERSCAN), (OVERSCAN, CROP)])
def test_data_windows_may_differ_where_the_camera_stood_still(of_frame, of_plate):
    rgb, data, display = windowed(SIZE, of_frame)
    frame = image(rgb, "frame.exr", data, display)
    rgb, data, display = windowed(SIZE, of_plate)
    registration, placed = register(frame, image(rgb, "plate.exr", data, display), "auto")
    assert registration.locked_off
    assert placed.rgb.shape == frame.rgb.shape
    assert placed.valid.sum() == min(np.prod(of_frame.size), np.prod(of_plate.size))
    np.testing.assert_allclose(placed.rgb[placed.valid], frame.rgb[placed.valid], rtol=1e-5)
    np.testing.assert_array_equal(placed.rgb[~placed.valid], 0.0)
    offset = [of_plate.x - of_frame.x, of_plate.y - of_frame.y]
    np.testing.assert_array_equal(registration.homography[:2, 2], offset)


def test_data_windows_may_differ_where_the_camera_moved():
    move = camera_move(SIZE)
    rgb, data, display = windowed(SIZE, CROP, move)
    frame = image(rgb, "frame.exr", data, display)
    rgb, data, display = windowed(SIZE, OVERSCAN)
    registration, placed = register(frame, image(rgb, "plate.exr", data, display), "auto")
    to_plate, to_frame = np.eye(3), np.eye(3)
    to_plate[:2, 2], to_frame[:2, 2] = (OVERSCAN.x, OVERSCAN.y), (-CROP.x, -CROP.y)
    assert corner_error(registration.homography, to_frame @ move @ to_plate) < 0.2
    assert placed.valid.all()


def test_another_format_is_named_with_both_sizes():
    frame, plate = image(shot(SIZE, 1), "shot.1001.exr"), image(shot((180, 320), 1), "plate.exr")
    with pytest.raises(EngineError) as caught:
        register(frame, plate, "off")
    assert caught.value.reason == "SIZE_MISMATCH"
    for stated in ("shot.1001.exr", "plate.exr", "640 x 360", "320 x 180"):
        assert stated in caught.value.message


def test_another_pixel_aspect_is_refused():
    with pytest.raises(EngineError, match="pixel aspect 2"):
        register(image(shot(SIZE, 1)), image(shot(SIZE, 1), aspect=2.0), "auto")


def test_a_plate_beside_the_frame_is_refused():
    rgb, data, display = windowed(SIZE, Window(0, 0, 640, 360))
    beside, data_beside, _ = windowed(SIZE, Window(900, 0, 640, 360))
    with pytest.raises(EngineError, match=r"beside\.exr"):
        register(image(rgb, "frame.exr", data, display), image(beside, "beside.exr", data_beside, display), "auto")


def sample(name):
    path = SAMPLES / name
    if not path.exists():
        pytest.skip("the sample photographs are not here")
    coded = cv2.imread(str(path))[..., ::-1].astype(np.float32) / 255
    return image(np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4), name)


@pytest.mark.samples
@pytest.mark.parametrize("shot_name", ["0001", "1000"])
def test_hand_held_photographs_register_below_a_pixel(shot_name):
    frame, plate = sample(f"{shot_name}_img.png"), sample(f"{shot_name}_back.png")
    registration, registered = register(frame, plate, "auto")
    assert registration.residual_median < 0.3
    assert registration.inliers > 1000
    levels = [255 * np.clip(rgb, 0, 1) ** (1 / 2.2) for rgb in (frame.rgb, plate.rgb, registered.rgb)]
    assert np.median(np.abs(levels[0] - levels[1])) > 12
    assert np.median(np.abs(levels[0] - levels[2])[registered.valid]) < 4
    assert registered.valid.mean() > 0.9


@pytest.mark.samples
def test_a_mirrored_photograph_is_refused():
    frame, plate = sample("0001_img.png"), sample("0001_back.png")
    with pytest.raises(EngineError, match=r"mirrored\.png"):
        register(frame, image(plate.rgb[:, ::-1], "mirrored.png"), "auto")


def test_the_figure_covers_what_it_says():
    assert figure(SIZE, 0.4).mean() == pytest.approx(0.4, abs=0.02)
