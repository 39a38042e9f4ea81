from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from engine.pipeline.layers import assemble
from engine.settings import DEFAULT_LAYERS, LayerName
from engine.values import Solution

SIZE = (6, 8)


@pytest.fixture
def solution():
    rng = np.random.default_rng(5)
    grey = (rng.integers(0, 2049, SIZE) / 2048).astype(np.float32)
    return Solution(
        alpha=rng.random(SIZE, np.float32),
        premultiplied=rng.normal(0, 10, (*SIZE, 3)).astype(np.float32),
        shadow_ratio=np.repeat(grey[..., None], 3, axis=-1),
        residual=rng.normal(0, 0.1, (*SIZE, 3)).astype(np.float32),
        plate=rng.random((*SIZE, 3), np.float32) * 40,
        valid=rng.random(SIZE) > 0.2,
        uncertainty=rng.random(SIZE, np.float32),
        difference=rng.random(SIZE, np.float32) * 30,
        foreground=rng.random((*SIZE, 3), np.float32),
        garbage=np.zeros(SIZE, np.float32),
        half=True,
    )


def test_main_layer_alone(solution):
    layers = assemble(solution, ())
    assert list(layers.channels) == ["R", "G", "B", "A"]
    assert layers.half
    assert not assemble(replace(solution, half=False), ()).half
    np.testing.assert_array_equal(layers.channels["G"], solution.premultiplied[..., 1])
    np.testing.assert_array_equal(layers.channels["A"], solution.alpha)


def test_every_layer_has_its_channels_in_the_order_asked_for(solution):
    names = get_args(LayerName)
    components = {"shadow": "RGBA", "residual": "RGBA", "shadow_ratio": "RGB", "fg": "RGB", "cleanplate": "RGB"}
    for asked in (names, names[::-1], DEFAULT_LAYERS):
        wanted = [*"RGBA", *(f"{name}.{letter}" for name in asked for letter in components.get(name, "Y"))]
        layers = assemble(solution, asked)
        assert list(layers.channels) == wanted
        assert all(values.shape == SIZE and values.dtype == np.float32 for values in layers.channels.values())


def test_values_stand_under_their_names(solution):
    channels = assemble(solution, get_args(LayerName)).channels
    for name, values in (
        ("residual", solution.residual),
        ("shadow_ratio", solution.shadow_ratio),
        ("fg", solution.foreground),
        ("cleanplate", solution.plate),
    ):
        np.testing.assert_array_equal(np.dstack([channels[f"{name}.{letter}"] for letter in "RGB"]), values)
    np.testing.assert_array_equal(channels["uncertainty.Y"], solution.uncertainty)
    np.testing.assert_array_equal(channels["difference.Y"], solution.difference)
    np.testing.assert_array_equal(channels["validity.Y"], np.where(solution.valid, 1.0, 0.0))
    assert not channels["residual.A"].any()
    assert not any(channels[f"shadow.{letter}"].any() for letter in "RGB")


def test_grey_shadow_is_exact_in_half(solution):
    alpha = assemble(solution, ("shadow",)).channels["shadow.A"]
    np.testing.assert_array_equal(
        alpha.astype(np.float16).astype(np.float64), 1 - np.float64(solution.shadow_ratio[..., 0])
    )


def test_coloured_shadow_shows_its_mean(solution):
    ratio = np.broadcast_to(np.float32([0.2, 0.4, 0.9]), (*SIZE, 3)).copy()
    ratio[0, 0] = 0.7
    alpha = assemble(replace(solution, shadow_ratio=ratio), ("shadow",)).channels["shadow.A"]
    np.testing.assert_allclose(alpha[1:], 0.5, atol=1e-6)
    assert alpha[0, 0] == np.float32(1) - np.float32(0.7)


def test_plain_overs_on_the_plate_return_the_equation(solution):
    """The host's merge against P + (1 - a) s B + R."""
    channels = assemble(solution, ("shadow", "residual")).channels

    def over(layer, background):
        rgb = np.dstack([channels[f"{layer}{letter}"] for letter in "RGB"]).astype(np.float64)
        return rgb + (1 - channels[f"{layer}A"][..., None].astype(np.float64)) * background

    merged = over("residual.", over("", over("shadow.", solution.plate)))
    a, s = solution.alpha[..., None].astype(np.float64), solution.shadow_ratio.astype(np.float64)
    wanted = solution.premultiplied + (1 - a) * s * solution.plate + solution.residual
    np.testing.assert_allclose(merged, wanted, rtol=0, atol=1e-12)
