"""The equation's own measure, and the errors of foreground, shadow and standing alpha."""

from dataclasses import replace

import numpy as np
import pytest

from engine.evaluation.layer_errors import Stack, premultiplied_mse, recombination, shadow_mae, static_noise


@pytest.fixture
def exact():
    """(frame, stack) for which the equation holds but for float32 rounding; highlights and negatives included."""
    rng = np.random.default_rng(5)
    size = (24, 32)
    alpha = rng.uniform(0, 1, size).astype(np.float32)
    colours = [rng.normal(0.5, 2.0, (*size, 3)).astype(np.float32) for _ in range(2)]
    ratio = rng.uniform(0.2, 1, (*size, 3)).astype(np.float32)
    stack = Stack(alpha[..., None] * colours[0], alpha, ratio, colours[1], np.zeros((*size, 3), np.float32))
    frame = stack.premultiplied + (1 - alpha[..., None]) * ratio * stack.plate
    return frame, stack


def everywhere(frame):
    return np.ones(frame.shape[:2], bool)


def test_float_rounding_is_all_that_is_left(exact):
    frame, stack = exact
    assert recombination(frame, stack, everywhere(frame)).relative < 1e-6


def test_one_wrong_sample_is_found_and_sized(exact):
    frame, stack = exact
    residual = stack.residual.copy()
    residual[3, 4, 1] = 0.25
    found = recombination(frame, replace(stack, residual=residual), everywhere(frame))
    ratio = stack.shadow_ratio[3, 4, 1] * stack.plate[3, 4, 1]
    size = max(abs(frame[3, 4, 1]), abs(stack.premultiplied[3, 4, 1]), abs((1 - stack.alpha[3, 4]) * ratio), 0.25)
    assert found.relative == pytest.approx(0.25 / size, rel=1e-4)


def test_outside_the_region_nothing_counts(exact):
    frame, stack = exact
    region = everywhere(frame)
    region[0] = False
    frame = frame.copy()
    frame[0] += 9
    assert recombination(frame, stack, region).relative < 1e-6
    assert recombination(frame, stack, np.zeros_like(region)).half_ulps == 0


@pytest.mark.parametrize("value", [1e-5, 0.18, 1.0, 500.0, 60000.0])
def test_half_ulps_agree_with_numpy(value):
    value = np.float32(np.float16(value))
    step = np.float32(np.spacing(np.float16(value)))
    zeros = np.zeros((1, 1, 3), np.float32)
    stack = Stack(zeros + value, np.ones((1, 1), np.float32), zeros + 1, zeros, zeros)
    found = recombination(zeros + value + step / 2, stack, np.ones((1, 1), bool))
    assert found.half_ulps == pytest.approx(0.5, rel=1e-3)


def test_an_error_where_every_term_is_zero_is_impossible_and_zero_is_no_error():
    zeros = np.zeros((2, 2, 3), np.float32)
    stack = Stack(zeros, zeros[..., 0], zeros + 1, zeros, zeros)
    assert recombination(zeros, stack, np.ones((2, 2), bool)).relative == 0


def test_foreground_and_shadow_errors_have_known_values():
    truth = np.zeros((4, 4, 3), np.float32)
    estimate = truth.copy()
    estimate[0, 0] = 2.0
    corner = np.zeros((4, 4), bool)
    corner[0, 0] = True
    assert premultiplied_mse(estimate, truth) == pytest.approx(4 / 16)
    assert premultiplied_mse(estimate, truth, corner) == pytest.approx(4)
    assert shadow_mae(estimate, truth) == pytest.approx(2 / 16)
    assert shadow_mae(estimate, truth, ~corner) == 0


def test_static_noise_is_the_deviation_where_the_truth_stands_still():
    truths = [np.zeros((6, 6), np.float32), np.zeros((6, 6), np.float32)]
    truths[1][:, 3:] = 1
    alphas = [np.full((6, 6), 0.0, np.float32), np.full((6, 6), 0.2, np.float32)]
    assert static_noise(alphas, truths) == pytest.approx(0.1)
    assert static_noise(alphas, [truths[0], truths[0] + 1]) == 0
