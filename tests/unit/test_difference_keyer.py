"""The opponent must be a good one: exact on an easy shot, and no setting of its own grid may beat the tuned one."""

import numpy as np
import pytest

from engine.evaluation.difference_keyer import FLOOR, DifferenceKeyer, tune
from engine.evaluation.metrics import mad


@pytest.fixture
def shot():
    """A soft-edged bright disc over a dark textured plate with grain: (frame, plate, truth)."""
    rng = np.random.default_rng(3)
    rows, columns = np.mgrid[0:90, 0:120]
    truth = np.clip((30 - np.hypot(columns - 60, rows - 45)) / 6, 0, 1).astype(np.float32)
    plate = (0.1 + 0.02 * np.sin(columns / 5)[..., None] * np.ones(3)).astype(np.float32)
    frame = truth[..., None] * np.float32([0.9, 0.7, 0.5]) + (1 - truth[..., None]) * plate
    return (frame + rng.normal(0, 0.004, frame.shape)).astype(np.float32), plate, truth


def test_known_value_in_linear_light():
    keyer = DifferenceKeyer("linear", "largest", "none", offset=0.1, gain=2.0)
    frame = np.full((2, 2, 3), 0.5, np.float32) + np.float32([0, 0.2, -0.3])
    np.testing.assert_allclose(keyer.key(frame, np.full((2, 2, 3), 0.5, np.float32)), 2.0 * (0.3 - 0.1), rtol=1e-6)


def test_known_value_in_stops():
    keyer = DifferenceKeyer("log", "length", "none", offset=0.0, gain=0.1)
    plate = np.full((2, 2, 3), 0.25, np.float32)
    frame = (2 * (plate + FLOOR) - FLOOR).astype(np.float32)
    np.testing.assert_allclose(keyer.key(frame, plate), 0.1 * np.sqrt(3), rtol=1e-5)


def test_chromaticity_hardly_sees_a_shadow():
    keyer = DifferenceKeyer("chroma", "largest", "none")
    plate = np.full((2, 2, 3), 0.6, np.float32) * np.float32([1.0, 0.7, 0.4])
    shadow, other_colour = keyer.distance(0.5 * plate, plate), keyer.distance(plate[..., ::-1], plate)
    assert shadow.max() < 0.02 * other_colour.max()


def test_alpha_stays_in_range_for_extremes():
    frame = np.float32([[[40.0, 500.0, -0.25]]])
    for light in ("linear", "log", "chroma"):
        alpha = DifferenceKeyer(light, "largest", "none", 0.0, 1.0).key(frame, np.zeros_like(frame))
        assert np.isfinite(alpha).all()
        assert alpha.min() >= 0
        assert alpha.max() <= 1


@pytest.mark.parametrize("denoise", ["blur", "wide blur", "median"])
def test_filters_lower_the_grain_of_the_difference(shot, denoise):
    frame, plate, _ = shot
    far = np.s_[:, :15]
    plain = DifferenceKeyer("linear", "largest", "none").distance(frame, plate)[far]
    filtered = DifferenceKeyer("linear", "largest", denoise).distance(frame, plate)[far]
    assert filtered.mean() < 0.6 * plain.mean()


def test_tuned_keyer_is_good_where_keying_is_easy(shot):
    frame, plate, truth = shot
    keyer = tune([frame], [plate], [truth])
    assert mad(keyer.key(frame, plate), truth) < 0.01


def test_no_hand_made_setting_beats_the_tuned_one(shot):
    frame, plate, truth = shot
    best = mad(tune([frame], [plate], [truth]).key(frame, plate), truth)
    for offset in (0.01, 0.02, 0.05, 0.1):
        for gain in (1.0, 1.4, 2.0, 4.0, 10.0):
            by_hand = DifferenceKeyer("linear", "largest", "none", offset, gain)
            assert best <= 1.1 * mad(by_hand.key(frame, plate), truth)
