import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import OpenImageIO
import pytest
from exr_files import header, read, source, source_of, truncated, write, write_deep, write_parts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import EngineError
from engine.pipeline.decode import decode, decode_matte, probe
from engine.pipeline.decode.image_file import upright
from engine.settings import Source
from engine.values import Alpha, Frame, Window


@pytest.fixture
def pixels():
    rng = np.random.default_rng(7)
    return (rng.random((24, 40, 4)) * 2 - 0.5).astype(np.float16).astype(np.float32)


def frame_of(width, height, data=None, aspect=1.0, display=None):
    whole = Window(0, 0, width, height)
    return Frame(data or whole, display or whole, aspect)


def reason_of(call, *arguments):
    with pytest.raises(EngineError) as caught:
        call(*arguments)
    assert caught.value.next_step
    return caught.value


@pytest.mark.parametrize("compression", ["none", "rle", "zip", "zips", "piz", "pxr24"])
@pytest.mark.parametrize("depth", ["half", "float"])
def test_lossless_exr_comes_back_bit_by_bit(tmp_path, pixels, compression, depth):
    if (compression, depth) == ("pxr24", "float"):
        pytest.skip("PXR24 rounds float to 24 bits by design")
    path = write(tmp_path / "a.exr", pixels, depth=depth, attributes={"compression": compression})
    image = decode(source(path))
    np.testing.assert_array_equal(image.rgb, pixels[..., :3])
    np.testing.assert_array_equal(image.alpha, pixels[..., 3].clip(0, 1))
    assert image.rgb.dtype == np.float32
    assert image.rgb.flags.c_contiguous
    assert (image.space, image.name, image.nonfinite) == ("lin_rec709", "a.exr", 0)


@pytest.mark.parametrize("compression", ["b44", "b44a", "dwaa", "dwab"])
def test_lossy_exr_is_what_another_reader_sees(tmp_path, pixels, compression):
    path = write(tmp_path / "a.exr", pixels, depth="half", attributes={"compression": compression})
    np.testing.assert_array_equal(decode(source(path)).rgb, read(path)[1][..., :3])


def test_tiled_exr(tmp_path, pixels):
    path = write(tmp_path / "a.exr", pixels, tile=16)
    np.testing.assert_array_equal(decode(source(path)).rgb, pixels[..., :3])


def test_extremes_survive(tmp_path):
    values = np.array([500.0, 40.0, -0.25, 1e-5, 2**-24, 65504.0], np.float32).reshape(1, 2, 3)
    image = decode(source(write(tmp_path / "a.exr", values)))
    np.testing.assert_array_equal(image.rgb, values)


def test_unsigned_integers_keep_their_number_beside_halves(tmp_path, pixels):
    numbers = np.dstack([np.round(pixels[..., :3] * 10).clip(0) + 3, pixels[..., 3]]).astype(np.float32)
    path = write(tmp_path / "a.exr", numbers, depth=["half", "half", "half", "float"])
    np.testing.assert_array_equal(decode(source(path)).rgb, numbers[..., :3])
    whole = np.arange(4 * 5 * 3, dtype=np.uint32).reshape(4, 5, 3)
    path = write(tmp_path / "u.exr", whole, depth="uint")
    np.testing.assert_array_equal(decode(source(path)).rgb, whole.astype(np.float32))


def test_windows_aspect_and_foreign_metadata(tmp_path, pixels):
    path = write(
        tmp_path / "a.exr",
        pixels,
        data=(-3, 5),
        display=(10, 20, 64, 48),
        attributes={
            "PixelAspectRatio": 2.0,
            "compression": "piz",
            "smpte:TimeCode": (OpenImageIO.TypeTimeCode, (0x01020304, 0)),
            "cameraModel": "B",
            "framesPerSecond": (OpenImageIO.TypeRational, (24000, 1001)),
            "chromaticities": (OpenImageIO.TypeDesc("float[8]"), (0.1,) * 8),
            "platekey/version": "0.0.1",
        },
    )
    frame = decode(source(path)).frame
    assert frame.data_window == Window(-3, 5, 40, 24)
    assert frame.display_window == Window(10, 20, 64, 48)
    assert frame.pixel_aspect == 2.0
    kept = {name: value[1] for name, value in frame.metadata.items()}
    assert kept["smpte:TimeCode"] == (0x01020304, 0)
    assert kept["cameraModel"] == "B"
    assert kept["framesPerSecond"] == (24000, 1001)
    assert not kept.keys() & {"compression", "PixelAspectRatio", "chromaticities", "platekey/version"}
    assert not [name for name in kept if name.startswith(("oiio:", "openexr:"))]


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (("r", "g", "b", "a"), (0, 1, 2, 3)),
        (("B", "G", "R", "A"), (2, 1, 0, 3)),
        (("rgba.R", "rgba.G", "rgba.B", "rgba.A"), (0, 1, 2, 3)),
        (("Beauty.Red.r", "Beauty.Red.G", "Beauty.Red.B", "Beauty.Red.A"), (0, 1, 2, 3)),
    ],
)
def test_colours_are_found_by_name(tmp_path, pixels, names, order):
    image = decode(source(write(tmp_path / "a.exr", pixels, channels=names)))
    np.testing.assert_array_equal(image.rgb, pixels[..., order[:3]])
    np.testing.assert_array_equal(image.alpha, pixels[..., order[3]].clip(0, 1))


def test_other_layers_are_ignored(tmp_path, pixels):
    many = np.dstack([pixels[..., :3] + 9, pixels[..., :3], pixels[..., :1]])
    names = ("diffuse.R", "diffuse.G", "diffuse.B", "R", "G", "B", "Z")
    image = decode(source(write(tmp_path / "a.exr", many, channels=names)))
    np.testing.assert_array_equal(image.rgb, pixels[..., :3])
    assert image.alpha is None
    assert image.alpha_state is Alpha.NONE


@pytest.mark.parametrize(
    "names",
    [("Y",), ("R", "G"), ("a.R", "a.G", "a.B", "b.R", "b.G", "b.B"), ("u", "v", "A")],
)
def test_no_colours_lists_what_there_is(tmp_path, names):
    path = write(tmp_path / "depth.exr", np.zeros((4, 4, len(names)), np.float32), channels=names)
    error = reason_of(decode, source(path))
    assert error.reason == "CHANNELS_MISSING"
    assert "depth.exr" in error.message
    assert set(error.facts["channels"].split(", ")) == set(names)


def test_alpha_never_touches_colour(tmp_path):
    values = np.array([[[200, 100, 50, 0], [200, 100, 50, 128]]], np.uint8)
    straight = {"oiio:UnassociatedAlpha": 1}
    for ending in ("png", "tif"):
        image = decode(source(write(tmp_path / f"a.{ending}", values, depth="uint8", attributes=straight)))
        assert image.alpha_state is Alpha.STRAIGHT
        np.testing.assert_allclose(image.rgb, values[..., :3] / 255, atol=1e-6)
        np.testing.assert_allclose(image.alpha, values[..., 3] / 255, atol=1e-6)
    image = decode(source(write(tmp_path / "p.exr", values / np.float32(255))))
    assert image.alpha_state is Alpha.PREMULTIPLIED
    np.testing.assert_array_equal(image.rgb, values[..., :3] / np.float32(255))
    associated = np.array([[[90, 80, 70, 100]]], np.uint8)
    image = decode(source(write(tmp_path / "p.tif", associated, depth="uint8")))
    assert image.alpha_state is Alpha.PREMULTIPLIED
    np.testing.assert_allclose(image.rgb, associated[..., :3] / 255, atol=1e-6)


@pytest.mark.parametrize(
    ("ending", "depth", "tolerance"),
    [
        ("png", "uint8", 1e-6),
        ("png", "uint16", 1e-6),
        ("tif", "uint8", 1e-6),
        ("tif", "uint16", 1e-6),
        ("tif", "half", 0),
        ("tif", "float", 0),
        ("dpx", "uint8", 1e-6),
        ("dpx", "uint16", 1e-6),
        ("jpg", "uint8", 0.02),
    ],
)
def test_stills_become_numbers_from_0_to_1(tmp_path, ending, depth, tolerance):
    ramp = np.linspace(0, 1, 64, dtype=np.float32)
    wanted = np.dstack([np.tile(ramp, (32, 1)), np.tile(ramp[::-1], (32, 1)), np.full((32, 64), 0.5, np.float32)])
    if depth.startswith("uint"):
        top = np.iinfo(depth).max
        stored = np.round(wanted * top).astype(depth)
        wanted = stored / np.float32(top)
    else:
        stored = wanted.astype({"half": np.float16, "float": np.float32}[depth])
        wanted = stored.astype(np.float32)
    image = decode(source(write(tmp_path / f"a.{ending}", stored, depth=depth, attributes={"Compression": "zip"})))
    np.testing.assert_allclose(image.rgb, wanted, atol=tolerance)
    assert image.frame.data_window == image.frame.display_window == Window(0, 0, 64, 32)


def test_ten_bit_dpx(tmp_path):
    codes = np.arange(1024, dtype=np.float32).reshape(32, 32, 1).repeat(3, 2)
    path = write(tmp_path / "a.dpx", codes / 1023, depth="uint16", attributes={"oiio:BitsPerSample": 10})
    np.testing.assert_allclose(decode(source(path)).rgb * 1023, codes, atol=0.02)


def test_a_still_without_colour_space_is_refused(tmp_path, pixels):
    error = reason_of(decode, source(write(tmp_path / "a.exr", pixels), space=""))
    assert error.reason == "BAD_REQUEST"


def test_the_bytes_say_the_format_not_the_name(tmp_path, pixels):
    data = write(tmp_path / "a.exr", pixels).read_bytes()
    np.testing.assert_array_equal(decode(source_of(data, "shot.png")).rgb, pixels[..., :3])
    assert reason_of(decode, source_of(b"x" * 64, "black.null")).reason == "IMAGE_UNREADABLE"


def test_photographs_lie_upright(tmp_path):
    stored = np.zeros((16, 32, 3), np.uint8)
    stored[:8, :8] = 255
    path = write(tmp_path / "a.jpg", stored, depth="uint8", attributes={"Orientation": 6})
    image = decode(source(path))
    assert image.rgb.shape == (32, 16, 3)
    assert image.frame.display_window.size == (32, 16)
    assert image.rgb[:8, 8:].min() > 0.9
    assert "Orientation" not in image.frame.metadata


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_agrees_with_openimageio(orientation):
    rng = np.random.default_rng(orientation)
    stored = rng.random((3, 5, 2), np.float32)
    buffer = OpenImageIO.ImageBuf(header(stored, channels=("x", "y")))
    buffer.set_pixels(OpenImageIO.ROI(), stored)
    buffer.orientation = orientation
    wanted = OpenImageIO.ImageBufAlgo.reorient(buffer).get_pixels("float")
    np.testing.assert_array_equal(upright(stored, orientation), wanted)


def test_nan_and_infinity_are_replaced_where_they_stand(tmp_path):
    values = np.full((3, 3, 4), 0.5, np.float32)
    values[0, 0, 0] = np.nan
    values[1, 1, 1] = np.inf
    values[2, 2, 2] = -np.inf
    values[0, 2, 3] = np.nan
    image = decode(source(write(tmp_path / "a.exr", values)))
    wanted = np.full((3, 3, 3), 0.5, np.float32)
    wanted[0, 0, 0], wanted[1, 1, 1], wanted[2, 2, 2] = 0, 65504, -65504
    np.testing.assert_array_equal(image.rgb, wanted)
    assert image.alpha[0, 2] == 0
    assert image.nonfinite == 4


@pytest.mark.parametrize("compression", ["none", "rle", "zip", "zips", "piz", "pxr24", "b44", "dwaa"])
@pytest.mark.parametrize("share", [0.3, 0.95, 0.999])
def test_a_truncated_exr_is_never_black(tmp_path, pixels, compression, share):
    path = write(tmp_path / "a.exr", pixels, attributes={"compression": compression})
    error = reason_of(decode, truncated(source(path), share))
    assert error.reason == "IMAGE_UNREADABLE"
    assert "a.exr" in error.message
    assert str(tmp_path) not in error.message
    assert tempfile.gettempdir() not in error.message


@pytest.mark.parametrize(
    ("ending", "depth"), [("exr", "float"), ("png", "uint8"), ("tif", "uint16"), ("dpx", "uint16")]
)
@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_truncated_stills(tmp_path, ending, depth, share):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(depth.replace("float", "float32"))
    path = write(tmp_path / f"a.{ending}", noise, depth=depth, tile=16 if ending == "exr" else 0)
    assert reason_of(decode, truncated(source(path), share)).reason == "IMAGE_UNREADABLE"


def test_a_truncated_jpeg_is_not_filled_with_grey(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    path = write(tmp_path / "a.jpg", noise, depth="uint8")
    assert reason_of(decode, truncated(source(path), 0.8)).reason == "IMAGE_UNREADABLE"


@pytest.mark.parametrize("data", [b"", b"\x76\x2f\x31\x01", b"not an image at all", b"\x89PNG\r\n\x1a\n"])
def test_no_image(data):
    assert reason_of(decode, source_of(data)).reason == "IMAGE_UNREADABLE"
    assert reason_of(probe, source_of(data)).reason == "IMAGE_UNREADABLE"


def test_a_header_that_asks_for_too_much(tmp_path):
    data = write(tmp_path / "a.exr", np.zeros((4, 4, 3), np.float32)).read_bytes()
    small, huge = (np.array([0, 0, n, n], "<i4").tobytes() for n in (3, 59999))
    error = reason_of(decode, source_of(data.replace(small, huge)))
    assert error.reason in {"LIMIT_EXCEEDED", "IMAGE_UNREADABLE"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10_000), value=st.integers(0, 255))
def test_a_damaged_byte_is_an_image_or_an_error(tmp_path, place, value):
    path = tmp_path / "a.exr"
    if not path.exists():
        write(path, np.random.default_rng(0).random((16, 16, 3), np.float32), attributes={"compression": "zip"})
    data = bytearray(path.read_bytes())
    data[place % len(data)] = value
    with suppress(EngineError):
        image = decode(source_of(bytes(data)))
        assert image.rgb.shape[:2] == image.frame.data_window.size
        assert np.isfinite(image.rgb).all()


def test_a_header_in_latin_1_loses_that_entry_only(tmp_path, pixels):
    attributes = {"cameraModel": "Camera", "cameraOwner": "Studio"}
    data = write(tmp_path / "a.exr", pixels, attributes=attributes).read_bytes()
    image = decode(source_of(data.replace(b"Camera", b"Cam\xe9ra")))
    assert "cameraModel" not in image.frame.metadata
    assert image.frame.metadata["cameraOwner"][1] == "Studio"


def test_a_channel_without_a_readable_name(tmp_path, pixels):
    data = write(tmp_path / "a.exr", pixels, channels=("R", "G", "x", "deform")).read_bytes()
    error = reason_of(decode, source_of(data.replace(b"deform", b"d\xe9form")))
    assert error.facts["channels"] == "R, G, d?form, x"


def test_parts_are_taken_by_name(tmp_path):
    parts = {name: np.full((4, 4, 3), value, np.float32) for name, value in (("left", 0.25), ("right", 0.5))}
    path = write_parts(tmp_path / "stereo.exr", parts)
    assert decode(source(path, part="right")).rgb.max() == 0.5
    for part in ("", "middle"):
        error = reason_of(decode, source(path, part=part))
        assert error.reason == "PART_UNSUPPORTED"
        assert error.facts["parts"] == "'left', 'right'"


def test_deep_is_refused(tmp_path):
    deep = source(write_deep(tmp_path / "deep.exr"))
    assert reason_of(decode, deep).reason == "PART_UNSUPPORTED"
    assert probe(deep).parts[0].deep


def test_probe_reads_headers_of_all_parts(tmp_path, pixels):
    parts = dict.fromkeys(("left", "right"), pixels[..., :3])
    found = probe(source(write_parts(tmp_path / "stereo.exr", parts)))
    assert found.format == "openexr"
    assert [part.name for part in found.parts] == ["left", "right"]
    path = write(tmp_path / "a.exr", pixels, depth="half", data=(2, 3), display=(0, 0, 50, 60))
    (part,) = probe(source(path)).parts
    assert part.channels == ("R", "G", "B", "A")
    assert (part.data_window, part.display_window) == (Window(2, 3, 40, 24), Window(0, 0, 50, 60))
    assert (part.pixel_aspect, part.depth, part.deep, part.name) == (1.0, "half", False, "")
    assert probe(truncated(source(path), 0.9)).parts == (part,)


def test_nothing_is_left_in_the_temporary_folder(tmp_path, pixels, monkeypatch):
    whole = source(write(tmp_path / "a.exr", pixels))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    decode(whole)
    reason_of(decode, truncated(whole, 0.9))
    assert not list(scratch.iterdir())


def test_matte_is_alpha_else_the_first_channel_clipped(tmp_path):
    values = np.array([[[0.1, 2.0], [0.2, np.nan], [0.3, -1.0], [0.4, 0.25]]], np.float32)
    frame = frame_of(4, 1)
    both = write(tmp_path / "a.exr", values, channels=("Y", "A"))
    np.testing.assert_array_equal(decode_matte(source(both, space=""), frame), [[1.0, 0.0, 0.0, 0.25]])
    one = write(tmp_path / "b.exr", values[..., :1], channels=("roto.mask",))
    np.testing.assert_array_equal(decode_matte(source(one), frame), values[..., 0])


@pytest.mark.parametrize("frame_data", [Window(0, 0, 12, 9), Window(-2, -3, 20, 20), Window(4, 4, 3, 2)])
@pytest.mark.parametrize("at", [(0, 0), (3, 2), (-5, 7), (40, 40)])
def test_matte_lies_by_its_windows(tmp_path, frame_data, at):
    """Second formulation: pixel by pixel, in display coordinates."""
    values = np.random.default_rng(3).random((5, 6, 1), np.float32)
    path = write(tmp_path / "m.exr", values, channels=("A",), data=(at[0] + 100, at[1] + 50), display=(100, 50, 12, 9))
    placed = decode_matte(source(path), frame_of(12, 9, frame_data))
    wanted = np.zeros(frame_data.size, np.float32)
    for row, column in np.ndindex(wanted.shape):
        y, x = row + frame_data.y - at[1], column + frame_data.x - at[0]
        if 0 <= y < 5 and 0 <= x < 6:
            wanted[row, column] = values[y, x, 0]
    np.testing.assert_array_equal(placed, wanted)


def test_matte_of_another_format(tmp_path):
    values = np.ones((4, 6, 1), np.float32)
    path = write(tmp_path / "m.exr", values, channels=("A",))
    error = reason_of(decode_matte, source(path), frame_of(7, 4))
    assert error.reason == "SIZE_MISMATCH"
    assert "6 x 4" in error.message
    assert "7 x 4" in error.message
    assert reason_of(decode_matte, source(path), frame_of(6, 4, aspect=2.0)).reason == "SIZE_MISMATCH"


def test_a_png_matte_fits_an_anamorphic_frame(tmp_path):
    path = write(tmp_path / "m.png", np.full((4, 6, 1), 255, np.uint8), depth="uint8", channels=("Y",))
    assert decode_matte(source(path), frame_of(6, 4, aspect=2.0)).min() == 1.0


@pytest.mark.samples
def test_sample_photographs():
    photograph = Path(__file__).parents[3] / "shared" / "samples" / "0001_img.png"
    if not photograph.exists():
        pytest.skip("the sample photographs are not here")
    image = decode(source(photograph, space="srgb_tx"))
    assert image.rgb.shape[2] == 3
    assert 0.05 < image.rgb.mean() < 0.95


def test_source_is_plain_bytes():
    assert reason_of(decode, Source("a.exr", "", b"", "lin")).facts["bytes"] == "0"
