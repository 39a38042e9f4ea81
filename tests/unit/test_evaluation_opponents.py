"""The opponents must be good ones: a trimap that brackets the truth, mattes that are exact where keying is easy."""

from dataclasses import replace

import numpy as np
import pytest
import scenes
import truth_shots

from engine.errors import EngineError
from engine.evaluation import opponents
from engine.evaluation.degradations import with_shadow
from engine.evaluation.metrics import mad
from engine.evaluation.opponents import ClosedFormOpponent, DifferenceOpponent, MaskOpponent, PlacedPlates, closed_form
from engine.evaluation.trimap import automatic_trimap
from engine.values import Plate

SIZE = (240, 320)


@pytest.fixture(scope="module")
def shot():
    return truth_shots.shot(size=SIZE)


@pytest.fixture(scope="module")
def small():
    return truth_shots.shot()


def placed(shot):
    return Plate(shot.plate, np.ones(shot.plate.shape[:2], bool))


def test_a_trimap_brackets_the_truth(shot):
    trimap, truth = automatic_trimap(shot.frames[0], placed(shot)), shot.alphas[0]
    assert set(np.unique(trimap)) == {0.0, 0.5, 1.0}
    assert np.quantile(truth[trimap == 1], 0.02) > 0.95
    assert np.quantile(truth[trimap == 0], 0.98) < 0.05
    assert (trimap == 0.5).mean() < 0.25


def test_a_shadow_is_background(shot):
    shaded = with_shadow(shot, 40, 3)
    trimap = automatic_trimap(shaded.frames[0], placed(shot))
    shadow_alone = (shaded.shadows[0][..., 0] < 0.7) & (shot.alphas[0] == 0)
    assert shadow_alone.any()
    assert (trimap[shadow_alone] == 1).mean() < 0.01


def test_nothing_changed_is_nothing_but_background(shot):
    assert not automatic_trimap(shot.plate, placed(shot)).any()


def test_where_the_plate_saw_nothing_nothing_differs(shot):
    blind = Plate(shot.plate, np.zeros(shot.plate.shape[:2], bool))
    assert not automatic_trimap(shot.frames[0], blind).any()


def test_a_mask_is_all_or_nothing_about_the_subject(shot):
    found, ideal = (MaskOpponent(PlacedPlates(), ideal).key(shot, "off")[0] for ideal in (False, True))
    truth = shot.alphas[0]
    for one in (found, ideal):
        assert set(np.unique(one.alpha)) == {0.0, 1.0}
        assert one.alpha[truth == 1].mean() > 0.97
    np.testing.assert_array_equal(ideal.alpha, truth > 0.5)
    assert found.alpha[truth == 0].mean() < 0.1
    assert mad(ideal.alpha, truth) < mad(found.alpha, truth)


def test_a_thin_part_keeps_a_core():
    plate = np.full((96, 96, 3), 0.2, np.float32)
    frame = plate.copy()
    frame[:, 46:50] = 0.8
    trimap = automatic_trimap(frame, Plate(plate, np.ones((96, 96), bool)))
    assert (trimap[:, 46:50] == 1).any()


def test_extremes_make_a_trimap_of_three_values(shot):
    wild = shot.frames[0].copy()
    wild[:9, :9], wild[9:18, :9] = 40.0, -1.0
    assert set(np.unique(automatic_trimap(wild, placed(shot)))) <= {0.0, 0.5, 1.0}


def test_closed_form_finds_the_edge(shot):
    frame, truth = shot.frames[0], shot.alphas[0]
    trimap = automatic_trimap(frame, placed(shot))
    alpha = closed_form(frame, trimap)
    assert mad(alpha, truth) < 0.5 * mad(trimap, truth)
    assert alpha.min() >= 0
    assert alpha.max() <= 1


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_without_foreground_or_background_there_is_nothing_to_solve(shot, level):
    trimap = np.full(SIZE, level, np.float32)
    np.testing.assert_array_equal(closed_form(shot.frames[0], trimap), np.floor(trimap))


def test_a_matte_once_made_is_found_again(small, tmp_path, monkeypatch):
    first = ClosedFormOpponent(PlacedPlates(), tmp_path / "cache").key(small, "auto")
    monkeypatch.setattr(opponents, "closed_form", lambda *_: pytest.fail("made again"))
    again = ClosedFormOpponent(PlacedPlates(), tmp_path / "cache").key(small, "auto")
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.alpha, other.alpha)
    assert len(list((tmp_path / "cache").iterdir())) == len(small.frames)


def test_another_frame_is_another_matte(small, tmp_path):
    keyer = ClosedFormOpponent(PlacedPlates(), tmp_path)
    keyer.key(small, "auto")
    keyer.key(replace(small, frames=[frame * np.float32(1.01) for frame in small.frames]), "auto")
    assert len(list(tmp_path.iterdir())) == 2 * len(small.frames)


def test_the_tuned_difference_keyer_is_good_where_keying_is_easy(shot):
    for one, truth, light in zip(
        DifferenceOpponent(PlacedPlates()).key(shot, "auto"), shot.alphas, shot.foregrounds, strict=True
    ):
        assert mad(one.alpha, truth) < 0.05
        assert np.abs(one.premultiplied - light).mean() < 0.02
        assert one.shadow is None
        assert one.uncertainty is None


def test_plates_are_placed_once_a_shot_and_mode(small, monkeypatch):
    made = []
    whole = opponents.register
    monkeypatch.setattr(opponents, "register", lambda *of: made.append(of) or whole(*of))
    plates = PlacedPlates()
    for mode in ("auto", "auto", "off", "off", "auto"):
        plates.of(small, mode)
    assert len(made) == 3 * len(small.frames)


def test_opponents_get_the_plate_on_the_frames_grid_and_at_its_exposure():
    size = (240, 320)
    background = scenes.shot(size, 3)
    moved = scenes.shot(size, 3, scenes.camera_move(size)) * np.float32(1.3)
    frame = scenes.with_subject(background, 0.1)
    taken = replace(truth_shots.shot(count=1, size=size), frames=[frame], plate=moved)
    (plate,) = PlacedPlates().of(taken, "auto")
    clear = plate.valid & (scenes.figure(size, 0.2) == 0)
    assert np.abs(plate.rgb - background)[clear].mean() < 0.1 * np.abs(moved - background)[clear].mean()


def test_a_plate_of_another_scene_is_an_empty_matte_that_says_why():
    size = (240, 320)
    strange = replace(truth_shots.shot(count=2, size=size), plate=scenes.shot(size, 1234))
    plates = PlacedPlates()
    for keyer in (DifferenceOpponent(plates), ClosedFormOpponent(plates, cache=None)):
        for one in keyer.key(strange, "auto"):
            assert not one.alpha.any()
            assert not one.premultiplied.any()
            assert "clean plate" in one.refused


def test_other_errors_are_not_swallowed(small, monkeypatch):
    def broken(*_):
        raise EngineError("SIZE_MISMATCH", "Another size.", "Bring it to this one.")

    monkeypatch.setattr(opponents, "register", broken)
    with pytest.raises(EngineError, match="Another size"):
        DifferenceOpponent(PlacedPlates()).key(small, "auto")
