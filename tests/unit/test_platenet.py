"""PlateNet: shapes, ranges, its encoding, its tolerance, and weights that are what they claim."""

import copy

import numpy as np
import PyOpenColorIO
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from random_pictures import NOISE, inputs

from engine.errors import EngineError
from engine.network import device, table
from engine.network.encoder import CHANNELS, Encoder, from_imagenet
from engine.network.platenet import PlateNet, decode, encode, platenet_keyer, squash
from engine.network.platenet import platenet as whole
from engine.network.platenet.light import (
    TYPICAL_NOISE,
    light_ratio,
    significance,
    tolerant_difference,
    unmixing,
)
from engine.network.platenet.sampling import blurred, enlarged, pooled


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return PlateNet().eval()


def test_outputs_have_the_inputs_size_and_their_ranges(network):
    with torch.inference_mode():
        out = network(*inputs())
    assert out.logit.shape == out.uncertainty.shape == (1, 1, 64, 96)
    assert out.shadow.shape == out.foreground.shape == (1, 3, 64, 96)
    assert bool(((out.shadow >= 0.02) & (out.shadow <= 1)).all())
    assert bool(((out.uncertainty >= 0) & (out.uncertainty <= 1)).all())


@pytest.mark.parametrize("value", [500.0, 65000.0, -0.25, -40.0, 0.0])
def test_extremes_give_finite_answers(network, value):
    frame, plate, valid, hint = inputs()
    frame[..., 10:20, 10:20] = value
    with torch.inference_mode():
        out = network(frame, plate, valid, hint)
    assert all(bool(torch.isfinite(part).all()) for part in out)


KNOWN_CODES = {0.0: 0.0729055341958355, 0.0078125: 0.155251141552511, 0.18: 0.4135884, 1.0: 0.5547945, 500.0: 1.0665402}


def test_the_curve_at_known_values():
    """S-2016-001, section 4.4."""
    codes = encode(torch.tensor(list(KNOWN_CODES)))
    torch.testing.assert_close(codes, torch.tensor(list(KNOWN_CODES.values())), atol=3e-7, rtol=0)


def test_the_curve_is_acescct():
    """Second formulation: OpenColorIO's own ACEScct."""
    linear = np.array([-0.25, -0.01, 0, 1e-5, 0.005, 0.0078125, 0.01, 0.18, 1, 40, 500, 65504], np.float32)
    pixels = np.repeat(linear[:, None], 3, 1)[None]
    processor = PyOpenColorIO.Config.CreateFromFile("ocio://default").getProcessor("ACEScg", "ACEScct")
    processor.getOptimizedCPUProcessor(PyOpenColorIO.OPTIMIZATION_LOSSLESS).applyRGB(pixels)
    np.testing.assert_allclose(encode(torch.from_numpy(linear)), pixels[0, :, 0], atol=1e-6)


@given(arrays.arrays(np.float32, 16, elements=st.floats(-100, 2**20, width=32)))
def test_the_curve_inverts_to_float_precision(linear):
    code = encode(torch.from_numpy(linear))
    # Four steps of the code, through the slope of the curve.
    slope = np.where(linear > 0.0078125, np.abs(linear) * 17.52 * np.log(2), 1 / 10.5402377416545)
    bound = 4 * np.spacing(np.abs(code.numpy())) * slope + np.spacing(np.abs(linear))
    assert (np.abs(decode(code).double().numpy() - linear) <= bound).all()


def test_the_curve_grows_across_its_break():
    assert (encode(torch.linspace(-1, 2, 10_001)).diff() > 0).all()


def test_squash_reaches_both_ends():
    assert squash(torch.tensor([-6.0, 0.0, 6.0])).tolist() == [0.0, pytest.approx(0.5), 1.0]


def test_tolerant_difference_forgives_one_pixel_and_no_more():
    plate = torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(3))
    for shift, forgiven in ((1, True), (2, False)):
        frame = plate.roll((shift, -shift), (2, 3))
        inner = tolerant_difference(frame, plate)[..., 3:-3, 3:-3]
        assert (float(inner.max()) == 0) is forgiven


def grained(shift=0.0, size=64):
    """A plate and a frame that differ by `TYPICAL_NOISE` and, in the right half, by so many of its deviations."""
    generator = torch.Generator().manual_seed(5)
    plate = torch.rand(1, 3, size, size, generator=generator) + 0.2
    deviation = (1e-5 + 1e-3 * plate).sqrt()
    frame = plate + deviation * torch.randn(plate.shape, generator=generator)
    frame[..., size // 2 :] += shift * deviation[..., size // 2 :]
    return frame, plate, torch.ones(1, 1, size, size), torch.tensor(TYPICAL_NOISE)[None]


def test_grain_alone_is_as_significant_as_chance():
    """Each statistic is a mean of squares of unit deviation: 1, thus log(2) / 4, on average."""
    found = significance(*grained())
    assert found.shape == (1, 7, 32, 32)
    chance = torch.expm1(4 * found[:, :4, 4:-4, 4:-4]).mean((0, 2, 3))
    torch.testing.assert_close(chance, torch.ones(4), atol=0.1, rtol=0)


def test_a_small_difference_is_found_by_its_extent():
    """Half a deviation is lost in the grain of a pixel, and four times its deviation in the mean of 10 x 10."""
    found = torch.expm1(4 * significance(*grained(0.5))[0, :4])
    left, right = found[..., 4:-4, 4:12].mean((1, 2)), found[..., 4:-4, 20:-4].mean((1, 2))
    assert float(right[0] / left[0]) < 1.4
    assert float(right[3] / left[3]) > 10


def test_what_the_plate_did_not_see_is_not_significant():
    frame, plate, valid, noise = grained(9.0)
    assert float(significance(frame, plate, valid * 0, noise).abs().max()) == 0


def test_unmixing_is_exact_where_both_colours_are_known():
    torch.manual_seed(2)
    behind, foreground = torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8) + 1
    alpha = torch.rand(1, 1, 8, 8)
    found, separation, least = unmixing(alpha * foreground + (1 - alpha) * behind, behind, foreground).split(1, 1)
    torch.testing.assert_close(found, alpha, rtol=0, atol=0.05)
    assert bool((separation > 0.1).all())
    assert bool((least <= alpha + 1e-6).all())


def test_unmixing_of_equal_colours_says_that_it_cannot_tell():
    same = torch.rand(1, 3, 8, 8)
    found, separation, _ = unmixing(same + 0.01, same, same).split(1, 1)
    assert float(separation.max()) == 0
    assert float(found.abs().max()) == 0


def test_the_least_alpha_is_what_a_black_subject_needs():
    behind = torch.full((1, 3, 4, 4), 0.5)
    least = unmixing(behind * 0.25, behind, torch.rand(1, 3, 4, 4))[:, 2]
    torch.testing.assert_close(least, torch.full_like(least, 0.75), atol=0.005, rtol=0)


def test_light_ratio_is_the_shadows_where_there_is_nothing_else():
    plate = torch.rand(1, 3, 32, 32) + 0.2
    inner = light_ratio(plate * 0.4, plate)
    torch.testing.assert_close(inner, torch.full((1, 3, 32, 32), 0.4), atol=0.01, rtol=0)
    assert bool((light_ratio(plate * 2, plate) == 1).all())


@pytest.mark.parametrize("times", [1, 2, 4, 8])
def test_smaller_and_larger_pictures_are_those_of_torch(times):
    functional = torch.nn.functional
    planes = torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(4))
    torch.testing.assert_close(pooled(planes, times), functional.avg_pool2d(planes, times))
    torch.testing.assert_close(blurred(planes, 5), functional.avg_pool2d(planes, 5, stride=1, padding=2))
    large = functional.interpolate(planes, scale_factor=times, mode="bilinear", align_corners=False)
    torch.testing.assert_close(enlarged(planes, times), large)
    torch.testing.assert_close(enlarged(planes.requires_grad_(), times), large)


def test_means_of_highlights_stay_finite_in_half_precision():
    bright = torch.full((1, 3, 16, 16), 65504.0)
    with torch.autocast("cpu", torch.float16):
        found = blurred(bright, 3)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found[..., 1:-1, 1:-1], bright[..., 1:-1, 1:-1])


def test_folded_and_cached_it_answers_the_same(network):
    """Batch normalisation folded into the weights; the plate's features computed once, then taken from the cache."""
    keyer = platenet_keyer(copy.deepcopy(network)).at(64, 96)
    with torch.inference_mode():
        plain = network(*inputs())
        first, second = keyer(*inputs()), keyer(*inputs())
    for ours, theirs, cached in zip(first, plain, second, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(ours, cached, rtol=0, atol=0)


def test_another_plate_is_not_taken_for_the_one_before(network):
    frame, plate, valid, hint = inputs()
    keyer, fresh = platenet_keyer(copy.deepcopy(network)).at(64, 96), platenet_keyer(copy.deepcopy(network)).at(64, 96)
    other = plate.clone()
    other[..., 5, 5] += 0.1
    with torch.inference_mode():
        keyer(frame, plate, valid, hint)
        torch.testing.assert_close(keyer(frame, other, valid, hint), fresh(frame, other, valid, hint), rtol=0, atol=0)


@pytest.mark.parametrize(("size", "cell"), [((480, 640), 2), ((1080, 1920), 4), ((2160, 3840), 8), ((4320, 7680), 16)])
def test_the_base_sees_a_few_hundred_cells_whatever_the_picture(size, cell):
    assert whole.cell_size(*size) == cell
    assert 240 <= max(size) / cell <= 600


def test_where_the_plate_is_invalid_only_the_frame_decides(network):
    """The plate is 0 there; a plate that ends elsewhere by a pixel of light changes nothing."""
    frame, plate, valid, hint = inputs()
    valid[..., :32] = 0
    with torch.inference_mode():
        view = whole.seen(frame, plate * valid, valid, hint, 2, NOISE)
    assert float(view.valid[..., :16].max()) == 0
    assert bool(torch.isfinite(view.plate).all())
    torch.testing.assert_close(view.plate[..., 16:], torch.nn.functional.avg_pool2d(plate, 2)[..., 16:])


def test_encoder_strides_and_frozen_statistics():
    encoder = Encoder().train()
    features = encoder(torch.rand(1, 3, 64, 64))
    assert [tuple(f.shape[1:]) for f in features] == [
        (c, 64 // s, 64 // s) for c, s in zip(CHANNELS, (2, 4, 8, 16), strict=True)
    ]
    assert not any(m.training for m in encoder.modules() if isinstance(m, torch.nn.BatchNorm2d))


def test_other_weights_are_no_encoder():
    with pytest.raises(ValueError, match="EfficientNet"):
        from_imagenet({"_conv_stem.weight": torch.zeros(1)})


def test_the_shipped_weights_are_those_of_the_card():
    card = table.MODELS["platenet"]
    network = table.load_network("platenet", "cpu")
    assert sum(p.numel() for p in network.parameters()) == card.parameters
    assert card.size < 12_000_000
    assert card.commercial_use
    assert not network.training


def test_unknown_model_lists_the_known():
    with pytest.raises(EngineError, match="platenet") as caught:
        table.load_network("deeplab", "cpu")
    assert caught.value.reason == "MODEL_UNKNOWN"


def test_changed_weights_are_refused(tmp_path, monkeypatch):
    card = table.MODELS["platenet"]
    (tmp_path / card.file).write_bytes(card.path.read_bytes()[:-1] + b"x")
    monkeypatch.setattr(table, "WEIGHTS", tmp_path)
    with pytest.raises(EngineError, match="checksum"):
        table.load_network("platenet", "cpu")


def test_devices():
    assert device.available()[-1] == "cpu"
    assert device.choose("cpu") == "cpu"
    assert device.choose("auto") == device.available()[0]
    assert device.name("cpu")
    assert device.memory_total("cpu") > 1 << 30
    with pytest.raises(EngineError, match="cuda:9"):
        device.choose("cuda:9")
