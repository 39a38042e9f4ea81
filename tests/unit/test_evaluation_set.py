"""The validation set: its truth is exact, its plates are what its groups say, and seeds make it again."""

from dataclasses import replace
from hashlib import sha256

import cv2
import numpy as np
import pytest
import scenes

from engine.errors import EngineError
from engine.evaluation.layer_errors import static_noise
from engine.evaluation.shot_folder import find_shots, read_shot
from engine.synthesis.held_camera import MARGIN, HeldCamera, Pose, frame_photograph, hold, second_take
from engine.synthesis.validation_shots import shoot
from engine.training import validation_set
from engine.training.assets import Asset
from engine.training.validation_set import Extent, write_validation_set

SIZE = (90, 120)


@pytest.fixture(scope="module")
def photo():
    return np.clip(scenes.shot((300, 400), 5), 0, 1)


@pytest.fixture(scope="module")
def subject():
    """A soft disc with a leg to the lower edge, premultiplied."""
    y, x = np.mgrid[:128, :128]
    alpha = np.clip(30.5 - np.hypot(x - 64, y - 50), 0, 1)
    alpha[80:, 58:70] = 1
    return np.dstack([alpha * 0.4, alpha * 0.2, alpha * 0.1, alpha]).astype(np.float32)


def made(kind, photo, subject, seed=1, count=4):
    return shoot(np.random.default_rng(seed), kind, photo, subject, SIZE, count)


@pytest.mark.parametrize("kind", ["locked-off", "hand-held"])
def test_shapes_ranges_and_seeds(kind, photo, subject):
    one, again, other = (made(kind, photo, [subject], seed) for seed in (1, 1, 2))
    for name in ("frames", "foregrounds", "shadows"):
        assert np.stack(getattr(one, name)).shape == (4, *SIZE, 3)
        np.testing.assert_array_equal(getattr(one, name), getattr(again, name))
    assert np.stack(one.alphas).shape == (4, *SIZE)
    assert 0 <= np.min(one.alphas) <= np.max(one.alphas) <= 1 + 1e-5
    assert 0 < np.min(one.shadows) <= np.max(one.shadows) <= 1
    assert not np.allclose(one.plate, other.plate)


def test_a_locked_off_plate_is_the_background_but_for_grain(photo, subject):
    shot = made("locked-off", photo, [subject])
    errors = [
        frame - P - (1 - a[..., None]) * shot.plate
        for frame, P, a in zip(shot.frames, shot.foregrounds, shot.alphas, strict=True)
    ]
    assert np.min(shot.shadows) == 1
    assert abs(np.mean(errors)) < 1e-3
    assert np.std(errors) < 0.05
    # Grain of frames and plate is drawn apart, and anew in every frame.
    assert np.corrcoef(errors[0].ravel(), errors[1].ravel())[0, 1] < 0.7


def test_a_hand_held_plate_lies_elsewhere_and_is_exposed_otherwise(photo, subject):
    shot = made("hand-held", photo, [subject])
    empty = np.max(shot.alphas, 0) == 0
    ratio = np.median(shot.frames[0][empty].mean(1)) / np.median(shot.plate[empty].mean(1))
    assert abs(np.log2(ratio)) > 0.02
    assert np.std((shot.frames[0] - ratio * shot.plate)[empty]) > np.std((shot.frames[0] - shot.frames[1])[empty])


def test_the_subject_moves_and_the_far_background_stands_still(photo, subject):
    shot = made("locked-off", photo, [subject])
    assert not np.allclose(shot.alphas[0], shot.alphas[3])
    assert (np.ptp(shot.alphas, axis=0) == 0).mean() > 0.3
    assert static_noise(shot.alphas, shot.alphas) == pytest.approx(0, abs=1e-4)


def test_light_and_coverage_move_together(photo, subject):
    shot = made("locked-off", photo, [subject])
    P, a = shot.foregrounds[2], shot.alphas[2]
    solid = a > 0.2
    straight = P[solid] / a[solid][:, None]
    np.testing.assert_allclose(straight, np.broadcast_to(straight[0], straight.shape), rtol=2e-3)


def test_a_moving_subject_brings_its_own_frames(photo, subject):
    pictures = [np.roll(subject, 5 * i, axis=1) for i in range(3)]
    shot = made("locked-off", photo, pictures, count=5)
    assert len(shot.frames) == 3
    centres = [float((a * np.arange(SIZE[1])).sum() / a.sum()) for a in shot.alphas]
    assert np.diff(centres) == pytest.approx([np.diff(centres)[0]] * 2, rel=0.05)
    assert np.diff(centres)[0] > 1


def test_a_pose_moves_the_picture_by_whole_pixels(photo):
    rng = np.random.default_rng(0)
    camera = frame_photograph(photo, SIZE, rng)
    rest, moved = camera.picture(Pose()), camera.picture(Pose(x=3.0, y=-2.0))
    np.testing.assert_allclose(moved[5:-5, 5:-5], np.roll(rest, (-2, 3), (0, 1))[5:-5, 5:-5], atol=2e-3)


def test_a_view_has_a_margin_for_the_hand(photo):
    camera = frame_photograph(photo, SIZE, np.random.default_rng(0))
    assert isinstance(camera, HeldCamera)
    assert camera.view.shape == ((SIZE[0] + 2 * MARGIN) * 2, (SIZE[1] + 2 * MARGIN) * 2, 3)
    corners = np.array([(x, y, 1) for x in (0, SIZE[1]) for y in (0, SIZE[0])])
    rng = np.random.default_rng(3)
    for pose in [second_take(rng, held) for held in hold(rng, 50)]:
        there = corners @ pose.matrix(SIZE).T - corners
        assert np.abs(there).max() < MARGIN


@pytest.fixture
def assets(tmp_path, monkeypatch, photo):
    """A folder with one held-out photograph, and a manifest that names it."""
    folder = tmp_path / "assets"
    folder.mkdir()
    data = cv2.imencode(".png", (photo * 255).astype(np.uint8))[1].tobytes()
    (folder / "set.png").write_bytes(data)
    asset = Asset("set.png", "package", "An Author", "CC0-1.0", sha256(data).hexdigest(), held_out=True)
    training = replace(asset, file="absent.png", held_out=False)
    monkeypatch.setattr(validation_set, "load_manifest", lambda: [training, asset])
    return folder


EXTENT = Extent(2, 2, SIZE)


def test_a_set_is_written_and_read_and_made_again(assets, tmp_path):
    for name in ("one", "two"):
        write_validation_set(tmp_path / name, assets, None, EXTENT)
    found = find_shots(tmp_path / "one")
    assert [(shot.name, shot.group, shot.clean) for shot in found] == [
        (f"{kind}/{number:02d}", kind, kind == "locked-off")
        for kind in ("hand-held", "locked-off")
        for number in (0, 1)
    ]
    for first, second in zip(found, find_shots(tmp_path / "two"), strict=True):
        np.testing.assert_array_equal(read_shot(first).frames, read_shot(second).frames)
        assert first.facts == second.facts
        assert first.facts["licence"] == "CC0-1.0"
        assert first.facts["subject"].startswith("painted")


def test_every_other_subject_is_a_render(assets, tmp_path, subject):
    renders = tmp_path / "renders"
    renders.mkdir()
    np.save(renders / "a.npy", subject.astype(np.float16))
    np.save(renders / "b.npy", np.stack([subject] * 3).astype(np.float16))
    write_validation_set(tmp_path / "out", assets, renders, EXTENT)
    subjects = {shot.name: shot.facts["subject"] for shot in find_shots(tmp_path / "out")}
    assert subjects["locked-off/01"] == "rendered, a.npy"
    assert subjects["hand-held/01"] == "rendered, b.npy"
    assert subjects["locked-off/00"].startswith("painted")


def test_a_render_of_another_shape_is_named(assets, tmp_path):
    renders = tmp_path / "renders"
    renders.mkdir()
    for name in "ab":
        np.save(renders / f"{name}.npy", np.zeros((8, 9, 3), np.float16))
    with pytest.raises(EngineError, match=r"a\.npy has the shape \(1, 8, 9, 3\)"):
        write_validation_set(tmp_path / "out", assets, renders, EXTENT)


def test_a_folder_in_use_is_left_alone(assets, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(EngineError, match="not empty"):
        write_validation_set(tmp_path / "out", assets, None, EXTENT)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_missing_photograph_is_named(assets, tmp_path):
    (assets / "set.png").unlink()
    with pytest.raises(EngineError, match=r"set\.png is missing"):
        write_validation_set(tmp_path / "out", assets, None, EXTENT)
