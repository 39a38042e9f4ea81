from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from scenes import figure, image, pixels, shot, with_grain, with_subject

from engine.pipeline import photometric
from engine.pipeline.registration import register
from engine.values import Photometric, Plate

SIZE = (360, 640)
GAIN = np.float32([1.3, 1.5, 0.8])
SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples"


def seen(rgb):
    return Plate(np.ascontiguousarray(rgb, np.float32), np.ones(rgb.shape[:2], bool))


def shaded(rgb, share=0.15, depth=0.5):
    """A soft-edged shadow over the picture's lower left."""
    x, y = pixels(rgb.shape[:2])
    radius = np.hypot((x - 40) / SIZE[1], (y - 330) / SIZE[0])
    edge = np.sort(radius, axis=None)[int(share * radius.size)]
    return rgb * (1 - depth * np.clip((edge - radius) * 8 + 0.5, 0, 1))[..., None]


def relative(fit, gain=GAIN):
    return np.abs(np.array(fit.gain) / gain - 1)


@pytest.mark.parametrize("offset", [0.0, 0.006])
@pytest.mark.parametrize("subject", [0.0, 0.5, 0.6])
def test_gain_is_recovered_within_a_percent_beside_a_subject_and_its_shadow(subject, offset):
    background = shot(SIZE, 1)
    frame = with_grain(with_subject(shaded(background * GAIN + np.float32(offset)), subject), 5)
    fit = photometric.fit(frame, seen(with_grain(background, 6)), "auto")
    assert relative(fit).max() < 0.01
    assert np.abs(np.array(fit.offset) - offset).max() < 0.002
    assert fit.confidence > 0.9


def test_the_fit_is_that_of_least_squares_on_pixels_known_to_be_background():
    background = shot(SIZE, 1)
    plate = with_grain(background, 6)
    frame = with_grain(with_subject(background * GAIN, 0.4), 5)
    fit = photometric.fit(frame, seen(plate), "auto")
    known = figure(SIZE, 0.4) == 0
    for channel in range(3):
        x, y = plate[known, channel], frame[known, channel]
        design = np.stack([x, np.ones_like(x)], 1) / np.maximum(x, 0.02)[:, None]
        gain, _ = np.linalg.lstsq(design, y / np.maximum(x, 0.02), rcond=None)[0]
        assert fit.gain[channel] == pytest.approx(gain, rel=0.01)


@pytest.mark.parametrize("gain", [0.3, 1.0, 3.5])
def test_gains_up_to_two_stops(gain):
    frame = with_grain(with_subject(shot(SIZE, 1) * np.float32(gain), 0.3), 5)
    fit = photometric.fit(frame, seen(shot(SIZE, 1)), "auto")
    assert relative(fit, gain).max() < 0.01


def test_a_subject_of_the_walls_own_colour_does_not_pull():
    random = np.random.default_rng(3)
    wall = with_grain(np.full((*SIZE, 3), 0.3, np.float32), 6, b=1e-4)
    cover = figure(SIZE, 0.4)[..., None]
    suit = 0.3 * 2.0 ** cv2.GaussianBlur(random.normal(size=(*SIZE, 3)), (0, 0), 4)
    frame = with_grain((cover * suit + (1 - cover) * 0.3) * 1.2, 5, b=1e-4)
    fit = photometric.fit(frame, seen(wall), "auto")
    assert relative(fit, 1.2).max() < 0.01
    assert np.abs(fit.offset).max() < 0.005


def test_texture_that_returns_outvotes_a_larger_flat_costume_before_a_flat_wall():
    plate = shot(SIZE, 1)
    plate[:, :380] = 0.3
    frame = plate * np.float32(1.2)
    frame[:, :380] = 0.45
    fit = photometric.fit(with_grain(frame, 5), seen(with_grain(plate, 6)), "auto")
    assert relative(fit, 1.2).max() < 0.01


@pytest.mark.parametrize(("a", "b"), [(1e-5, 1e-3), (1e-4, 1e-4), (4e-6, 0.0)])
def test_noise_model_is_recovered_within_30_percent(a, b):
    x, _ = pixels(SIZE)
    ramp = np.repeat((0.02 + 2.0 * (x / SIZE[1]) ** 2)[..., None], 3, -1).astype(np.float32)
    frame = with_grain(with_subject(ramp, 0.4), 5, a, b)
    fit = photometric.fit(frame, seen(with_grain(ramp, 6, a, b)), "auto")
    for channel in range(3):
        for signal in (0.05, 0.3, 1.5):
            measured = fit.noise[channel][0] + fit.noise[channel][1] * signal
            assert measured == pytest.approx(2 * (a + b * signal), rel=0.3)


def test_noise_of_identical_pictures_is_the_rounding_floor():
    fit = photometric.fit(shot(SIZE, 1), seen(shot(SIZE, 1)), "auto")
    assert np.array(fit.noise)[:, 0] == pytest.approx(1e-8, rel=0.5)
    assert (np.array(fit.noise)[:, 0] > 0).all()
    assert relative(fit, 1.0).max() < 1e-4


def test_off_keeps_the_plate_and_still_measures_grain():
    frame, plate = with_grain(shot(SIZE, 1), 5, b=1e-3), seen(with_grain(shot(SIZE, 1), 6, b=1e-3))
    fit = photometric.fit(frame, plate, "off")
    assert fit.gain == (1.0, 1.0, 1.0)
    assert fit.offset == (0.0, 0.0, 0.0)
    assert np.array(fit.noise)[:, 1] == pytest.approx(2e-3, rel=0.3)
    assert photometric.apply(plate, fit).rgb is plate.rgb


def test_clipped_highlights_of_integer_files_do_not_count():
    background = np.minimum(shot(SIZE, 1) * 3, 1)
    frame = np.minimum(shot(SIZE, 1) * 3 * np.float32(1.6), 1)
    assert (frame == 1).mean() > 0.25
    assert relative(photometric.fit(frame, seen(background), "auto"), 1.6).max() < 0.01


def test_extreme_values_do_not_pull():
    plate, frame = shot(SIZE, 1), shot(SIZE, 1) * GAIN
    frame[50:60, 50:60], frame[200:210, 300:310] = 500.0, -0.25
    plate[100:104, 10:14], plate[300, 300] = 40.0, -3.0
    fit = photometric.fit(frame, seen(plate), "auto")
    assert relative(fit).max() < 0.005
    assert np.isfinite(fit.noise).all()


def test_invalid_pixels_do_not_count():
    plate = shot(SIZE, 1)
    valid = np.zeros(SIZE, bool)
    valid[:, 200:] = True
    plate[~valid] = 0.0
    fit = photometric.fit(shot(SIZE, 1) * GAIN, Plate(plate, valid), "auto")
    assert relative(fit).max() < 0.005


@pytest.mark.parametrize("seed", [41, 42])
def test_confidence_is_low_between_scenes(seed):
    fit = photometric.fit(shot(SIZE, seed), seen(shot(SIZE, 1)), "auto")
    assert fit.confidence < 0.3


@pytest.mark.parametrize("plate", [np.zeros((*SIZE, 3)), np.zeros((8, 8, 3)), np.full((8, 8, 3), 0.5)])
def test_nothing_to_measure_is_a_guess_that_says_so(plate):
    fit = photometric.fit(np.full(plate.shape, 0.2, np.float32), seen(plate), "auto")
    assert fit.gain == (1.0, 1.0, 1.0)
    assert fit.confidence == 0.0
    assert (np.array(fit.noise)[:, 0] > 0).all()


def test_a_plate_that_saw_nothing_is_a_guess():
    fit = photometric.fit(shot(SIZE, 1), Plate(np.zeros((*SIZE, 3), np.float32), np.zeros(SIZE, bool)), "auto")
    assert fit.confidence == 0.0


def test_the_same_pictures_give_the_same_numbers():
    frame, plate = with_subject(shot(SIZE, 1), 0.4), seen(shot(SIZE, 1))
    assert photometric.fit(frame, plate, "auto") == photometric.fit(frame, plate, "auto")


def test_apply_is_gain_times_plate_plus_offset_where_valid():
    valid = np.array([[True, False, True]])
    plate = Plate(np.array([[[1, 2, 3], [0, 0, 0], [-0.25, 40, 500]]], np.float32), valid)
    nothing = (1e-8, 0.0)
    fit = Photometric((2.0, 0.5, 1.0), (0.1, 0.0, -0.5), 1.0, (nothing, nothing, nothing))
    fitted = photometric.apply(plate, fit)
    np.testing.assert_allclose(fitted.rgb, [[[2.1, 1.0, 2.5], [0, 0, 0], [-0.4, 20, 499.5]]], rtol=1e-6)
    assert fitted.rgb.dtype == np.float32
    assert fitted.valid is plate.valid


@pytest.mark.samples
@pytest.mark.parametrize("name", ["0001", "1000"])
def test_photographs_agree_in_exposure(name):
    pair = []
    for part in ("img", "back"):
        path = SAMPLES / f"{name}_{part}.png"
        if not path.exists():
            pytest.skip("the sample photographs are not here")
        coded = cv2.imread(str(path))[..., ::-1].astype(np.float32) / 255
        pair.append(np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4).astype(np.float32))
    _, plate = register(image(pair[0], f"{name}_img.png"), image(pair[1], f"{name}_back.png"), "auto")
    fit = photometric.fit(pair[0], plate, "auto")
    assert relative(fit, 1.0).max() < 0.02
    assert fit.confidence > 0.9
    fitted = photometric.apply(plate, fit)
    before, after = (np.median(np.abs(pair[0] - one.rgb)[plate.valid]) for one in (plate, fitted))
    assert after < before
