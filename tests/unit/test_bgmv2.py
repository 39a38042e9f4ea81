"""BackgroundMattingV2: the public format to the letter, and a refiner whose modes agree."""

import pytest
import torch
from torch import nn

from engine.benchmark.macs import count_macs
from engine.network.bgmv2 import BackgroundMattingV2
from engine.network.bgmv2.refiner import PATCH, Budget, Coarse, Refiner, choose

PUBLIC = {
    "mobilenetv2": (5_006_839, 382, 5_042_110, (306, 36, 20, 20)),
    "resnet50": (40_247_703, 394, 40_304_544, (318, 36, 20, 20)),
    "resnet101": (59_239_831, 700, 59_348_947, (624, 36, 20, 20)),
}
"""Parameters, entries of the state dict, its elements, and entries of backbone, ASPP, decoder and refiner."""

SHAPES = {
    "mobilenetv2": {
        "backbone.features.0.0.weight": (32, 6, 3, 3),
        "backbone.features.1.conv.0.0.weight": (32, 1, 3, 3),
        "backbone.features.17.conv.3.weight": (320,),
        "aspp.convs.0.0.weight": (256, 320, 1, 1),
        "decoder.conv1.weight": (128, 288, 3, 3),
        "decoder.conv2.weight": (64, 152, 3, 3),
        "decoder.conv3.weight": (48, 80, 3, 3),
    },
    "resnet50": {
        "backbone.conv1.weight": (64, 6, 7, 7),
        "backbone.layer1.0.downsample.0.weight": (256, 64, 1, 1),
        "backbone.layer4.2.bn3.weight": (2048,),
        "decoder.conv1.weight": (128, 768, 3, 3),
        "decoder.conv2.weight": (64, 384, 3, 3),
        "decoder.conv3.weight": (48, 128, 3, 3),
    },
    "resnet101": {"backbone.layer3.22.conv2.weight": (256, 256, 3, 3), "backbone.layer4.2.bn3.running_var": (2048,)},
}

SHARED = {
    "aspp.convs.3.0.weight": 4,
    "aspp.convs.4.1.weight": (256, None, 1, 1),
    "aspp.convs.4.2.weight": (256,),
    "aspp.project.0.weight": (256, 1280, 1, 1),
    "aspp.project.1.running_mean": (256,),
    "decoder.conv4.weight": (37, 54, 3, 3),
    "decoder.conv4.bias": (37,),
    "refiner.conv1.weight": (24, 42, 3, 3),
    "refiner.conv2.weight": (16, 24, 3, 3),
    "refiner.conv3.weight": (12, 22, 3, 3),
    "refiner.conv4.weight": (4, 12, 3, 3),
    "refiner.conv4.bias": (4,),
}


def hollow(backbone):
    with torch.device("meta"):
        return BackgroundMattingV2(backbone).eval()


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return BackgroundMattingV2("mobilenetv2").eval()


@pytest.mark.parametrize("backbone", PUBLIC)
def test_sizes_are_the_public_ones(backbone):
    state = hollow(backbone).state_dict()
    parts = tuple(sum(key.startswith(part) for key in state) for part in ("backbone", "aspp", "decoder", "refiner"))
    parameters = sum(value.numel() for value in hollow(backbone).parameters())
    elements = sum(value.numel() for value in state.values())
    assert (parameters, len(state), elements, parts) == PUBLIC[backbone]


@pytest.mark.parametrize("backbone", PUBLIC)
def test_names_and_shapes_are_the_public_ones(backbone):
    state = hollow(backbone).state_dict()
    for name, shape in SHAPES[backbone].items():
        assert tuple(state[name].shape) == shape, name
    for name, shape in SHARED.items():
        found = tuple(state[name].shape)
        if isinstance(shape, int):
            assert len(found) == shape
        else:
            assert all(want in {None, have} for want, have in zip(shape, found, strict=True)), name


# GMac of the base at 480 x 270, and of the refiner for 80,000 and 320,000 px; the sheet's sums less its refiner's.
BASE = {"mobilenetv2": 7.39, "resnet50": 34.21 - 2.37, "resnet101": 43.87 - 2.37}


@pytest.mark.parametrize("backbone", BASE)
def test_the_base_costs_what_is_published(backbone):
    pair = torch.zeros(1, 6, 270, 480, device="meta")
    assert count_macs(hollow(backbone).coarse, pair) / 1e9 == pytest.approx(BASE[backbone], rel=0.02)


@pytest.fixture(scope="module")
def patch_gmacs():
    """Of one patch of the refiner, measured on 312 of them: a patch costs the same wherever it lies."""
    torch.manual_seed(0)
    pair, found = torch.rand(1, 6, 272, 480), torch.rand(1, 37, 68, 120)
    coarse = Coarse(found[:, :1], found[:, 1:4], found[:, 4:5], found[:, 5:])
    return count_macs(lambda: Refiner().eval()(pair, coarse, Budget(pixels=5_000, forced=True))) / 312 / 1e9


@pytest.mark.parametrize(("pixels", "gmacs"), [(80_000, 2.37), (320_000, 9.49)])
def test_the_refiner_costs_what_is_published(patch_gmacs, pixels, gmacs):
    assert patch_gmacs * pixels / PATCH**2 == pytest.approx(gmacs, rel=0.02)


@pytest.mark.parametrize(("backbone", "hd", "uhd"), [
    ("mobilenetv2", 9.76, 16.88), ("resnet50", 34.21, 41.33), ("resnet101", 43.87, 50.98),
])  # fmt: skip
def test_the_whole_costs_what_is_published(patch_gmacs, backbone, hd, uhd):
    """HD at scale 0.25 with 80,000 px refined, 4K at 0.125 with 320,000: the backbone sees 480 x 270 px of either."""
    base = count_macs(hollow(backbone).coarse, torch.zeros(1, 6, 270, 480, device="meta")) / 1e9
    assert base + patch_gmacs * 80_000 / PATCH**2 == pytest.approx(hd, rel=0.02)
    assert base + patch_gmacs * 320_000 / PATCH**2 == pytest.approx(uhd, rel=0.02)


def matted(network, budget, size=(64, 96), seed=1):
    torch.manual_seed(seed)
    frame, plate = torch.rand(2, 2, 3, *size)
    with torch.inference_mode():
        return network(frame, plate, 0.25, budget)


@pytest.mark.parametrize("budget", [Budget(pixels=10**6, forced=True), Budget("thresholding", threshold=-1)])
def test_refining_every_patch_is_refining_everything(network, budget):
    """Second formulation: patches cut out and put back, against plain convolutions of the whole picture."""
    whole, patches = matted(network, Budget("full")), matted(network, budget)
    assert bool(patches.refined.all())
    torch.testing.assert_close(patches.alpha, whole.alpha, rtol=0, atol=1e-5)
    torch.testing.assert_close(patches.foreground, whole.foreground, rtol=0, atol=1e-5)


def test_only_chosen_patches_change(network):
    whole = matted(network, Budget("full"))
    none = matted(network, Budget("thresholding", threshold=2.0))
    some = matted(network, Budget(pixels=20 * 16, forced=True))
    assert not none.refined.any()
    assert some.refined.sum((1, 2)).tolist() == [20, 20]
    inside = some.refined.repeat_interleave(4, 1).repeat_interleave(4, 2)[:, None]
    torch.testing.assert_close(some.alpha[inside], whole.alpha[inside], rtol=0, atol=1e-5)
    torch.testing.assert_close(some.alpha[~inside], none.alpha[~inside], rtol=0, atol=0)


def test_the_budget_goes_where_most_error_is_expected():
    error = torch.tensor([[[0.1, 0.9, 0.0], [0.8, 0.2, 0.0]]])
    two = choose(error, Budget(pixels=2 * 16))
    assert two.tolist() == [[[False, True, False], [True, False, False]]]
    assert choose(error, Budget(pixels=6 * 16)).sum() == 4
    assert choose(error, Budget(pixels=6 * 16, forced=True)).sum() == 6
    assert choose(error, Budget("thresholding", threshold=0.15)).sum() == 3


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_flat_pictures_give_finite_answers_in_range(network, value):
    flat = torch.full((1, 3, 36, 52), value)
    with torch.inference_mode():
        out = network(flat, flat, 0.5, Budget())
    for part in (out.alpha, out.foreground, out.error):
        assert bool(torch.isfinite(part).all())
        assert 0 <= float(part.min()) <= float(part.max()) <= 1


def test_the_foreground_is_the_frame_where_nothing_is_added(network):
    still = BackgroundMattingV2("mobilenetv2").eval()
    for head in (still.decoder.conv4, still.refiner.conv4):
        nn.init.zeros_(head.weight)
        nn.init.zeros_(head.bias)
    torch.manual_seed(2)
    frame, plate = torch.rand(2, 1, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(still(frame, plate, 0.5, Budget("full")).foreground, frame)
