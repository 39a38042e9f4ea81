"""The CVPR-2020 network: its public format, its dead motion cue, and the recipe around it."""

import numpy as np
import pytest
import torch

from engine.benchmark.macs import count_macs
from engine.network.bgm2020 import BackgroundMatting2020
from engine.network.bgm2020.recipe import crop, largest_component, prepare, subject_by_difference

PARTS = {
    "model_res_dec.": 8_383_000,
    "model_res_dec_al.": 3_540_000,
    "model_res_dec_fg.": 3_540_000,
    "model_enc_back.": 379_000,
    "model_enc_seg.": 373_000,
    "model_enc_multi.": 383_000,
    "comb_back.": 32_896,
    "comb_seg.": 32_896,
    "comb_multi.": 32_896,
}
"""Parameters of the parts, as published, rounded."""

SHAPES = {
    "model_enc1.1.weight": (64, 3, 7, 7),
    "model_enc1.4.bias": (128,),
    "model_enc2.0.weight": (256, 128, 3, 3),
    "model_enc_seg.1.weight": (64, 1, 7, 7),
    "model_enc_multi.1.weight": (64, 4, 7, 7),
    "model_enc_back.8.running_var": (256,),
    "comb_multi.0.weight": (64, 512, 1, 1),
    "model_res_dec.0.weight": (256, 448, 1, 1),
    "model_res_dec.9.conv_block.5.weight": (256, 256, 3, 3),
    "model_res_dec_fg.2.conv_block.6.bias": (256,),
    "model_al_out.1.weight": (128, 256, 3, 3),
    "model_al_out.9.weight": (1, 64, 7, 7),
    "model_dec_fg1.1.weight": (128, 256, 3, 3),
    "model_fg_out.1.weight": (64, 256, 3, 3),
    "model_fg_out.5.weight": (3, 64, 7, 7),
}


def hollow(**options):
    with torch.device("meta"):
        return BackgroundMatting2020(**options).eval()


def inputs(size, device="cpu", batch=1):
    return [torch.rand(batch, channels, *size, device=device) * 2 - 1 for channels in (3, 3, 1, 4)]


def test_parameters_are_the_published_number():
    named = {name: value.numel() for name, value in hollow().named_parameters()}
    assert sum(named.values()) == 17_908_420
    for part, size in PARTS.items():
        found = sum(count for name, count in named.items() if name.startswith(part))
        assert found == pytest.approx(size, rel=2e-3), part


def test_names_and_shapes_are_the_public_ones():
    state = hollow().state_dict()
    for name, shape in SHAPES.items():
        assert tuple(state[name].shape) == shape, name


def test_cost_is_the_published_one():
    assert count_macs(hollow(motion="wired"), *inputs((512, 512), "meta")) / 1e9 == pytest.approx(402.4, rel=0.02)


def test_the_encoder_that_nothing_reads_is_not_run():
    saved = [count_macs(hollow(motion=motion), *inputs((512, 512), "meta")) for motion in ("wired", "published")]
    at_full, at_half, at_quarter = (49 * 4 * 64 * 512**2, 9 * 64 * 128 * 256**2, 9 * 128 * 256 * 128**2)
    assert saved[0] - saved[1] == at_full + at_half + at_quarter


@pytest.mark.parametrize("motion", ["published", "wired"])
def test_motion_matters_only_where_it_is_wired(motion):
    torch.manual_seed(0)
    network = BackgroundMatting2020(motion).eval()
    image, plate, segmentation, still = inputs((32, 48))
    with torch.inference_mode():
        alphas = [network(image, plate, segmentation, moved)[0] for moved in (still, still * 0)]
    assert torch.equal(*alphas) is (motion == "published")


def test_both_settings_share_their_weights():
    torch.manual_seed(0)
    published, wired = BackgroundMatting2020(), BackgroundMatting2020("wired")
    wired.load_state_dict(published.state_dict())


def test_outputs_have_their_shapes_and_ranges():
    torch.manual_seed(0)
    with torch.inference_mode():
        alpha, colour = BackgroundMatting2020().eval()(*inputs((32, 48), batch=2))
    assert alpha.shape == (2, 1, 32, 48)
    assert colour.shape == (2, 3, 32, 48)
    assert float(alpha.abs().max()) <= 1
    assert bool(torch.isfinite(colour).all())


STOP = 1 / 17.52


def test_a_subject_differs_by_more_than_drift():
    rng = np.random.default_rng(0)
    difference = np.abs(rng.normal(0, 0.1 * STOP, (80, 120))).astype(np.float32)
    everywhere = np.ones_like(difference, bool)
    assert not subject_by_difference(difference, everywhere).any()
    difference[20:60, 30:70] += 2 * STOP
    found = subject_by_difference(difference, everywhere)
    assert found[20:60, 30:70].all()
    assert found.sum() == 40 * 40


def test_where_the_plate_saw_nothing_there_is_no_subject():
    difference = np.full((20, 30), 5 * STOP, np.float32)
    valid = np.zeros_like(difference, bool)
    assert not subject_by_difference(difference, valid).any()
    valid[:10] = True
    difference[:5] = 0
    assert subject_by_difference(difference, valid).sum() == 5 * 30


def test_the_crop_is_a_square_a_tenth_larger_cut_at_the_borders():
    mask = np.zeros((200, 300), np.uint8)
    mask[50:150, 100:150] = 1
    assert crop(mask) == (slice(40, 160), slice(65, 185))
    mask[:, :] = 1
    assert crop(mask) == (slice(0, 200), slice(0, 300))
    assert crop(mask * 0) == (slice(0, 200), slice(0, 300))


@pytest.mark.parametrize("size", [(540, 960), (2160, 3840)])
def test_the_cue_is_inside_the_subject_and_soft(size):
    height, width = size
    subject = np.zeros(size, np.float32)
    subject[height // 4 : height * 3 // 4, width // 3 : width * 2 // 3] = 1
    subject[4, 4] = 1
    cue = prepare(subject)
    assert max(cue.soft.shape) <= 1024
    assert cue.soft[cue.soft.shape[0] // 2, cue.soft.shape[1] // 2] == pytest.approx(1)
    assert cue.soft[:40, :40].max() == 0
    middle = ((cue.soft > 0.01) & (cue.soft < 0.99)).mean()
    assert 0.01 < middle < 0.3
    assert cue.rows.start <= height // 4
    assert cue.rows.stop >= height * 3 // 4
    assert cue.columns.stop - cue.columns.start < width


def test_no_subject_means_the_whole_picture():
    cue = prepare(np.zeros((90, 160), np.float32))
    assert (cue.rows, cue.columns) == (slice(0, 90), slice(0, 160))
    assert cue.soft.max() == 0


def test_only_the_largest_component_is_kept():
    alpha = np.zeros((20, 40), np.float32)
    alpha[2:8, 2:8], alpha[5:18, 20:35] = 0.9, 0.5
    kept = largest_component(alpha)
    assert kept[:, :15].max() == 0
    np.testing.assert_array_equal(kept[5:18, 20:35], alpha[5:18, 20:35])
    assert largest_component(np.zeros((4, 4), np.float32)).max() == 0
