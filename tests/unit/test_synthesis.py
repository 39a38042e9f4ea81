"""Painted subjects and composites: exact, finite, and the same for the same seed."""

import numpy as np
import pytest

from engine.synthesis import composites, faults, foregrounds, silhouettes, textures


@pytest.fixture(scope="module")
def photos():
    rng = np.random.default_rng(0)
    return [np.abs(textures.noise(rng, 500, cell, 3)) for cell in (5.0, 40.0)]


@pytest.fixture(scope="module")
def subjects(photos):
    return [foregrounds.foreground(seed, photos) for seed in range(6)]


def test_a_seed_is_a_subject(photos, subjects):
    np.testing.assert_array_equal(foregrounds.foreground(3, photos), subjects[3])
    assert np.abs(subjects[2] - subjects[3]).max() > 0.1


def test_subjects_are_premultiplied_and_finite(subjects):
    for rgba in subjects:
        assert rgba.shape == (foregrounds.SIZE, foregrounds.SIZE, 4)
        assert np.isfinite(rgba).all()
        assert rgba[..., 3].min() >= 0
        assert rgba[..., 3].max() <= 1 + 1e-5
        assert np.abs(rgba[rgba[..., 3] == 0]).max(initial=0) < 1e-6


@pytest.mark.parametrize("painter", [painter for painter, _ in foregrounds.KINDS], ids=lambda p: p.__name__)
def test_every_painter_paints(photos, painter):
    painting = foregrounds.Painting(np.random.default_rng(1), photos)
    painter(painting)
    assert painting.rgba[..., 3].sum() > 20


def test_shares_sum_to_one():
    assert sum(share for _, share in foregrounds.KINDS) == pytest.approx(1)


def test_coverage_is_area():
    sheet = silhouettes.Sheet(100)
    sheet.fill(silhouettes.ellipse((50.3, 49.8), (30, 20), 0.4, 400))
    # OpenCV's line filter widens the drawing by half a pixel of the large sheet: a sixth of ours.
    outer = np.pi * (30 + 1 / 6) * (20 + 1 / 6)
    assert np.pi * 30 * 20 < sheet.coverage().sum() < 1.01 * outer


def test_blur_kernels_keep_energy():
    assert foregrounds.disk(2.3).sum() == pytest.approx(1, abs=1e-5)
    assert foregrounds.streak(12.5, 0.7).sum() == pytest.approx(1, abs=1e-5)


def moving(subjects, seed):
    """A still, or three frames of a subject that moves by itself."""
    return subjects[seed % 6] if seed % 2 else np.stack(subjects[:3])


@pytest.mark.parametrize("seed", range(8))
def test_shots_obey_the_equation_but_for_grain(photos, subjects, seed, monkeypatch):
    """With a perfect plate and no recording, the frame is exactly P + (1 - a) s B."""
    monkeypatch.setattr(composites, "recorded", lambda _, frame, plate, *__: (frame, plate))
    monkeypatch.setattr(composites, "reflection", lambda _, premultiplied, __: 0 * premultiplied)
    monkeypatch.setattr(composites, "faulty_plate", lambda _, b: (b, np.ones((*b.shape[:2], 1), np.float32), b))
    for item in composites.shot(np.random.default_rng(seed), moving(subjects, seed), photos, 96, 2):
        expected = item.foreground + (1 - item.alpha) * item.shadow * item.plate
        np.testing.assert_allclose(item.frame, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("seed", range(8))
def test_shots_are_finite_and_in_range(photos, subjects, seed):
    for item in composites.shot(np.random.default_rng(seed), moving(subjects, seed), photos, 96, 2):
        for values in vars(item).values():
            assert np.isfinite(values).all()
        assert 0 <= item.alpha.min() <= item.alpha.max() <= 1 + 1e-5
        assert 0.05 <= item.shadow.min() <= item.shadow.max() <= 1
        assert (item.plate[item.valid[..., 0] == 0] == 0).all()


def test_a_shot_has_one_plate_and_its_own_grain_each_frame(photos, subjects):
    for seed in range(20):
        first, second = composites.shot(np.random.default_rng(seed), subjects[1], photos, 96, 2)
        np.testing.assert_array_equal(first.plate, second.plate)
        assert np.abs(first.frame - second.frame).max() > 0


def test_collages_are_positive_and_full_of_edges(photos):
    picture = textures.collage(np.random.default_rng(2), photos, 128)
    assert picture.shape == (128, 128, 3)
    assert picture.min() >= 0
    assert np.abs(np.diff(picture, axis=1)).max() > 0.05


def test_stored_grain_is_white_and_of_deviation_one():
    piece = faults.grain(np.random.default_rng(3), 256)
    assert piece.std() == pytest.approx(1, abs=0.01)
    assert abs(float((piece[:, 1:] * piece[:, :-1]).mean())) < 0.01


def test_srgb_round_trip():
    codes = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(np.round(faults.srgb(faults.linearise(codes)) * 255), codes)
    assert faults.linearise(np.uint8([128]))[0] == pytest.approx(0.2158605, abs=1e-6)


def test_a_reflection_hangs_below_its_subject():
    """Mirrored about the subject's feet, and far fainter than it."""
    subject = np.zeros((64, 64, 3), np.float32)
    subject[10:30, 20:30] = 1
    made = [composites.reflection(np.random.default_rng(seed), subject, subject[..., 0]) for seed in range(120)]
    some = [light for light in made if light.any()]
    assert 2 <= len(some) <= 20
    for light in some:
        assert 0 < light.max() <= 0.15
        assert np.average(np.arange(64), weights=light.sum((1, 2))) > 30
