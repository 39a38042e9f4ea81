"""Each fault alone: what it does exactly, what it leaves alone, and that the truth stays true."""

import numpy as np
import pytest
import truth_shots

from engine.evaluation import degradations as faults
from engine.evaluation.robustness import AXES
from engine.synthesis.grain import FULL_WELL, READ_NOISE, variance, with_grain


@pytest.fixture(scope="module")
def shot():
    return truth_shots.shot(count=2, grain=0)


def same(first, second):
    return all(np.array_equal(getattr(first, name), getattr(second, name)) for name in ("frames", "plate", "alphas"))


@pytest.mark.parametrize("axis", AXES, ids=lambda axis: axis.key)
def test_a_fault_is_a_function_of_shot_level_and_seed(shot, axis):
    before = [frame.copy() for frame in shot.frames], shot.plate.copy()
    for level in axis.levels:
        assert same(axis.spoil(shot, level, 4), axis.spoil(shot, level, 4))
    np.testing.assert_array_equal(before[0], shot.frames)
    np.testing.assert_array_equal(before[1], shot.plate)


@pytest.mark.parametrize("axis", [axis for axis in AXES if axis.key != "shift"], ids=lambda axis: axis.key)
def test_no_fault_leaves_the_shot_as_it_is(shot, axis):
    assert axis.none in axis.levels
    assert same(axis.spoil(shot, axis.none, 4), shot)


@pytest.mark.parametrize("axis", AXES, ids=lambda axis: axis.key)
def test_every_other_level_is_a_fault(shot, axis):
    for level in axis.levels:
        assert same(axis.spoil(shot, level, 4), axis.spoil(shot, axis.none, 4)) == (level == axis.none)


def test_a_plate_without_shift_is_cropped_only(shot):
    cropped = faults.shifted_plate(shot, 0, 1)
    np.testing.assert_array_equal(cropped.plate, shot.plate[12:-12, 12:-12])
    np.testing.assert_array_equal(cropped.alphas[1], shot.alphas[1][12:-12, 12:-12])


def test_a_shift_moves_the_plate_by_its_distance_and_nothing_else(shot):
    y, x = np.mgrid[: truth_shots.SIZE[0], : truth_shots.SIZE[1]].astype(np.float32)
    ramps = shot.__class__(**{**vars(shot), "plate": np.stack([x, y, np.ones_like(x)], 2)})
    for pixels in (0.5, 2.0, 8.0):
        moved, still = (faults.shifted_plate(ramps, level, 3) for level in (pixels, 0))
        offset = (moved.plate - still.plate)[..., :2].mean((0, 1))
        assert np.hypot(*offset) == pytest.approx(pixels, abs=1 / 32)
        np.testing.assert_array_equal(moved.frames, still.frames)


def test_seeds_shift_elsewhere(shot):
    first, second = (faults.shifted_plate(shot, 4, seed).plate for seed in (1, 2))
    assert not np.allclose(first, second)


def test_exposure_is_a_factor_on_the_plate(shot):
    np.testing.assert_allclose(faults.exposed_plate(shot, 0.5, 0).plate, shot.plate * np.sqrt(2), rtol=1e-6)
    assert faults.exposed_plate(shot, 0.5, 0).frames is shot.frames


def test_a_shadow_obeys_the_equation(shot):
    shaded = faults.with_shadow(shot, 60, 5)
    for i, frame in enumerate(shaded.frames):
        P, a, s = shaded.foregrounds[i], shaded.alphas[i][..., None], shaded.shadows[i]
        np.testing.assert_allclose(frame, P + (1 - a) * s * shot.plate, atol=2e-6)


def test_a_shadow_is_as_deep_as_asked_for(shot):
    for percent in (10, 80):
        ratio = faults.with_shadow(shot, percent, 5).shadows[0]
        assert ratio.min() == pytest.approx(1 - percent / 100, abs=1e-5)
        assert ratio.max() <= 1


def test_shadows_multiply(shot):
    twice = faults.with_shadow(faults.with_shadow(shot, 50, 5), 50, 5)
    np.testing.assert_allclose(twice.shadows[0], faults.with_shadow(shot, 50, 5).shadows[0] ** 2, rtol=1e-6)
    a = shot.alphas[0][..., None]
    np.testing.assert_allclose(
        twice.frames[0], shot.foregrounds[0] + (1 - a) * twice.shadows[0] * shot.plate, atol=4e-6
    )


def test_nobody_casts_no_shadow():
    assert not faults.cast_shadow(np.zeros((40, 60), np.float32), 1).any()


def test_grain_has_the_variance_of_its_sensitivity():
    light = np.full((200, 200, 3), 0.18, np.float32)
    for iso in (100, 6400):
        noise = with_grain(light, iso, np.random.default_rng(1)) - light
        electrons = 0.18 * FULL_WELL * 100 / iso
        expected = (electrons + READ_NOISE**2) / (FULL_WELL * 100 / iso) ** 2
        assert noise.var() == pytest.approx(expected, rel=0.03)
        assert float(variance(np.float32(0.18), iso)) == pytest.approx(expected, rel=1e-5)


def test_grain_is_drawn_anew_for_each_picture(shot):
    grainy = faults.with_more_grain(shot, 1600, 2)
    noises = [
        grainy.plate - shot.plate,
        *(f - clean for f, clean in zip(grainy.frames, shot.frames, strict=True)),
    ]
    for i, noise in enumerate(noises):
        for other in noises[:i]:
            assert abs(np.corrcoef(noise.ravel(), other.ravel())[0, 1]) < 0.05


def test_compression_errs_more_the_lower_the_quality_is(shot):
    errors = [np.abs(faults.compressed(shot, q, 0).plate - shot.plate).mean() for q in (97, 80, 50)]
    assert errors == sorted(errors)
    assert errors[0] > 0


@pytest.mark.parametrize("axis", AXES, ids=lambda axis: axis.key)
def test_extremes_stay_finite(shot, axis):
    plate = shot.plate.copy()
    plate[:5, :5], plate[5:9, :5] = 40.0, -0.5
    wild = shot.__class__(**{**vars(shot), "plate": plate})
    for level in axis.levels:
        spoilt = axis.spoil(wild, level, 1)
        assert all(np.isfinite(picture).all() for picture in (*spoilt.frames, spoilt.plate))
