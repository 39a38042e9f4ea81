import time

import numpy as np
import pytest
from exr_files import read_bytes, source_of

from engine.errors import EngineError
from engine.pipeline.decode import decode
from engine.pipeline.encode import encode
from engine.values import Frame, Layers, Window

FRAME = Frame(Window(-2, 3, 8, 6), Window(0, 0, 20, 10), 2.0)
NAMES = ("R", "G", "B", "A", "shadow.R", "shadow.G", "shadow.B", "shadow.A", "uncertainty.Y", "validity.Y")


def layers_of(values, half=True, names=NAMES):
    return Layers({name: np.asarray(values, np.float32) + index for index, name in enumerate(names)}, half)


@pytest.fixture
def values():
    return np.random.default_rng(2).normal(0, 3, (6, 8)).astype(np.float32)


def test_float_comes_back_bit_by_bit(tmp_path, values):
    layers = layers_of(values, half=False)
    spec, channels = read_bytes(encode(layers, FRAME, {}), tmp_path)
    assert str(spec.format) == "float"
    assert channels.keys() == layers.channels.keys()
    for name, stored in layers.channels.items():
        np.testing.assert_array_equal(channels[name], stored)


def test_every_half_comes_back_bit_by_bit(tmp_path):
    """All finite halves: subnormals and both zeros too."""
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    every = np.where(np.isfinite(every), every, np.float16(0)).reshape(256, 256)
    window = Window(0, 0, 256, 256)
    data = encode(Layers({"R": every.astype(np.float32)}, True), Frame(window, window), {})
    back = read_bytes(data, tmp_path)[1]["R"].astype(np.float16)
    np.testing.assert_array_equal(back.view(np.uint16), every.view(np.uint16))


def test_half_rounds_to_nearest_even_as_numpy_does(tmp_path):
    ties = np.array([1 + 2**-11, 1 + 3 * 2**-11, 2049, 2051, 1e-5, 2**-25, 3 * 2**-25, 0.1], np.float32)
    rounded = np.array([1, 1 + 2**-9, 2048, 2052, 168 * 2**-24, 0, 2**-23, 0.0999755859375], np.float32)
    window = Window(0, 0, 8, 1)
    back = read_bytes(encode(Layers({"R": ties[None]}, True), Frame(window, window), {}), tmp_path)[1]["R"][0]
    np.testing.assert_array_equal(back, rounded)
    np.testing.assert_array_equal(back, ties.astype(np.float16).astype(np.float32))


def test_header(tmp_path, values):
    attributes = {"platekey/version": "0.1.0", "platekey/gain": 0.5, "platekey/tiles": 3}
    spec, _ = read_bytes(encode(layers_of(values), FRAME, attributes), tmp_path)
    assert (spec.x, spec.y, spec.width, spec.height) == (-2, 3, 8, 6)
    assert (spec.full_x, spec.full_y, spec.full_width, spec.full_height) == (0, 0, 20, 10)
    assert spec.getattribute("PixelAspectRatio") == 2.0
    assert spec.getattribute("compression") == "zips"
    assert (spec.tile_width, str(spec.format)) == (0, "half")
    assert {name: spec.getattribute(name) for name in attributes} == attributes


def test_readers_see_the_main_layer_first_and_unnamed(tmp_path, values):
    spec, _ = read_bytes(encode(layers_of(values), FRAME, {}), tmp_path)
    assert spec.channelnames[:4] == ("R", "G", "B", "A")
    assert spec.alpha_channel == 3
    assert set(spec.channelnames) == set(NAMES)
    assert [name for name in spec.channelnames if name.startswith("shadow.")] == list(NAMES[4:8])


def test_bytes_are_the_same_whenever_they_are_written(values):
    first = encode(layers_of(values), FRAME, {"platekey/version": "0.1.0"})
    time.sleep(1.1)  # A date in the header has seconds.
    assert encode(layers_of(values), FRAME, {"platekey/version": "0.1.0"}) == first
    assert b"capDate" not in first


def test_foreign_metadata_travels_from_input_to_output(tmp_path, values):
    import OpenImageIO
    from exr_files import source, write

    pixels = np.dstack([values] * 3)
    attributes = {
        "smpte:TimeCode": (OpenImageIO.TypeTimeCode, (0x01020304, 0)),
        "smpte:KeyCode": (OpenImageIO.TypeKeyCode, (1, 2, 3, 4, 5, 6, 7)),
        "framesPerSecond": (OpenImageIO.TypeRational, (24000, 1001)),
        "worldToCamera": (OpenImageIO.TypeMatrix, tuple(float(number) for number in range(16))),
        "regions": (OpenImageIO.TypeDesc("int[2]"), (3, 4)),
        "views": (OpenImageIO.TypeDesc("string[2]"), ("left", "right")),
        "nuke/node_hash": "abc",
        "DateTime": "2026:01:02 03:04:05",
        "compression": "piz",
        "platekey/version": "0.0.9",
    }
    image = decode(source(write(tmp_path / "a.exr", pixels, attributes=attributes, tile=4)))
    spec, _ = read_bytes(encode(layers_of(values), image.frame, {}), tmp_path)
    for name, attribute in attributes.items():
        wanted = attribute[1] if isinstance(attribute, tuple) else attribute
        if name not in {"compression", "platekey/version"}:
            assert spec.getattribute(name) == wanted, name
    assert spec.getattribute("compression") == "zips"
    assert spec.getattribute("platekey/version") is None
    again = decode(source_of(encode(layers_of(values), image.frame, {})))
    assert again.frame.metadata == image.frame.metadata


@pytest.mark.parametrize("value", [65520.0, -70000.0, np.nan, np.inf])
def test_beyond_half_is_an_error_that_names_the_channel(values, value):
    layers = layers_of(values)
    layers.channels["shadow.G"][2, 3] = value
    with pytest.raises(EngineError) as caught:
        encode(layers, FRAME, {})
    assert caught.value.reason == "VALUE_OUT_OF_RANGE"
    assert caught.value.facts["channel"] == "shadow.G"
    assert ("Float" in caught.value.next_step) is bool(np.isfinite(value))
    if np.isfinite(value):
        float_layers = Layers(layers.channels, half=False)
        assert encode(float_layers, FRAME, {})


def test_the_largest_half_is_no_error(tmp_path, values):
    layers = layers_of(values)
    layers.channels["R"][0, 0], layers.channels["R"][0, 1] = 65504, -65504
    back = read_bytes(encode(layers, FRAME, {}), tmp_path)[1]["R"]
    assert (back[0, 0], back[0, 1]) == (65504, -65504)


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_not_a_number_in_float_is_an_error(values, value):
    layers = layers_of(values, half=False)
    layers.channels["A"][0, 0] = value
    with pytest.raises(EngineError, match="Channel 'A' holds NaN or infinity") as caught:
        encode(layers, FRAME, {})
    assert "File depth" not in caught.value.next_step
