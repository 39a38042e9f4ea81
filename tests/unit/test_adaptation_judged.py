"""What an adaptation learns from, and by what it is judged: certain parts of frames, and what a matte explains."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.training.adaptation.cutout import KeyedFrame, backdrop, certain, cut_out
from engine.training.adaptation.explained import unexplained
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


def hairs(width=48):
    """A frame with stripes of hair over a plain plate, and its alpha."""
    alpha = torch.zeros(1, 1, width, width)
    alpha[..., 8:40:3] = 0.8
    plate = torch.full((1, 3, width, width), 0.2)
    frame = alpha * 0.6 + (1 - alpha) * plate
    batch = {"frame": frame, "plate": plate, "valid": torch.ones_like(alpha), "trust": torch.zeros_like(alpha)}
    return alpha, batch


def test_the_true_alpha_explains_a_frame_and_a_fog_or_nothing_does_not():
    alpha, batch = hairs()
    shadow = torch.ones_like(batch["frame"])
    fog = torch.nn.functional.avg_pool2d(alpha, 7, 1, 3)
    left = {}
    for name, matte in (("true", alpha), ("fog", fog), ("none", 0 * alpha), ("solid", (alpha > 0).float())):
        remains, departure = unexplained(matte, shadow, batch)
        left[name] = float(remains.sum() / departure.sum())
    assert left["true"] < 1e-4
    assert left["none"] == pytest.approx(1, abs=1e-4)
    assert left["fog"] > 0.2
    sure = {**batch, "trust": torch.ones_like(alpha)}
    assert float(unexplained(fog, shadow, sure)[0].sum()) == 0


@pytest.mark.parametrize(
    ("after", "helps"),
    [
        (Measured(20.0, 0.5, 0.18), True),
        (Measured(29.9, 0.5, 0.18), False),
        (Measured(20.0, 2.5, 0.18), False),
        (Measured(20.0, 0.5, 0.21), False),
    ],
)
def test_all_three_figures_must_speak_for_it(after, helps):
    assert after.helps(Measured(30.0, 0.0, 0.2)) is helps
