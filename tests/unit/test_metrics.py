"""The metrics against the numbers that the reference scripts give on one small fixture."""

import numpy as np
import pytest

from engine.evaluation import metrics
from engine.evaluation.metrics import conn, dtssd, grad, mad, mse, sad, score, unknown_band


def disc(x, y, radius, width):
    rows, columns = np.mgrid[0:144, 0:192]
    return np.clip(0.5 + (radius - np.hypot(columns - x, rows - y)) / width, 0, 1)


def with_debris(alpha, x):
    """A strand above the disc and a blob beside it, neither of which the truth has."""
    rows, columns = np.mgrid[0:144, 0:192]
    strand = (np.abs(columns - x) < 1) & (rows > 20) & (rows < 60)
    blob = (columns - 150) ** 2 + (rows - 30) ** 2 < 9
    return np.maximum(np.maximum(alpha, 0.6 * strand), blob)


def eight_bit(alpha):
    return (np.round(alpha * 255) / 255).astype(np.float64)


@pytest.fixture(scope="module")
def pair():
    """(estimate before, estimate now, truth before, truth now)."""
    return (
        eight_bit(with_debris(disc(96.5, 72, 41, 10), 96.5)),
        eight_bit(with_debris(disc(98.8, 72, 40.5, 10), 98.8)),
        eight_bit(disc(96, 72, 40, 12)),
        eight_bit(disc(98, 72, 40, 12)),
    )


def test_whole_frame_in_the_scale_of_robust_video_matting(pair):
    before, now, truth_before, truth_now = pair
    figures = score([before, now], [truth_before, truth_now])
    assert 1e3 * mad(now, truth_now) == pytest.approx(8.195324, abs=5e-7)
    assert 1e3 * mse(now, truth_now) == pytest.approx(1.767164, abs=5e-7)
    assert 1e-3 * grad(now, truth_now) == pytest.approx(0.396675, abs=5e-7)
    assert 1e-3 * conn(now, truth_now) == pytest.approx(0.161986, abs=5e-7)
    assert figures.dtssd == pytest.approx(2.982154, abs=5e-7)


def test_trimap_band_in_the_scale_of_deep_image_matting(pair):
    _, now, _, truth = pair
    band = unknown_band(truth)
    assert (band.sum(), band.size) == (2728, 27648)
    assert 1e-3 * sad(now, truth, band) == pytest.approx(0.187153, abs=5e-7)
    assert mse(now, truth, band) == pytest.approx(0.007071, abs=5e-7)
    assert grad(now, truth, band) == pytest.approx(73.8429, abs=5e-5)
    assert conn(now, truth, band) == pytest.approx(129.7863, abs=5e-5)


def test_whole_frame_raw(pair):
    _, now, _, truth = pair
    assert 1e-3 * sad(now, truth) == pytest.approx(0.226584, abs=5e-7)
    assert mse(now, truth) == pytest.approx(0.001767, abs=5e-7)
    assert grad(now, truth) == pytest.approx(396.6746, abs=5e-5)
    assert conn(now, truth) == pytest.approx(161.9863, abs=5e-5)


def test_gradient_kernel_is_the_published_one():
    middle_row = metrics._gradient_kernel()[4]
    expected = [0.02749, 0.12295, 0.29347, 0.31543, 0, -0.31543, -0.29347, -0.12295, -0.02749]
    np.testing.assert_allclose(middle_row, expected, atol=5e-6)


def test_perfect_alpha_scores_zero(pair):
    _, _, before, now = pair
    figures = score([before, now], [before, now])
    assert (figures.mad, figures.mse, figures.grad, figures.conn, figures.dtssd) == (0, 0, 0, 0, 0)


def test_dtssd_is_blind_to_a_constant_error_and_sees_flicker(pair):
    _, _, before, now = pair
    assert dtssd(before + 0.1, now + 0.1, before, now) == pytest.approx(0, abs=1e-12)
    assert dtssd(before + 0.1, now - 0.1, before, now) == pytest.approx(0.2)


def test_gradient_error_is_blind_to_scale(pair):
    _, _, _, truth = pair
    assert grad(0.9 * truth, truth) == pytest.approx(0, abs=1e-9)


def test_a_detached_blob_costs_connectivity_exactly_its_area():
    truth = np.zeros((40, 40))
    truth[5:20, 5:20] = 1
    estimate = truth.copy()
    estimate[30:33, 30:33] = 1
    assert conn(estimate, truth) == pytest.approx(9)


def test_empty_truth_and_estimate_are_defined():
    nothing = np.zeros((16, 16))
    assert score([nothing], [nothing]).conn == 0
    assert not unknown_band(nothing).any()


def test_region_restricts_the_sum(pair):
    _, now, _, truth = pair
    left = np.zeros(truth.shape, bool)
    left[:, :96] = True
    assert sad(now, truth, left) + sad(now, truth, ~left) == pytest.approx(sad(now, truth))
    assert grad(now, truth, left) + grad(now, truth, ~left) == pytest.approx(grad(now, truth))
