"""What neighbours may change of a frame's exposure: nothing that the frame knows itself."""

import pytest

from engine.pipeline.window import steadied
from engine.values import Photometric

NOISE = ((1e-5, 1e-3),) * 3


def fit(gain, confidence=1.0, noise=NOISE, offset=0.0, field=()):
    return Photometric((gain, gain, 2 * gain), (offset,) * 3, confidence, noise, field)


@pytest.mark.parametrize("gains", [(0.5, 1.0, 2.0), (1.1, 0.9, 1.1)])
def test_neither_ramp_nor_flicker_is_blurred(gains):
    near = [(0, fit(gains[0])), (2, fit(gains[2]))]
    assert steadied(1, fit(gains[1]), near).gain == (gains[1], gains[1], 2 * gains[1])


def test_the_grain_is_the_windows():
    loud = ((1e-3, 1e-2),) * 3
    assert steadied(1, fit(1.0, noise=loud), [(0, fit(1.0)), (2, fit(1.0))]).noise == NOISE
    assert steadied(1, fit(1.0, noise=loud), []).noise == loud


def test_a_guess_lies_on_the_line_through_its_neighbours():
    near = [(0, fit(0.5)), (3, fit(4.0))]
    found = steadied(1, fit(1.0, confidence=0.0), near)
    assert found.gain == pytest.approx((1.0, 1.0, 2.0))
    assert found.confidence == 1.0


def test_before_the_first_neighbour_nothing_is_extrapolated():
    near = [(2, fit(2.0)), (3, fit(4.0))]
    assert steadied(1, fit(1.0, confidence=0.0), near).gain == pytest.approx((2.0, 2.0, 4.0))


def test_doubt_gives_way_without_a_step():
    near = [(0, fit(2.0)), (2, fit(2.0))]
    gains = [steadied(1, fit(1.0, confidence=doubt), near).gain[0] for doubt in (0, 0.1, 0.2, 0.2999, 0.3)]
    assert gains == sorted(gains, reverse=True)
    assert gains[3] == pytest.approx(gains[4], rel=1e-3)
    assert gains[4] == 1.0


def test_bands_are_never_a_neighbours():
    banded = fit(1.0, field=((0.1, 0, 0, 0, 0, 2.0, 0.1, 0.1),) * 3)
    assert steadied(1, banded, [(0, fit(1.0))]).field == banded.field
    assert steadied(1, fit(1.0, confidence=0.0), [(0, banded)]).field == ((0.1, 0, 0, 0, 0, 0.0, 0.0, 0.0),) * 3
