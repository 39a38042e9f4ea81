"""What an adaptation learns from, and by what it is judged: certain parts of frames, and what a matte explains."""

from dataclasses import replace

import numpy as np
import pytest

from engine.training.adaptation.cutout import KeyedFrame, backdrop, certain, cut_out
from engine.training.adaptation.held_out import Measured


def test_a_cutout_has_no_pinholes_and_no_strangers():
    alpha = np.zeros((80, 100), np.float32)
    alpha[20:60, 30:70] = 1
    alpha[38:40, 48:50] = 0.2
    alpha[5:7, 5:7] = 0.9
    picture = np.full((80, 100, 3), 0.3, np.float32)
    ones, ratio, sure = np.ones_like(alpha), np.ones_like(picture), np.zeros_like(alpha)
    key = KeyedFrame(picture, picture, ones, alpha, picture * alpha[..., None], ratio, sure)
    cut = cut_out(key)
    assert cut.rgba[39, 49].tolist() == pytest.approx([0.3, 0.3, 0.3, 1])
    assert cut.rgba[6, 6].tolist() == [0, 0, 0, 0]
    behind = backdrop(key, np.random.default_rng(0))
    np.testing.assert_allclose(behind.live, picture, atol=1e-6)
    np.testing.assert_array_equal(behind.shadow, 1)
    assert cut_out(replace(key, alpha=np.zeros_like(alpha))) is None


@pytest.fixture
def doubted():
    """A square with a fog beside it, doubted there; the plate never saw its lower edge."""
    alpha = np.zeros((80, 100), np.float32)
    alpha[20:60, 30:70] = 1
    alpha[20:60, 62:70] = 0.5
    doubt = np.zeros_like(alpha)
    doubt[20:60, 62:70] = 0.3
    doubt[5:10, 5:10] = 0.3
    valid = np.ones_like(alpha)
    valid[58:] = 0
    picture = np.full((80, 100, 3), 0.3, np.float32)
    return KeyedFrame(picture, picture, valid, alpha, picture * alpha[..., None], np.ones_like(picture), doubt)


def test_what_the_model_doubts_is_no_target(doubted):
    cut, behind = cut_out(doubted), backdrop(doubted, np.random.default_rng(0))
    assert (cut.doubt[40, 63], cut.doubt[40, 45]) == (1, 0)
    assert (behind.trust[7, 7], behind.trust[40, 90], behind.trust[40, 45]) == (0, 1, 1)
    assert behind.trust[59, 45] == 0
    sure = certain(doubted, cut, behind)
    assert (sure[40, 45], sure[40, 66], sure[7, 7], sure[40, 95]) == (1, 0, 0, 1)


def test_a_subject_that_is_doubted_too_much_teaches_nothing(doubted):
    little, much = 0.12 * (doubted.alpha > 0.5).mean(), 0.13 * (doubted.alpha > 0.5).mean()
    assert cut_out(replace(doubted, uncertainty=np.full_like(doubted.alpha, little))) is not None
    assert cut_out(replace(doubted, uncertainty=np.full_like(doubted.alpha, much))) is None


def test_a_shadow_too_deep_to_be_one_is_doubted(doubted):
    dark = doubted.shadow.copy()
    dark[65:75, 10:30] = 0.15
    dark[65:75, 40:60] = 0.25
    sure = replace(doubted, uncertainty=np.zeros_like(doubted.alpha), valid=np.ones_like(doubted.alpha))
    trust = backdrop(replace(sure, shadow=dark), np.random.default_rng(0)).trust
    assert (trust[70, 20], trust[70, 50]) == (0, 1)
    dark[65:75] = 0.15
    assert cut_out(sure) is not None
    assert cut_out(replace(sure, shadow=dark)) is None


@pytest.mark.parametrize(
    ("before", "after", "helps"),
    [
        (Measured(30.0, 4.0), Measured(20.0, 4.5), True),
        (Measured(30.0, 4.0), Measured(29.9, 3.5), False),
        (Measured(30.0, 4.0), Measured(20.0, 5.5), False),
        (Measured(30.0, 9.0), Measured(20.0, 4.5), False),
    ],
)
def test_both_figures_must_speak_for_it_and_the_base_be_sure(before, after, helps):
    assert after.helps(before) is helps
