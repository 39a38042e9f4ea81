import gc
import io
import os
import subprocess
import sys
import weakref
import zipfile
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from engine.errors import EngineError
from engine.pipeline.colour import (
    check_linear,
    exposure_anchor,
    from_acescg,
    load_config,
    to_acescg,
    to_space,
)
from engine.settings import Source
from engine.values import Alpha, Frame, Image, Window

STUDIO = "ocio://studio-config-v2.2.0_aces-v1.3_ocio-v2.4"
EXTREMES = np.array([[[500.0, -0.25, 1e-5], [0.0, 40.0, 65504.0], [1.0, 0.18, -3.0]]], np.float32)

REC709_TO_AP1 = np.array(
    [
        [0.6130974024, 0.3395231462, 0.0473794514],
        [0.0701937225, 0.9163538791, 0.0134523985],
        [0.0206155929, 0.1095697729, 0.8698146342],
    ]
)
"""Bradford-adapted, from the primaries; published by the Academy's ACES 1.3 reference and by colour-science."""

CONFIG = """ocio_profile_version: 2
environment: {SHOT: a}
search_path: luts
strictparsing: true
roles: {default: raw, scene_linear: lin}
displays:
  screen:
    - !<View> {name: Raw, colorspace: raw}
colorspaces:
  - !<ColorSpace> {name: raw, isdata: true}
  - !<ColorSpace> {name: lin}
  - !<ColorSpace>
    name: graded
    to_scene_reference: !<FileTransform> {src: "$SHOT.spi1d", interpolation: linear}
"""


def lut(end):
    return f"Version 1\nFrom 0.0 1.0\nLength 2\nComponents 1\n{{\n0.0\n{end}\n}}\n"


def file_of(data, name="config.ocio"):
    data = data if isinstance(data, bytes) else data.encode()
    return Source(name, sha256(data).hexdigest(), data)


def archive_of(files, name="show.ocioz"):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return file_of(packed.getvalue(), name)


def image_of(rgb, space, alpha=None, state=Alpha.NONE):
    rgb = np.asarray(rgb, np.float32)
    window = Window(0, 0, rgb.shape[1], rgb.shape[0])
    return Image(rgb, space, alpha, state, Frame(window, window), 0, "frame.1001.exr")


def grey(value, space):
    return image_of(np.full((1, 1, 3), value), space)


@pytest.fixture
def studio():
    return load_config(STUDIO)


def reason_of(call, *arguments):
    with pytest.raises(EngineError) as caught:
        call(*arguments)
    return caught.value


def test_a_config_is_loaded_once_by_its_content(studio):
    assert load_config(STUDIO) is studio
    text = studio.ocio.serialize()
    assert load_config(file_of(text, "a.ocio")) is load_config(file_of(text, "b.ocio"))
    assert load_config(file_of(text + "\n#")) is not load_config(file_of(text))


def test_old_configs_let_go_of_their_files():
    """An archive's files are up to 1 GiB; two are kept."""
    kept = []
    for end in range(5):
        config = load_config(archive_of({"config.ocio": CONFIG, "luts/a.spi1d": lut(end)}))
        assert to_space(grey(0.5, "graded"), config, "lin").rgb.max() == end / 2
        kept.append(weakref.ref(config.files))
        del config
    gc.collect()
    assert [files() is None for files in kept] == [True, True, True, False, False]


@pytest.mark.parametrize("uri", ["ocio://nope", "/etc/config.ocio", "config.ocio", "", "platekey://other"])
def test_only_built_in_names_are_taken_by_name(uri):
    error = reason_of(load_config, uri)
    assert error.reason == "COLOR_UNKNOWN"
    assert "platekey://studio" in error.next_step


@pytest.mark.parametrize(
    "source",
    [
        file_of("colorspaces: ["),
        file_of(b"\xff\xfe\x00"),
        file_of(b""),
        file_of(b"PK\x03\x04broken"),
        archive_of({"readme.txt": "no config"}),
    ],
)
def test_a_broken_config_names_its_file(source):
    error = reason_of(load_config, source)
    assert error.reason == "COLOR_UNKNOWN"
    assert source.name in error.message


def test_luts_come_from_the_archive():
    config = load_config(archive_of({"config.ocio": CONFIG, "luts/a.spi1d": lut(0.5)}))
    assert to_space(grey(0.5, "graded"), config, "lin").rgb.max() == 0.25
    backslashes = load_config(archive_of({"config.ocio": CONFIG, "luts\\a.spi1d": lut(0.25)}))
    assert to_space(grey(0.5, "graded"), backslashes, "lin").rgb.max() == 0.125


def test_an_edited_lut_is_not_the_old_one():
    """OpenColorIO keeps LUTs by path for the life of the process: same path, other content."""
    for end in (0.5, 0.75):
        config = load_config(archive_of({"config.ocio": CONFIG, "luts/a.spi1d": lut(end)}))
        assert to_space(grey(0.5, "graded"), config, "lin").rgb.max() == end / 2
    missing = load_config(archive_of({"config.ocio": CONFIG}))
    assert reason_of(to_space, grey(0.5, "graded"), missing, "lin").reason == "COLOR_UNKNOWN"


@pytest.mark.parametrize("absolute", [True, False])
def test_luts_on_this_machine_are_out_of_reach(tmp_path, monkeypatch, absolute):
    (tmp_path / "luts").mkdir()
    for path in (tmp_path / "luts" / "a.spi1d", tmp_path / "a.spi1d"):
        path.write_text(lut(0.5))
    monkeypatch.chdir(tmp_path)
    text = CONFIG.replace("$SHOT.spi1d", (tmp_path / "a.spi1d").as_posix() if absolute else "a.spi1d")
    error = reason_of(to_space, grey(0.5, "graded"), load_config(file_of(text)), "lin")
    assert error.reason == "COLOR_UNKNOWN"
    assert ".ocioz" in error.next_step


SEALED = """
import sys, numpy as np
sys.path[:0] = ["tests/unit"]
from test_colour import CONFIG, archive_of, grey, image_of, lut
from engine.pipeline.colour import load_config, to_space
config = load_config(archive_of({"config.ocio": CONFIG, "luts/a.spi1d": lut(0.5), "luts/b.spi1d": lut(0.75)}))
print(to_space(grey(0.5, "graded"), config, "lin").rgb.tolist())
ramp = np.linspace(0, 1, 300).reshape(10, 10, 3)
print(to_space(image_of(ramp, "ACEScct"), load_config("platekey://studio"), "lin_srgb").rgb.tobytes().hex())
"""


@pytest.mark.parametrize(
    "environment",
    [
        {"OCIO": "/nowhere/config.ocio", "SHOT": "b"},
        {"OCIO": "ocio://cg-config-v1.0.0_aces-v1.3_ocio-v2.1", "OCIO_INACTIVE_COLORSPACES": "ACEScct"},
        {"OCIO_OPTIMIZATION_FLAGS": "0"},
        {"OCIO_OPTIMIZATION_FLAGS": "malformed"},
    ],
)
def test_the_environment_changes_nothing(environment):
    def run(extra):
        root = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
        cleared = {name: value for name, value in os.environ.items() if not name.startswith("OCIO")}
        command = [sys.executable, "-c", SEALED]
        done = subprocess.run(command, cwd=root, env=cleared | extra, capture_output=True, text=True, check=True)
        return done.stdout

    assert run(environment) == run({})


def test_unknown_space_suggests_close_ones(studio):
    error = reason_of(to_space, grey(1, "ACES cg"), studio, "lin_srgb")
    assert error.reason == "COLOR_UNKNOWN"
    assert "frame.1001.exr" in error.message
    assert "'ACEScg'" in error.next_step
    assert "Use one" in reason_of(check_linear, studio, "zzzzzzzzzzzzzzzz").next_step
    assert reason_of(check_linear, studio, "").reason == "COLOR_UNKNOWN"


@pytest.mark.parametrize(
    "space", ["ACEScg", "acescg", "scene_linear", "lin_srgb", "Linear Rec.2020", "aces_interchange"]
)
def test_scene_linear_spaces_by_name_alias_and_role(studio, space):
    check_linear(studio, space)


@pytest.mark.parametrize(
    "space", ["ACEScct", "srgb_tx", "compositing_log", "sRGB - Display", "Raw", "data", "ARRI LogC4"]
)
def test_other_spaces_are_refused_for_output(studio, space):
    assert reason_of(check_linear, studio, space).reason == "COLOR_NOT_LINEAR"


def test_display_linear_is_not_scene_linear(studio):
    assert reason_of(check_linear, studio, "CIE XYZ-D65 - Display-referred").reason == "COLOR_NOT_LINEAR"


@pytest.mark.parametrize("pair", [("ACEScg", "scene_linear"), ("lin_srgb", "Linear Rec.709 (sRGB)"), ("ACEScct",) * 2])
def test_the_same_space_gives_the_same_pixels(studio, pair):
    image = image_of(EXTREMES, pair[0])
    converted = to_space(image, studio, pair[1])
    assert converted.rgb is image.rgb
    assert converted.space == pair[1]


def test_linear_conversion_is_the_matrix_and_clamps_nothing(studio):
    image = image_of(EXTREMES, "lin_srgb")
    kept = image.rgb.copy()
    converted = to_space(image, studio, "ACEScg")
    wanted = EXTREMES.astype(np.float64) @ REC709_TO_AP1.T
    np.testing.assert_allclose(converted.rgb, wanted, rtol=2e-6, atol=2e-6 * 500)
    assert converted.rgb.dtype == np.float32
    np.testing.assert_array_equal(image.rgb, kept)
    back = to_space(converted, studio, "lin_srgb").rgb
    np.testing.assert_allclose(back, EXTREMES, rtol=0, atol=1e-6 * np.abs(EXTREMES).max(-1, keepdims=True).max())


def test_neutrals_stay_neutral_to_float_precision(studio):
    for value in (500.0, -0.25, 1e-5):
        converted = to_space(grey(value, "lin_srgb"), studio, "ACEScg").rgb
        np.testing.assert_allclose(converted, value, rtol=3e-7)


def test_srgb_stills_are_linearised_exactly(studio):
    codes = np.linspace(0, 1, 256 * 3).reshape(1, 256, 3)
    linear = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    np.testing.assert_allclose(to_space(image_of(codes, "srgb_tx"), studio, "lin_srgb").rgb, linear, atol=1e-6)


def test_alpha_states(studio):
    alpha = np.array([[0.0, 0.5, 1.0]], np.float32)
    straight = np.full((1, 3, 3), 0.5, np.float32)
    wanted = to_space(image_of(straight, "srgb_tx"), studio, "lin_srgb").rgb
    as_straight = to_space(image_of(straight, "srgb_tx", alpha, Alpha.STRAIGHT), studio, "lin_srgb")
    np.testing.assert_array_equal(as_straight.rgb, wanted)
    premultiplied = np.where(alpha[..., None] > 0, straight * alpha[..., None], straight)
    converted = to_space(image_of(premultiplied, "srgb_tx", alpha, Alpha.PREMULTIPLIED), studio, "lin_srgb").rgb
    np.testing.assert_allclose(converted[0, 1], wanted[0, 1] * 0.5, rtol=1e-6)
    np.testing.assert_array_equal(converted[0, [0, 2]], wanted[0, [0, 2]])
    linear = image_of(premultiplied, "ACEScg", alpha, Alpha.PREMULTIPLIED)
    direct = to_space(image_of(premultiplied, "ACEScg"), studio, "lin_srgb").rgb
    np.testing.assert_array_equal(to_space(linear, studio, "lin_srgb").rgb, direct)


def test_colours_out_of_float_are_an_error(studio):
    assert reason_of(to_space, grey(1e4, "ACEScct"), studio, "ACEScg").reason == "VALUE_OUT_OF_RANGE"


def test_data_has_no_colours(studio):
    assert reason_of(to_space, grey(1, "Raw"), studio, "ACEScg").reason == "COLOR_UNKNOWN"


@pytest.mark.parametrize("space", ["lin_srgb", "scene_linear", "Linear ARRI Wide Gamut 4", "ACES2065-1"])
def test_to_acescg_and_back(studio, space):
    config_of_their_own = load_config(file_of(studio.ocio.serialize()))
    there = to_acescg(EXTREMES, config_of_their_own, space)
    np.testing.assert_allclose(there, to_space(image_of(EXTREMES, space), studio, "ACEScg").rgb, rtol=2e-6, atol=1e-3)
    back = from_acescg(there, config_of_their_own, space)
    np.testing.assert_allclose(back, EXTREMES, rtol=0, atol=1e-6 * 65504)
    assert from_acescg(EXTREMES, studio, "ACEScg") is EXTREMES


def test_a_config_without_a_known_space_says_what_it_lacks():
    config = load_config(archive_of({"config.ocio": CONFIG, "luts/a.spi1d": lut(0.5)}))
    error = reason_of(to_acescg, EXTREMES, config, "lin")
    assert error.reason == "COLOR_UNKNOWN"
    assert "aces_interchange" in error.next_step


def test_a_config_without_the_role_is_recognised_by_its_spaces(studio):
    older = load_config("ocio://studio-config-v1.0.0_aces-v1.3_ocio-v2.1").ocio.serialize()
    without = "\n".join(line for line in older.splitlines() if "aces_interchange:" not in line)
    config = load_config(file_of(without))
    assert not config.ocio.hasRole("aces_interchange")
    np.testing.assert_allclose(
        to_acescg(EXTREMES, config, "lin_srgb"), to_acescg(EXTREMES, studio, "lin_srgb"), rtol=1e-5
    )


@pytest.fixture
def plate():
    return np.random.default_rng(9).lognormal(-2, 1.5, (40, 50, 3)).astype(np.float32)


EVERYWHERE = np.ones((40, 50), bool)


def test_anchor_brings_a_grey_wall_to_mid_grey():
    assert exposure_anchor(np.full((40, 50, 3), 0.045, np.float32), EVERYWHERE) == pytest.approx(4.0, rel=1e-6)


def test_anchor_is_the_log_average(plate):
    luminance = plate.astype(np.float64) @ [0.2722287168, 0.6740817658, 0.0536895174]
    geometric_mean = np.prod(luminance.ravel() ** (1 / luminance.size))
    assert exposure_anchor(plate, EVERYWHERE) == pytest.approx(0.18 / geometric_mean, rel=1e-6)


@pytest.mark.parametrize("factor", [0.25, 1 / 3, 8.0])
def test_anchor_follows_exposure(plate, factor):
    scaled = exposure_anchor(plate * np.float32(factor), EVERYWHERE)
    assert scaled * factor == pytest.approx(exposure_anchor(plate, EVERYWHERE), rel=1e-5)


@pytest.mark.parametrize("dirt", [0.0, -0.25, 1e-9])
def test_anchor_ignores_borders_and_invalid_pixels(plate, dirt):
    clean = exposure_anchor(plate, EVERYWHERE)
    dirty = np.vstack([plate, np.full((30, 50, 3), dirt, np.float32)])
    assert exposure_anchor(dirty, np.ones((70, 50), bool)) == pytest.approx(clean, rel=1e-6)
    dirty[40:] = 500
    assert exposure_anchor(dirty, np.arange(70)[:, None].repeat(50, 1) < 40) == pytest.approx(clean, rel=1e-6)


def test_anchor_has_an_end():
    assert exposure_anchor(np.full((40, 50, 3), 1e-7, np.float32), EVERYWHERE) == 2.0**8
    assert exposure_anchor(np.full((40, 50, 3), 1e5, np.float32), EVERYWHERE) == 2.0**-8
    assert exposure_anchor(np.zeros((40, 50, 3), np.float32), EVERYWHERE) == 1.0
    assert exposure_anchor(np.ones((40, 50, 3), np.float32), ~EVERYWHERE) == 1.0


def test_a_converted_image_keeps_the_rest(studio):
    alpha = np.ones((1, 3), np.float32)
    image = replace(image_of(EXTREMES, "lin_srgb", alpha, Alpha.STRAIGHT), nonfinite=3)
    converted = to_space(image, studio, "ACEScg")
    assert converted == replace(image, rgb=converted.rgb, space="ACEScg")
