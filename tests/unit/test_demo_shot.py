"""The demo shot must be what it says: exact, deep in range, hand-held, and the same every time."""

import numpy as np
import OpenImageIO
import pytest

from engine.evaluation.metrics import mad
from engine.synthesis.demo.camera import Camera, opencv
from engine.synthesis.demo.shot import FIRST_FRAME, PLATE_EXPOSURE, DemoShot, write_shot

SMALL = (135, 240)


@pytest.fixture(scope="module")
def shot():
    return DemoShot(SMALL)


@pytest.fixture(scope="module")
def truths(shot):
    return [shot.frame(FIRST_FRAME + i) for i in range(3)]


def test_frame_is_the_equation_plus_small_grain(truths):
    for truth in truths:
        clean = truth.premultiplied + (1 - truth.alpha[..., None]) * truth.shadow_ratio * truth.background
        grain = truth.frame - clean
        expected = np.sqrt(3e-6 + 9e-5 * np.maximum(clean, 0))
        assert np.std(grain / expected) == pytest.approx(1, abs=0.02)
        assert np.abs(np.mean(grain / expected)) < 0.02


def test_values_stay_in_their_ranges(truths):
    for truth in truths:
        assert truth.alpha.min() == 0
        assert truth.alpha.max() == 1
        assert (truth.premultiplied >= 0).all()
        assert (truth.premultiplied[truth.alpha == 0] == 0).all()
        assert (truth.background > 0).all()
        assert truth.shadow_ratio.max() == 1
        assert truth.shadow_ratio.min() > 0.1


def test_it_holds_what_makes_keying_hard(truths):
    truth = truths[1]
    assert truth.background.max() > 15
    assert (truth.background[truth.alpha == 0] > 4).mean() > 0.01
    partial = (truth.alpha > 0.02) & (truth.alpha < 0.98)
    assert 0.02 < partial.mean() < 0.2
    assert 0.05 < (truth.alpha > 0.98).mean() < 0.3
    assert ((truth.shadow_ratio.min(axis=2) < 0.8) & (truth.alpha == 0)).mean() > 0.02
    assert mad(truths[0].alpha, truths[2].alpha) > 0.003


def test_shadow_is_cooler_than_the_light_on_the_floor(truths):
    ratio = truths[1].shadow_ratio[110:]
    red, _, blue = ratio[ratio[..., 1] < 0.9].mean(axis=0)
    assert blue > red


def test_same_seed_same_pixels_whatever_came_before(truths):
    again = DemoShot(SMALL).frame(FIRST_FRAME + 2)
    np.testing.assert_array_equal(again.frame, truths[2].frame)
    np.testing.assert_array_equal(again.alpha, truths[2].alpha)


def test_grain_differs_between_frames_and_seeds(shot, truths):
    first, second = (truth.frame - truth.background for truth in truths[:2])
    corner = np.s_[5:40, 160:220]
    correlation = np.corrcoef(first[corner].ravel(), second[corner].ravel())[0, 1]
    assert abs(correlation) < 0.2


def test_plate_is_moved_and_brighter(shot, truths):
    plate, background = shot.clean_plate(), truths[0].background
    assert np.median(plate) / np.median(background) == pytest.approx(2**PLATE_EXPOSURE, rel=0.04)
    assert np.median(np.abs(plate / 2**PLATE_EXPOSURE - background) / background) > 0.03


def test_cameras_of_one_place_agree_on_a_point():
    one = Camera((540, 960), 850.0, tilt=0.1)
    other = one.turned(0.02, -0.01, 0.005)
    points = np.float32([[0.3, 1.2, 4.0], [-1.0, 0.5, 3.0]])
    here = np.column_stack([one.project(points)[:, :2], [1, 1]])
    there = here @ one.homography_to(other).T
    np.testing.assert_allclose(there[:, :2] / there[:, 2:], other.project(points)[:, :2], atol=2e-3)


def test_camera_looks_where_it_is_turned():
    camera = Camera((540, 960), 850.0, position=(0.0, 1.5, 0.0))
    middle = np.float32([[0, 1.5, 4.0]])
    np.testing.assert_allclose(camera.project(middle)[0], [480, 270, 4], atol=1e-3)
    assert camera.turned(0.1, 0, 0).project(middle)[0, 0] < 480
    assert camera.turned(0, 0.1, 0).project(middle)[0, 1] < 270
    np.testing.assert_allclose(camera.rays()[270, 480], [0.5 / 850, -0.5 / 850, 1], atol=1e-6)


def test_opencv_mapping_moves_centres_by_half_a_pixel():
    doubled = np.diag([2.0, 2.0, 1.0])
    np.testing.assert_allclose(opencv(doubled) @ [0, 0, 1], [0.5, 0.5, 1])


def test_files_hold_the_shot(tmp_path, truths):
    paths = list(write_shot(tmp_path, frames=1, size=SMALL))
    assert sorted(path.name for path in paths) == [
        "background_gt.1001.exr",
        "cleanplate.exr",
        "frame.1001.exr",
        "gt.1001.exr",
        "shadow_gt.1001.exr",
    ]
    frame = OpenImageIO.ImageBuf(str(tmp_path / "frame.1001.exr"))
    assert frame.spec().format == OpenImageIO.TypeDesc("half")
    np.testing.assert_allclose(frame.get_pixels(OpenImageIO.FLOAT), truths[0].frame, rtol=2**-11, atol=1e-6)
    matte = OpenImageIO.ImageBuf(str(tmp_path / "gt.1001.exr"))
    assert matte.spec().channelnames == ("R", "G", "B", "A")
    np.testing.assert_array_equal(matte.get_pixels(OpenImageIO.FLOAT)[..., 3], truths[0].alpha)
