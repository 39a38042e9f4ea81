"""Light that differs over the picture is found on the background, and never on the subject or its shadow."""

import cv2
import numpy as np
import pytest
from scenes import pixels, shot, with_grain, with_subject

from engine.pipeline import photometric
from engine.pipeline.photometric.field import factors, measure_field
from engine.values import Plate

SIZE = (180, 320)


@pytest.fixture(scope="module")
def background():
    return shot(SIZE, 1)


@pytest.fixture(scope="module")
def plate(background):
    return Plate(with_grain(background, 6), np.ones(SIZE, bool))


def bands(waves=2.3, share=0.1, phase=0.7):
    """``(H, 1, 3)``, the blue of the lamps swings less."""
    rows = (np.arange(SIZE[0]) + 0.5)[:, None, None] / SIZE[0]
    return 1 + share * np.array((1.0, 1.0, 0.6)) * np.sin(2 * np.pi * waves * rows + phase)


def corners(share=0.2):
    x, y = pixels(SIZE)
    return 1 - share * ((2 * x / SIZE[1] - 1) ** 2 + (2 * y / SIZE[0] - 1) ** 2)[..., None] / 2


def lamp(share=0.15):
    x, _ = pixels(SIZE)
    return 1 + share * (2 * x / SIZE[1] - 1)[..., None] * np.array((1.0, 0.7, 0.3))


def missed(plate, background, light, cover=0.3, subject=99):
    """Largest relative error of the fitted plate over blocks of 20 px, and the fit."""
    frame = with_grain(with_subject(background * light, cover, subject), 5)
    fit = photometric.fit(frame.astype(np.float32), plate, "auto")
    fitted = photometric.apply(plate, fit).rgb
    ours, true = (cv2.resize(rgb, (16, 9), interpolation=cv2.INTER_AREA) for rgb in (fitted, background * light))
    return np.abs(ours / true - 1).max(), fit


@pytest.mark.parametrize(
    ("light", "bound"),
    [(bands(), 0.015), (bands(5.4, 0.25), 0.03), (corners(), 0.03), (lamp(), 0.02), (2 * bands() * corners(), 0.04)],
    ids=["bands", "many deep bands", "corners", "lamp", "all, a stop over"],
)
def test_light_that_differs_over_the_picture_is_followed(plate, background, light, bound):
    error, fit = missed(plate, background, light)
    assert fit.field
    assert error < bound
    assert fit.confidence > 0.9


def test_even_light_has_no_field(plate, background):
    assert missed(plate, background, 1.3)[1].field == ()


def test_bands_of_unequal_channels_and_their_number(plate, background):
    _, fit = missed(plate, background, bands())
    assert [channel[5] for channel in fit.field] == pytest.approx([2.3] * 3, abs=0.05)
    swing = np.hypot(*np.array(fit.field)[:, 6:].T)
    assert swing == pytest.approx((0.1, 0.1, 0.06), abs=0.01)


@pytest.mark.parametrize(("soft", "depth"), [(6, 0.6), (25, 0.6), (25, 0.3)])
def test_a_shadow_is_left_to_the_shadow(plate, background, soft, depth):
    """A soft shadow over a fifth of the picture: neither it nor what it leaves alone moves by more than 2.5 %."""
    mask = np.zeros(SIZE, np.float32)
    mask[90:, :130] = depth
    shade = cv2.GaussianBlur(mask, (0, 0), soft)[..., None]
    frame = with_grain(background * (1 - shade), 5).astype(np.float32)
    fit = photometric.fit(frame, plate, "auto")
    light = factors(fit.field, SIZE) * np.asarray(fit.gain)
    assert np.abs(light - 1).max() < 0.025


def test_bands_go_on_where_the_subject_hides_whole_rows(plate, background):
    """The lower third is all subject: the wave that is seen above is not bent towards it."""
    frame = background * bands()
    frame[120:] = shot(SIZE, 99)[120:]
    fit = photometric.fit(with_grain(frame, 5).astype(np.float32), plate, "auto")
    light = factors(fit.field, SIZE) * np.asarray(fit.gain)
    assert np.abs(light / bands() - 1)[:120].max() < 0.02
    assert np.abs(light / bands() - 1).max() < 0.1


def test_off_knows_no_field(plate, background):
    frame = with_grain(background * bands(), 5).astype(np.float32)
    assert photometric.fit(frame, plate, "off").field == ()


def test_a_picture_whose_halves_do_not_agree_has_no_field():
    """Their median is nobody's light: there is nothing to fit, and nothing fails."""
    plate = np.full((192, 120, 3), 0.2, np.float32)
    frame = plate * np.where(np.arange(120) < 60, 0.62, 1.62)[None, :, None].astype(np.float32)
    everywhere = np.ones(plate.shape[:2])
    assert measure_field(frame, plate, everywhere > 0, everywhere) == ()
