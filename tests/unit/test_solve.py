"""The solve: the equation holds for the stored numbers, and every promise about a, P, s and R is kept."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import EngineError
from engine.pipeline.solve import solve
from engine.pipeline.solve.alpha import lower_bound, shift_edge
from engine.pipeline.solve.extend import extend
from engine.pipeline.solve.grain import deviation
from engine.settings import Knobs
from engine.values import Matte, Photometric, Plate

SIZE = (48, 64)
QUIET = Photometric((1, 1, 1), (0, 0, 0), 1.0, ((1e-8, 1e-8),) * 3)
NOTHING = np.zeros(SIZE, np.float32)


def scene(seed=0, high=1.0):
    """A random frame, plate and matte that agree with nothing in particular."""
    rng = np.random.default_rng(seed)
    frame = rng.uniform(-0.05, high, (*SIZE, 3)).astype(np.float32)
    plate = Plate(rng.uniform(0, high, (*SIZE, 3)).astype(np.float32), np.ones(SIZE, bool))
    alpha = np.clip(rng.uniform(-0.5, 1.5, SIZE), 0, 1).astype(np.float32)
    shadow = rng.uniform(0.2, 1, (*SIZE, 3)).astype(np.float32)
    matte = Matte(alpha, shadow, NOTHING, rng.uniform(0, high, (*SIZE, 3)).astype(np.float32))
    return frame, plate, matte


def run(frame, plate, matte, knobs=None, garbage=NOTHING, core=NOTHING, fit=QUIET):
    return solve(frame, plate, matte, fit, knobs or Knobs(), garbage, core)


def stacked(solution):
    """Recombine in double precision, as an independent reader of the file would."""
    p, b, r = (np.float64(x) for x in (solution.premultiplied, solution.plate, solution.residual))
    behind = (1 - np.float64(solution.alpha))[..., None] * np.float64(solution.shadow_ratio) * b
    return p + behind + r, np.max([np.abs(p), np.abs(behind), np.abs(r)], 0)


@given(seed=st.integers(0, 50), depth=st.sampled_from(["half", "float"]), color=st.sampled_from(["grey", "rgb"]),
       gain=st.floats(0, 2), mix=st.floats(0, 1), shift=st.floats(-3, 3), despill=st.floats(0, 1))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_the_equation_holds_whatever_the_knobs(seed, depth, color, gain, mix, shift, despill):
    frame, plate, matte = scene(seed)
    knobs = Knobs(depth=depth, shadow_color=color, shadow_gain=gain, mix=mix, edge_shift=shift, despill=despill)
    solution = run(frame, plate, matte, knobs)
    total, size = stacked(solution)
    size = np.maximum(size, np.abs(frame))
    bound = 0.5 * np.spacing(size.astype(np.float16)).astype(np.float64) if depth == "half" else 1e-6 * size
    assert (np.abs(total - frame) <= bound + 1e-12).all()


@pytest.mark.parametrize("depth", ["half", "float"])
def test_extremes_come_back(depth):
    frame, plate, matte = scene()
    frame[5, 5], frame[6, 6], frame[7, 7] = 500.0, -0.25, 1e-5
    total, size = stacked(run(frame, plate, matte, Knobs(depth=depth)))
    bound = np.spacing(np.float16(500)) / 2 if depth == "half" else 5e-4
    assert np.abs(total - frame).max() <= bound
    assert abs(total[7, 7, 0] - 1e-5) <= 0.5 * np.spacing(np.float16(size[7, 7, 0]))


def hair_before_a_window(doubt):
    """Half-covered pixels of a dark colour before bars of light, keyed a tenth too thick."""
    window = np.where(np.arange(SIZE[1]) % 8 < 4, 20.0, 4.0)[None, :, None] * np.ones((*SIZE, 3))
    hair = np.float32(0.05)
    frame = (0.5 * hair + 0.5 * window).astype(np.float32)
    matte = Matte(
        np.full(SIZE, 0.6, np.float32),
        np.ones((*SIZE, 3), np.float32),
        np.full(SIZE, doubt, np.float32),
        np.full((*SIZE, 3), hair),
    )
    return frame, Plate(window.astype(np.float32), np.ones(SIZE, bool)), matte


def test_hair_before_a_window_brings_no_window_along():
    frame, plate, matte = hair_before_a_window(doubt=0.1)
    solution = run(frame, plate, matte)
    assert np.abs(solution.premultiplied - 0.6 * 0.05).max() < 0.02
    assert np.abs(solution.foreground - 0.05).max() < 0.02
    total, size = stacked(solution)
    assert (np.abs(total - frame) <= 1e-3 * size).all()


def test_before_a_set_that_is_no_brighter_the_rest_of_the_pixel_is_the_subject():
    frame, plate, matte = scene(1)
    matte = Matte(np.full(SIZE, 0.5, np.float32), matte.shadow, NOTHING + 0.05, plate.rgb + 0.5)
    solution = run(np.maximum(frame, 0) + plate.rgb, plate, matte, Knobs(depth="float"))
    assert np.abs(solution.residual).max() < 0.02


def test_foreground_is_exactly_zero_where_alpha_is():
    solution = run(*scene(3))
    assert (solution.alpha == 0).any()
    assert (solution.premultiplied[solution.alpha == 0] == 0).all()


def test_opaque_pixels_are_the_frame():
    frame, plate, matte = scene(4)
    solution = run(frame, plate, matte, Knobs(depth="float"))
    opaque = solution.alpha == 1
    assert opaque.any()
    np.testing.assert_array_equal(solution.premultiplied[opaque], frame[opaque])
    np.testing.assert_array_equal(solution.residual[opaque], 0)


def test_confident_foreground_is_the_frame_less_the_background():
    rng = np.random.default_rng(1)
    b = rng.uniform(0.2, 0.8, (*SIZE, 3)).astype(np.float32)
    alpha = np.full(SIZE, 0.5, np.float32)
    f = rng.uniform(0.2, 0.8, (*SIZE, 3)).astype(np.float32)
    frame = 0.5 * f + 0.5 * b
    matte = Matte(alpha, np.ones((*SIZE, 3), np.float32), NOTHING, f)
    solution = run(frame, Plate(b, np.ones(SIZE, bool)), matte, Knobs(depth="float"))
    same = solution.alpha == 0.5
    np.testing.assert_allclose(solution.premultiplied[same], (0.5 * f)[same], atol=1e-6)
    assert np.abs(solution.residual[same]).max() < 1e-6


def test_mismatch_goes_smoothly_from_foreground_to_residual():
    alpha = np.linspace(0, 0.3, 400, dtype=np.float32)[None].repeat(4, 0)
    b = np.full((4, 400, 3), 0.5, np.float32)
    matte = Matte(alpha, np.ones_like(b), alpha * 0, b * 0)
    frame = (1 - alpha[..., None]) * b + 0.1
    solution = solve(frame, Plate(b, alpha >= 0), matte, QUIET, Knobs(depth="float"), alpha * 0, alpha * 0)
    share = solution.premultiplied[2, :, 0] / 0.1
    assert share[0] == 0
    assert share[-1] == pytest.approx(1, abs=1e-3)
    assert np.abs(np.diff(share)).max() < 0.03
    assert (np.diff(share) > -1e-6).all()


def test_garbage_beats_core_beats_network():
    frame, plate, matte = scene(5)
    garbage, core = NOTHING.copy(), NOTHING.copy()
    garbage[:, :20], core[:, 10:30] = 1, 1
    solution = run(frame, plate, matte, garbage=garbage, core=core)
    assert (solution.alpha[:, :20] == 0).all()
    assert (solution.alpha[:, 20:30] == 1).all()
    assert (solution.residual[:, :20] == 0).all()
    assert (solution.shadow_ratio[:, :20] == 1).all()


def test_soft_garbage_thins_light_and_alpha_alike():
    """An opaque subject under a feathered roto keeps its straight colour: no bright edge, no dark one."""
    frame = np.full((*SIZE, 3), 0.8, np.float32)
    plate = Plate(np.full_like(frame, 0.2), np.ones(SIZE, bool))
    matte = Matte(np.ones(SIZE, np.float32), np.ones_like(frame), NOTHING, frame)
    garbage = np.tile(np.linspace(0, 1, SIZE[1], dtype=np.float32), (SIZE[0], 1))
    solution = run(frame, plate, matte, Knobs(depth="float"), garbage=garbage)
    np.testing.assert_allclose(solution.alpha, 1 - garbage, atol=1e-6)
    np.testing.assert_allclose(solution.premultiplied, 0.8 * (1 - garbage)[..., None].repeat(3, 2), atol=1e-6)


@pytest.mark.parametrize("mix", [0.0, 0.25, 0.9, 1.0])
def test_mix_dissolves_between_the_frame_and_the_key(mix):
    frame, plate, matte = scene(8)
    keyed = run(frame, plate, matte, Knobs(depth="float"))
    mixed = run(frame, plate, matte, Knobs(depth="float", mix=mix))
    np.testing.assert_allclose(mixed.alpha, 1 - mix * (1 - keyed.alpha), atol=1e-6)
    np.testing.assert_allclose(mixed.premultiplied, mix * keyed.premultiplied + (1 - mix) * frame, atol=1e-6)


def test_half_that_cannot_hold_the_plate_is_an_error():
    frame, plate, matte = scene()
    plate.rgb[0, 0] = 70000
    with pytest.raises(EngineError, match="70000"):
        run(frame, plate, matte, Knobs(depth="half"))


def test_without_a_plate_nothing_is_subtracted():
    frame, plate, matte = scene(6)
    valid = np.ones(SIZE, bool)
    valid[:, :30] = False
    plate = Plate(plate.rgb * valid[..., None], valid)
    solution = run(frame, plate, matte, Knobs(depth="float"))
    soft = ~valid & (solution.alpha < 1)
    expected = solution.alpha[..., None] * solution.foreground
    np.testing.assert_allclose(solution.premultiplied[soft], expected[soft], rtol=1e-6)
    assert (solution.residual[~valid] == 0).all()
    assert not solution.valid[:, :30].any()


def test_dark_hair_on_a_bright_plate_is_found_by_the_bound():
    """A strand that the network missed beside a subject it saw: 60 % black over white."""
    b = np.full((*SIZE, 3), 1.0, np.float32)
    alpha = np.zeros(SIZE, np.float32)
    alpha[:, :20] = 1
    frame = np.where(alpha[..., None] > 0, 0.1, b).astype(np.float32)
    frame[:, 24] = 0.4
    matte = Matte(alpha, np.ones_like(b), NOTHING, np.full_like(b, 0.05))
    solution = run(frame, Plate(b, np.ones(SIZE, bool)), matte)
    np.testing.assert_allclose(solution.alpha[5:-5, 24], 0.6, atol=0.01)


def test_the_bound_leaves_noise_and_black_alone():
    rng = np.random.default_rng(2)
    b = np.full((*SIZE, 3), 0.5, np.float32)
    b[:, 32:] = 1e-4
    fit = Photometric((1, 1, 1), (0, 0, 0), 1.0, ((1e-4, 0.0),) * 3)
    frame = (b + rng.normal(0, 0.01, b.shape)).astype(np.float32)
    alpha = np.zeros(SIZE, np.float32)
    alpha[20:28, 28:36] = 1
    bound = lower_bound(frame, Plate(b, np.ones(SIZE, bool)), np.ones_like(b), alpha, fit)
    assert (bound[alpha == 0] > 0.02).mean() < 0.005
    assert bound[:, 33:].max() == 0


def test_a_shadow_is_no_subject():
    """Half the light of an even plate, and the network says shadow: nothing is keyed, the layers explain all."""
    b = np.full((*SIZE, 3), 0.6, np.float32)
    shadow = np.full_like(b, 0.5)
    alpha = np.zeros(SIZE, np.float32)
    solution = run(b * 0.5, Plate(b, np.ones(SIZE, bool)), Matte(alpha, shadow, NOTHING, b))
    assert (solution.alpha == 0).all()
    np.testing.assert_allclose(solution.shadow_ratio, 0.5)
    assert np.abs(solution.residual).max() < 1e-3


def test_the_subjects_own_darkness_is_no_shadow():
    """Inside the subject the ratio is continued from around it, whatever the network says there."""
    b = np.full((*SIZE, 3), 0.6, np.float32)
    alpha, shadow = np.zeros(SIZE, np.float32), np.full_like(b, 0.8)
    alpha[8:40, 10:54] = 1
    shadow[8:40, 10:54] = 0.05
    ratio = run(b, Plate(b, np.ones(SIZE, bool)), Matte(alpha, shadow, NOTHING, b)).shadow_ratio
    np.testing.assert_allclose(ratio[12:36, 16:48], 0.8, atol=0.12)
    assert ratio.min() > 0.6


def test_ratio_and_its_complement_are_both_exact_halves():
    ratio = run(*scene(7), Knobs(depth="half")).shadow_ratio
    for values in (ratio, 1 - ratio):
        np.testing.assert_array_equal(values.astype(np.float16).astype(np.float32), values)


def test_float_is_chosen_where_half_cannot_hold_it():
    frame, plate, matte = scene()
    frame[0, 0] = 60000
    assert not run(frame, plate, matte).half
    assert run(*scene()).half


@pytest.mark.parametrize(("shift", "edge"), [(3, 23), (-3, 17), (0, 20), (0.5, 20), (-0.5, 19)])
def test_edge_shift_moves_the_edge(shift, edge):
    alpha = np.zeros(SIZE, np.float32)
    alpha[:, :20] = 1
    shifted = shift_edge(alpha, shift)
    assert (shifted[:, :edge] == 1).all()
    assert shifted[10, edge] == pytest.approx(shift % 1, abs=1e-6)


def test_extension_keeps_what_is_known_and_fills_smoothly():
    values = np.full((*SIZE, 3), 0.7, np.float32)
    weight = np.ones(SIZE, np.float32)
    values[10:30, 20:40], weight[10:30, 20:40] = 99, 0
    filled = extend(values, weight)
    np.testing.assert_allclose(filled, 0.7, rtol=1e-5)


def test_a_highlight_of_the_set_does_not_run_into_the_subjects_colour():
    frame, plate, matte = scene(9)
    matte.alpha[:] = 0
    matte.alpha[10:30, 10:30], matte.shadow[:] = 0.5, 1
    matte.foreground[:] = 0.3
    for rgb in (frame, plate.rgb, matte.foreground):
        rgb[40:44, 50:54] = 500
    frame[10:30, 10:30] = (0.15 + 0.5 * plate.rgb)[10:30, 10:30]
    colour = run(frame, plate, matte, Knobs(depth="float")).foreground
    assert colour.max() < 0.5


def test_the_straight_colour_holds_nothing_of_the_plate_and_keeps_the_grain():
    rng = np.random.default_rng(3)
    subject = np.float32([0.6, 0.2, 0.1]) + rng.normal(0, 0.02, (*SIZE, 3)).astype(np.float32)
    plate = np.broadcast_to(np.float32([0.1, 0.8, 0.3]), subject.shape).copy()
    alpha = np.clip((40 - np.arange(SIZE[1], dtype=np.float32)) / 16, 0, 1)[None].repeat(SIZE[0], 0)
    frame = alpha[..., None] * subject + (1 - alpha[..., None]) * plate
    wrong = Matte(alpha, np.ones_like(plate), NOTHING, plate)
    colour = run(frame, Plate(plate, alpha >= 0), wrong, Knobs(depth="float")).foreground
    np.testing.assert_array_equal(colour[:, :24], frame[:, :24])
    np.testing.assert_allclose(colour[:, 24:28], subject[:, 24:28], atol=0.03)
    assert colour[:, 26:28].std(0).mean() > 0.7 * 0.02
    np.testing.assert_allclose(colour[:, 42:].mean((0, 1)), (0.6, 0.2, 0.1), atol=0.05)


def test_nothing_hides_the_plate_noise_model():
    fit = Photometric((1, 1, 1), (0, 0, 0), 1.0, ((4e-4, 0.0), (0.0, 1e-2), (0.0, 0.0)))
    sigma = deviation(np.full((1, 1, 3), 0.25, np.float32), fit)
    np.testing.assert_allclose(sigma[0, 0], (0.02, 0.05, 1e-6), rtol=1e-5)
