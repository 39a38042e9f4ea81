"""The network stage: tiles agree with the whole, padding is invisible, knobs act, cancel stops."""

import numpy as np
import pytest

from engine.errors import EngineError
from engine.network import device
from engine.network.table import load_keyer
from engine.pipeline import matte as stage
from engine.settings import Knobs
from engine.values import Plate


@pytest.fixture(scope="module")
def network():
    return load_keyer("platenet", "cpu")


def picture(height, width, seed=0):
    """A smooth plate and a frame with a disk of another colour before it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    plate = np.stack([0.2 + 0.1 * np.sin(x / 17 + c) * np.cos(y / 23 + c) for c in range(3)], 2).astype(np.float32)
    inside = (np.hypot(x - width / 2, y - height / 2) < min(height, width) / 4)[..., None]
    frame = np.where(inside, np.float32((0.6, 0.1, 0.05)), plate) + rng.normal(0, 0.002, plate.shape)
    return frame.astype(np.float32), Plate(plate, np.ones((height, width), bool))


def run(frame, plate, network, knobs=None, hint=None, check=lambda: None):
    return stage.matte(frame, plate, hint, 1.0, network, knobs or Knobs(), "cpu", check)


def test_it_keys_a_disk(network):
    frame, plate = picture(192, 256)
    alpha = run(frame, plate, network).alpha
    assert alpha[96, 128] > 0.95
    assert alpha[:20].max() < 0.05


@pytest.mark.parametrize("size", [(192, 256), (181, 243), (31, 33), (5, 300)])
def test_any_size_comes_back(network, size):
    frame, plate = picture(*size)
    out = run(frame, plate, network)
    assert out.alpha.shape == size
    assert out.shadow.shape == out.foreground.shape == (*size, 3)


def test_the_layout_covers_everything_once(network):
    keyer = network.at(700, 1000)
    kept = np.zeros((700, 1000), int)
    for tile in stage.layout(700, 1000, 300, keyer.margin, keyer.stride):
        kept[tile.keep] += 1
        assert tile.see[0].start % keyer.stride == tile.see[1].start % keyer.stride == 0
    assert (kept == 1).all()


def test_tiles_agree_with_the_whole(network, monkeypatch):
    """The stated bound: 1/512 of alpha for 99.9 % of pixels, 0.02 for all."""
    frame, plate = picture(704, 960)
    whole = run(frame, plate, network)
    monkeypatch.setattr(device, "tile_pixels", lambda *_: 800 * 800)
    tiled = run(frame, plate, network)
    assert (whole.tiles, tiled.tiles) == (1, 12)
    error = np.abs(whole.alpha - tiled.alpha)
    assert np.quantile(error, 0.999) < 1 / 512
    assert error.max() < 0.02


def test_short_memory_means_smaller_tiles(network, monkeypatch):
    frame, plate = picture(320, 640)
    real, sizes = stage._run, []

    def short(inputs, *rest):
        sizes.append(inputs.shape[2])
        if inputs.shape[2] == 640 and len(sizes) == 1:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4096 bytes.")
        return real(inputs, *rest)

    monkeypatch.setattr(stage, "_run", short)
    assert run(frame, plate, network).tiles > 1


def test_no_memory_at_all_is_said(network, monkeypatch):
    def none(*_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4096 bytes.")

    monkeypatch.setattr(stage, "_run", none)
    with pytest.raises(EngineError, match="too little memory") as caught:
        run(*picture(300, 300), network)
    assert caught.value.reason == "OUT_OF_MEMORY"


def test_other_faults_are_not_taken_for_short_memory(network, monkeypatch):
    def broken(*_):
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(stage, "_run", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        run(*picture(64, 64), network)


def test_the_same_input_gives_the_same_bits(network):
    frame, plate = picture(160, 192)
    first, second = run(frame, plate, network), run(frame, plate, network)
    np.testing.assert_array_equal(first.alpha, second.alpha)
    np.testing.assert_array_equal(first.foreground, second.foreground)


def test_sensitivity_raises_alpha(network):
    frame, plate = picture(160, 192)
    low, high = (run(frame, plate, network, Knobs(sensitivity=s)).alpha for s in (-1, 1))
    assert (high >= low).all()
    assert high.sum() > low.sum()


def test_draft_has_the_frame_size(network):
    frame, plate = picture(161, 193)
    assert run(frame, plate, network, Knobs(quality="draft")).alpha.shape == (161, 193)


def test_a_hint_without_strength_is_no_hint(network):
    frame, plate = picture(160, 192)
    hint = np.ones((160, 192), np.float32)
    np.testing.assert_array_equal(
        run(frame, plate, network).alpha, run(frame, plate, network, Knobs(hint_strength=0), hint).alpha
    )


def test_cancel_stops_before_a_tile(network):
    def stop():
        raise EngineError("CANCELLED", "Frame 1 was cancelled.", "Send it again.")

    with pytest.raises(EngineError, match="cancelled"):
        run(*picture(64, 64), network, check=stop)
