"""The figures of a keyed shot: known values, second formulations, and what is left out where there is nothing."""

import numpy as np
import pytest
import truth_shots
from scipy.stats import spearmanr

from engine.evaluation.figures import ALPHA, BAND, LAYERS, average, calibration, measure
from engine.evaluation.keyers import Keyed
from engine.evaluation.metrics import unknown_band

KEYS = {*(column.key for column in ALPHA), *(BAND + column.key for column in ALPHA), *(column.key for column in LAYERS)}


def keyed(shot, error=0.0):
    """The truth, alpha and P off by an error everywhere."""
    truth = zip(shot.alphas, shot.foregrounds, shot.shadows, strict=True)
    return [Keyed(a + np.float32(error), P + np.float32(error), s, np.full_like(a, abs(error))) for a, P, s in truth]


def test_a_perfect_key_has_no_error():
    shot = truth_shots.shot()
    figures = measure(shot, keyed(shot))
    assert figures.keys() == KEYS
    errors = {key: value for key, value in figures.items() if "calibration" not in key}
    # A truth that moves by less than 1/1024 counts as standing still, and its own deviation as noise.
    assert errors.pop("static") == pytest.approx(0, abs=0.01)
    assert set(errors.values()) == {0.0}


def test_known_values():
    shot = truth_shots.shot()
    figures = measure(shot, keyed(shot, 0.01))
    height, width = truth_shots.SIZE
    assert figures["mad"] == pytest.approx(10, rel=1e-5)
    assert figures["mse"] == pytest.approx(0.1, rel=1e-4)
    assert figures["sad"] == pytest.approx(0.01 * height * width / 1000, rel=1e-5)
    assert figures["premultiplied"] == pytest.approx(0.1, rel=1e-4)
    assert figures["static"] == pytest.approx(0, abs=1e-4)
    assert figures["dtssd"] == pytest.approx(0, abs=1e-4)


def test_the_band_counts_only_the_band():
    shot = truth_shots.shot()
    outside = [Keyed(np.where(unknown_band(a), a, 1 - a), P, s) for a, P, s in _truth(shot)]
    figures = measure(shot, outside)
    assert figures["band_mad"] == figures["band_mse"] == figures["band_sad"] == 0
    assert figures["mad"] > 500


def _truth(shot):
    return zip(shot.alphas, shot.foregrounds, shot.shadows, strict=True)


def test_flicker_where_nothing_moves_is_static_noise():
    shot = truth_shots.shot(count=2)
    flicker = [Keyed(a + np.float32((-1) ** i * 0.02), P, s) for i, (a, P, s) in enumerate(_truth(shot))]
    figures = measure(shot, flicker)
    assert figures["static"] == pytest.approx(20, rel=1e-3)
    assert figures["dtssd"] == pytest.approx(4, rel=1e-3)


def test_what_a_keyer_or_a_shot_does_not_have_is_left_out():
    shot = truth_shots.shot(count=1)
    figures = measure(shot, [Keyed(shot.alphas[0], shot.foregrounds[0])])
    absent = {key for key, value in figures.items() if value is None}
    assert absent == {"dtssd", "band_dtssd", "static", "shadow", "calibration", "band_calibration"}


def test_a_frame_without_subject_has_no_band():
    shot = truth_shots.shot(count=1)
    empty = shot.__class__(**{**vars(shot), "alphas": [np.zeros(truth_shots.SIZE, np.float32)]})
    figures = measure(empty, keyed(empty, 0.5))
    assert figures["band_mad"] is None
    assert figures["mad"] == pytest.approx(500)


def test_extremes_stay_finite():
    shot = truth_shots.shot()
    wild = [Keyed(a, np.full_like(P, 40.0) * np.float32([1, -1, 1e4]), s) for a, P, s in _truth(shot)]
    assert np.isfinite(measure(shot, wild)["premultiplied"])


@pytest.mark.parametrize("ties", [False, True])
def test_calibration_is_spearmans(ties):
    rng = np.random.default_rng(5)
    error = rng.random(500).astype(np.float32)
    expected = error + rng.normal(0, 0.4, 500).astype(np.float32)
    if ties:
        error, expected = np.round(error * 5), np.round(expected * 3)
    assert calibration(expected, error) == pytest.approx(spearmanr(expected, error).statistic, abs=1e-9)


def test_calibration_of_perfect_opposite_and_constant_uncertainty():
    error = np.float32([0.1, 0.2, 0.4, 0.9])
    assert calibration(error**2, error) == pytest.approx(1)
    assert calibration(-error, error) == pytest.approx(-1)
    assert calibration(np.ones(4, np.float32), error) is None


def test_an_average_is_over_those_who_have_the_figure():
    assert average([{"a": 1.0, "b": None}, {"a": 3.0, "b": None}, {"a": None, "b": None}]) == {"a": 2.0, "b": None}
