"""Other people's networks in our pipeline: what they are shown, what comes back, and what is said of them."""

import numpy as np
import PyOpenColorIO
import pytest
import torch
from torch import nn

from engine.errors import EngineError
from engine.network.architectures import ARCHITECTURES
from engine.network.bgm2020.keyer import Bgm2020Keyer, cues
from engine.network.bgmv2.keyer import Bgmv2Keyer, recommended
from engine.network.bgmv2.network import Matted
from engine.network.bgmv2.refiner import PATCH
from engine.network.display import from_display, to_display
from engine.network.folding import folded
from engine.network.keyer import filled, logit_of
from engine.network.platenet import decode, squash
from engine.network.table import MODELS
from engine.pipeline import matte as stage
from engine.pipeline.report import model_notes
from engine.settings import Knobs
from engine.values import Plate


def image(*rgb):
    return torch.tensor(rgb, dtype=torch.float32).view(1, 3, 1, 1)


def test_display_is_srgb_below_the_knee():
    """Second formulation: OpenColorIO's own way from ACEScg to sRGB."""
    rng = np.random.default_rng(0)
    colours = rng.uniform(0.05, 0.45, (1, 50, 3)).astype(np.float32)
    expected = colours.copy()
    config = PyOpenColorIO.Config.CreateFromFile("ocio://cg-config-v2.2.0_aces-v1.3_ocio-v2.4")
    processor = config.getProcessor("ACEScg", "sRGB - Texture")
    processor.getOptimizedCPUProcessor(PyOpenColorIO.OPTIMIZATION_LOSSLESS).applyRGB(expected)
    shown = to_display(torch.from_numpy(colours).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
    unrolled = (expected < 0.73).all(2) & (expected > 0).all(2)
    assert unrolled.sum() > 20
    np.testing.assert_allclose(shown[unrolled], expected[unrolled], atol=2e-4)


def test_mid_grey_is_where_photographs_have_it():
    torch.testing.assert_close(to_display(image(0.18, 0.18, 0.18)), torch.full((1, 3, 1, 1), 0.4614), atol=2e-4, rtol=0)


def test_brighter_stays_brighter_and_below_white():
    light = torch.logspace(-4, 4.8, 400).view(1, 1, 1, -1).expand(1, 3, 1, -1)
    shown = to_display(light)
    assert float(shown.max()) <= 1
    assert bool((shown[0, 0, 0, :300].diff() > 0).all()), "four hundred times white still differs from a little more"
    assert bool((shown.diff() >= 0).all())


@pytest.mark.parametrize("value", [-40.0, 0.0, 40.0, 65504.0])
def test_extremes_stay_in_range(value):
    shown = to_display(image(value, 0.1, 0.1))
    assert bool(torch.isfinite(shown).all())
    assert 0 <= float(shown.min()) <= float(shown.max()) <= 1


def test_display_inverts():
    grey = torch.logspace(-3, 1.5, 50).view(1, 1, 1, -1).expand(1, 3, 1, -1)
    torch.testing.assert_close(from_display(to_display(grey)), grey, rtol=2e-3, atol=1e-5)
    assert float(from_display(torch.ones(1, 3, 1, 1)).max()) == pytest.approx(64, rel=1e-4)


def test_a_logit_brings_alpha_back():
    alpha = torch.linspace(0, 1, 1001)
    back = squash(logit_of(alpha))
    torch.testing.assert_close(back, alpha, atol=3e-6, rtol=0)
    assert (float(back[0]), float(back[-1])) == (0.0, 1.0)


def test_gaps_show_the_frame_but_not_where_a_subject_is_hinted():
    frame, plate = torch.full((1, 3, 1, 3), 0.7), torch.full((1, 3, 1, 3), 0.2)
    valid = torch.tensor([[[[1.0, 0.0, 0.0]]]])
    hint = torch.stack([torch.tensor([[0.0, 0.0, 1.0]]), torch.ones(1, 3)])[None]
    assert filled(frame, plate, valid, hint)[0, 0, 0].tolist() == pytest.approx([0.2, 0.7, 0.0])


@pytest.mark.parametrize(("size", "scale", "pixels"), [((1080, 1920), 0.25, 80_000), ((2160, 3840), 0.125, 320_000)])
def test_settings_are_the_recommended_ones(size, scale, pixels):
    found, budget = recommended(*size)
    assert (found, budget.pixels, budget.mode) == (pytest.approx(scale), pixels, "sampling")


def test_small_pictures_keep_half_their_resolution():
    assert recommended(270, 480)[0] == 0.5
    assert recommended(4, 4)[1].pixels >= PATCH**2


def randomise(network):
    """Batch normalisation that does something."""
    torch.manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.3, 0.3)
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 2.0)
    return network


@pytest.mark.parametrize("name", ["platenet", "bgm2020", "bgmv2-mobilenetv2", "bgmv2-resnet50"])
def test_folding_changes_nothing_but_the_work(name):
    torch.manual_seed(0)
    network = randomise(ARCHITECTURES[name].build()).eval()
    channels = {"platenet": (3, 3, 1, 2), "bgm2020": (3, 3, 1, 4)}.get(name, (6,))
    inputs = [torch.rand(1, count, 64, 64) for count in channels]
    call = network.coarse if name.startswith("bgmv2") else network
    with torch.inference_mode():
        before = call(*inputs)
        folded(network)
        after = call(*inputs)
    if name != "platenet":
        assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    before, after = (list(vars(out).values()) if hasattr(out, "__dict__") else list(out) for out in (before, after))
    for old, new in zip(before, after, strict=True):
        torch.testing.assert_close(new, old, rtol=1e-3, atol=1e-3 * float(old.abs().max()) + 1e-6)


class Sure(nn.Module):
    """Stands in for BackgroundMattingV2: subject where the frame is brighter than the plate."""

    def forward(self, frame, plate, _scale, budget):
        alpha = (frame.mean(1, keepdim=True) > plate.mean(1, keepdim=True) + 0.1).float()
        refined = torch.ones(len(frame), frame.shape[2] // 4, frame.shape[3] // 4, dtype=torch.bool)
        return Matted(alpha, frame, alpha[..., ::4, ::4] * 0.25, refined)


class Sure2020(nn.Module):
    """Stands in for the 2020 network: returns the cue as alpha and the picture as foreground."""

    def forward(self, picture, _plate, cue, _motion):
        return cue, picture


def picture(height, width):
    plate = np.full((height, width, 3), 0.1, np.float32)
    frame = plate.copy()
    frame[height // 4 : height * 3 // 4, width // 4 : width * 3 // 4] = (1.2, 0.8, 0.5)
    return frame, Plate(plate, np.ones((height, width), bool))


def run(keyer, size, hint=None):
    frame, plate = picture(*size)
    return frame, stage.matte(frame, plate, hint, 1.0, keyer, Knobs(), "cpu", lambda: None)


@pytest.mark.parametrize("size", [(96, 128), (37, 51), (5, 300), (1, 1)])
def test_bgmv2_serves_through_the_stage(size):
    frame, out = run(Bgmv2Keyer(Sure()).eval(), size)
    assert out.alpha.shape == size
    assert set(np.unique(out.alpha)) <= {0.0, 1.0}
    np.testing.assert_allclose(out.foreground, frame, rtol=5e-3, atol=1e-3)
    assert (out.shadow == 1).all()
    assert out.uncertainty.max() <= 0.25


@pytest.mark.parametrize("size", [(240, 320), (61, 83), (5, 300), (1, 1)])
def test_bgm2020_serves_through_the_stage(size):
    out = run(Bgm2020Keyer(Sure2020()).eval(), size)[1]
    assert out.alpha.shape == size
    assert np.isfinite(out.foreground).all()
    assert (out.shadow == 1).all()
    np.testing.assert_allclose(out.uncertainty, 2 * out.alpha * (1 - out.alpha), atol=1e-4)
    if size == (240, 320):
        assert out.alpha[120, 160] > 0.99
        assert out.alpha[:20].max() == 0


def test_the_2020_cue_comes_from_the_hint_where_there_is_one():
    hint = np.zeros((240, 320), np.float32)
    hint[60:180, 10:100] = 1
    _, out = run(Bgm2020Keyer(Sure2020()).eval(), (240, 320), hint)
    assert out.alpha[120, 55] > 0.99
    assert out.alpha[120, 220] < 0.01


class Seen2020(Sure2020):
    """Remembers the sizes of what it is shown."""

    def __init__(self):
        super().__init__()
        self.sizes = set()

    def forward(self, picture, *others):
        self.sizes |= {tuple(part.shape[-2:]) for part in (picture, *others)}
        return super().forward(picture, *others)


@pytest.mark.parametrize("size", [512, 128])
def test_the_2020_network_sees_as_many_pixels_as_it_is_told(size):
    network = Seen2020()
    assert run(Bgm2020Keyer(network, size=size).eval(), (240, 320))[1].alpha[120, 160] > 0.99
    assert network.sizes == {(size, size)}


@pytest.mark.parametrize("largest", [False, True])
def test_only_the_largest_part_is_kept_where_that_is_asked_for(largest):
    hint = np.zeros((240, 320), np.float32)
    hint[40:200, 30:150], hint[60:120, 220:300] = 1, 1
    keyer = ARCHITECTURES["bgm2020"].keyer(Sure2020(), {"component": "largest" if largest else "all"})
    out = run(keyer.eval(), (240, 320), hint)[1]
    assert out.alpha[120, 90] > 0.99
    assert (out.alpha[90, 260] > 0.99) is not largest


def test_the_other_modes_of_the_refiner_can_be_asked_for():
    budgets = []

    class Asked(Sure):
        def forward(self, frame, plate, scale, budget):
            budgets.append(budget.mode)
            return super().forward(frame, plate, scale, budget)

    for options in ({}, {"refine": "full"}, {"refine": "thresholding"}):
        run(ARCHITECTURES["bgmv2-resnet50"].keyer(Asked().eval(), options), (64, 64))
    assert budgets == ["sampling", "full", "thresholding"]


def test_an_empty_frame_has_an_empty_cue_for_the_whole_picture():
    grey = torch.full((1, 3, 60, 80), 0.18)
    cue = cues(grey, grey, torch.ones(1, 1, 60, 80), torch.zeros(1, 2, 60, 80))[0]
    assert cue.soft.max() == 0
    assert (cue.rows, cue.columns) == (slice(0, 60), slice(0, 80))


@pytest.mark.parametrize("name", ["bgmv2-mobilenetv2", "bgm2020"])
def test_half_precision_comes_close(name):
    torch.manual_seed(0)
    keyer = ARCHITECTURES[name].keyer(randomise(ARCHITECTURES[name].build()).eval(), {})
    keyer.size = 32
    frame, plate = picture(64, 96)
    whole, half = (
        stage.matte(frame, plate, None, 1.0, keyer, Knobs(precision=precision), "cpu", lambda: None)
        for precision in ("float", "half")
    )
    assert np.isfinite(half.alpha).all()
    assert half.alpha.dtype == np.float32
    assert np.median(np.abs(whole.alpha - half.alpha)) < 0.02


def test_one_that_must_see_everything_is_never_tiled(monkeypatch):
    monkeypatch.setattr(stage.devices, "tile_pixels", lambda *_: 32 * 32)
    assert run(Bgmv2Keyer(Sure()).eval(), (300, 400))[1].tiles == 1


def test_one_that_must_see_everything_says_so_where_memory_is_short(monkeypatch):
    def none(*_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4096 bytes.")

    monkeypatch.setattr(stage, "_run", none)
    with pytest.raises(EngineError, match="whole frame") as caught:
        run(Bgmv2Keyer(Sure()).eval(), (64, 64))
    assert caught.value.reason == "OUT_OF_MEMORY"


def test_a_highlight_before_a_highlight_is_seen():
    """A lamp eight times white before a window four times white; clipped at white both would look alike."""
    window, lamp = image(4, 4, 4), image(8, 8, 8)
    assert float((to_display(lamp) - to_display(window)).min()) > 0.01


def test_foreground_code_decodes_to_light():
    frame, _ = picture(64, 64)
    batch = torch.from_numpy(frame).permute(2, 0, 1)[None]
    ones, nothing = torch.ones(1, 1, 64, 64), torch.zeros(1, 2, 64, 64)
    said = Bgmv2Keyer(Sure())(batch, batch * 0.5, ones, nothing)
    torch.testing.assert_close(decode(said.foreground), batch, rtol=5e-3, atol=1e-3)


def test_a_non_commercial_model_says_so():
    free = MODELS["platenet"]
    bound = type(free)(**{**vars(free), "name": "bgm2020", "licence": "CC-BY-NC-SA-4.0", "commercial_use": False})
    assert list(model_notes(free, takes_hint=True, hinted=True)) == []
    (note,) = model_notes(bound, takes_hint=True, hinted=False)
    assert "not for commercial use" in note
    assert "CC-BY-NC-SA-4.0" in note
    (note,) = model_notes(free, takes_hint=False, hinted=True)
    assert "no hint" in note
