"""The Fuse by itself: what it registers, what it exports, what it refuses. No side-car answers here."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import PyOpenColorIO
import pytest
from exr_files import read
from fake_fusion import FUSE, Comp, Picture
from lupa import luajit21

import host_bridge
from host_bridge.knobs import knob_specs, layer_names

ROOT = Path(__file__).resolve().parents[2]
SIZE = (5, 7)
NO_SIDE_CAR = "This machine has the node but not PlateKey itself"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PLATEKEY_HOME", str(tmp_path / "hö me"))
    monkeypatch.delenv("PLATEKEY_SIDE_CAR", raising=False)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # where no `platekey` is
    return tmp_path / "hö me"


def image(seed=0, size=SIZE):
    values = np.random.default_rng(seed).normal(0.3, 5.0, (*size, 4)).astype(np.float32)
    values[0, 0] = (40.0, -0.25, 1e-8, 0.0)
    return values


def comp(**variant):
    """A node whose clean plate is frame 5 of its footage."""
    made = Comp(variant=variant).connect("Frame", {float(time): image(time) for time in range(3, 13)})
    return made.set(Space=1, PlateFrame=5)


def exported(home):
    """The files of the last request, by name."""
    return {path.name: path for path in sorted((home / "exchange").glob("*/*"))}


def frames(home):
    """Names of the exported frames."""
    return [name for name in exported(home) if name.startswith("frame")]


def test_the_committed_fuse_is_what_its_sections_say():
    check = [sys.executable, "packaging/build_fuse.py", "--check"]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_it_is_registered_under_a_name_that_comps_can_be_reopened_with():
    name, attributes = Comp().registration()
    assert name == "PlateKey"
    assert attributes["REGS_Category"] == "Matte"
    major, minor, patch = (int(part) for part in host_bridge.__version__.split("."))
    assert attributes["REG_Version"] == major * 10_000 + minor * 100 + patch
    assert host_bridge.__version__ in FUSE.read_text(encoding="utf-8")


@pytest.mark.parametrize("spec", knob_specs(), ids=lambda spec: spec.name)
def test_a_knob_is_drawn_as_it_is_declared(spec):
    label, attributes = Comp().controls()["".join(word.capitalize() for word in spec.name.split("_"))]
    assert label == (f"{spec.label} ({spec.unit})" if spec.unit else spec.label)
    assert attributes["INPS_StatusText"] == spec.help
    if spec.choices:
        labels = [attributes[place]["CCS_AddString"] for place in range(1, len(spec.choices) + 1)]
        assert labels == [choice.label for choice in spec.choices]
        assert spec.choices[int(attributes["INP_Default"])].name == spec.initial
    elif spec.kind == "text":
        assert attributes["INPS_DefaultText"] == spec.initial
    else:
        assert attributes["INP_Default"] == spec.initial
        assert (attributes["INP_MinAllowed"], attributes["INP_MaxAllowed"]) == (spec.low, spec.high)
        assert bool(attributes.get("INP_Integer")) == (spec.kind == "whole")


def menu(node, name):
    _, attributes = node.controls()[name]
    return [attributes[place]["CCS_AddString"] for place in sorted(key for key in attributes if isinstance(key, int))]


def test_the_offered_spaces_are_scene_linear_spaces_of_the_shipped_configuration():
    config = PyOpenColorIO.Config.CreateFromFile(str(ROOT / "ocio_configs" / "platekey_v1.ocio"))
    _, *spaces, _ = menu(Comp(), "Space")
    assert len(spaces) > 3
    assert {config.getColorSpace(name).getEncoding() for name in spaces} == {"scene-linear"}


def test_every_layer_has_an_output():
    text = FUSE.read_text(encoding="utf-8")
    assert all(f'layer = "{name}"' in text for name in layer_names())
    assert len(menu(Comp(), "Show")) == len(layer_names()) + 2


def json_section(function):
    """A function of Lua's that uses the Fuse's JSON."""
    section = (FUSE.parent / "fuse" / "json.lua").read_text(encoding="utf-8")
    return luajit21.LuaRuntime().execute(f"local json = (function() {section} end)() return {function}")


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, 2.5, -3e10, True, False], "b": {"c": "x", "leer": ""}, "ü": 'quote " back \\ / \n\t\x01'},
        {"smiley": "\U0001f600", "euro": "€", "ä": "ä", "low": "\x7f"},
        {"third": 1 / 3, "big": 2**53, "small": 5e-324},
        {"list": [["deep"], [1]]},
    ],
)
def test_json_says_what_pythons_says(value):
    lua = luajit21.LuaRuntime()
    section = (FUSE.parent / "fuse" / "json.lua").read_text(encoding="utf-8")
    again = lua.execute(
        f"local json = (function() {section} end)() return function(t) return json.encode(json.decode(t)) end"
    )
    assert json.loads(again(json.dumps(value))) == value
    assert json.loads(again(json.dumps(value, ensure_ascii=False))) == value


@pytest.mark.parametrize(
    "text", ["", "{", '{"a" 1}', '{"a": }', "[1,]", '"open', '"\\x"', '"\\ud800"', "nul", "{} {}", "1.2.3"]
)
def test_what_is_no_json_is_an_error(text):
    lua = luajit21.LuaRuntime()
    section = (FUSE.parent / "fuse" / "json.lua").read_text(encoding="utf-8")
    decode = lua.execute(
        f"local json = (function() {section} end)() return function(t) return pcall(json.decode, t) end"
    )
    fine, why = decode(text)
    assert not fine
    assert why.startswith("no JSON")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Space": 0}, "its working space is not chosen. Choose the space"),
        ({"Space": 7}, "its working space is not chosen."),
        ({"PlateFrame": -99999}, "there is no clean plate. Connect one, or go to a frame without the subject"),
        ({"PlateFrame": 400}, "the clean plate's frame 400 is outside the clip. Go to a frame without the subject"),
    ],
)
def test_a_control_that_is_missing_or_wrong_is_one_sentence(change, words):
    seen = comp().set(**change).render(10.0)
    assert seen.pixels is None
    assert len(seen.console) == 1
    assert seen.console[0].startswith(f"PlateKey1: {words}")
    assert seen.status == seen.console[0]


@pytest.mark.parametrize(
    ("name", "footage", "words"),
    [
        ("Frame", {}, "nothing arrives at the input 'Frame'."),
        ("CleanPlate", {}, "nothing arrives at the input 'clean plate'."),
        ("Hint", {}, "nothing arrives at the input 'hint'."),
        (
            "CleanPlate",
            {10.0: image(size=(4, 7))},
            "the clean plate is 7x4, the frame is 7x5. Reformat the clean plate",
        ),
        ("Garbage", {10.0: image(size=(5, 9))}, "the garbage matte is 9x5, the frame is 7x5."),
        ("Core", {10.0: np.zeros((6, 7), np.float32)}, "the core matte is 7x6, the frame is 7x5."),
    ],
)
def test_an_input_without_a_picture_or_of_another_format_is_one_sentence(name, footage, words):
    seen = comp().connect(name, footage).render(10.0)
    assert seen.pixels is None
    assert seen.status.startswith(f"PlateKey1: {words}")


def test_an_unconnected_frame_is_one_sentence_and_leaves_no_folder(home):
    seen = Comp().set(Space=1).render(1.0)
    assert seen.pixels is None
    assert "nothing arrives at the input 'Frame'" in seen.status
    assert not home.exists()


def test_without_ffi_the_node_says_so():
    assert "gives Fuses no ffi" in comp(without_ffi=True).render(10.0).status


def test_a_folder_that_takes_no_files_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    seen = comp().set(ExchangeFolder=str(tmp_path / "file" / "exchange")).render(10.0)
    assert "exchange cannot be made: Not a directory. Choose another exchange folder" in seen.status


def test_without_a_side_car_the_node_says_what_to_install_and_keeps_no_files(home):
    seen = comp().render(10.0)
    assert seen.pixels is None
    assert NO_SIDE_CAR in seen.status
    assert exported(home) == {}


def test_size_and_place_are_told_without_pixels():
    assert comp().measure(10.0) == (7, 5)
    assert Comp().measure(10.0) is None


@pytest.mark.parametrize("writes", [True, False, "flipped", "half", "fails"])
@pytest.mark.parametrize("exrio", ["index", "image"])
def test_pixels_are_exported_bit_for_bit_however_this_fusion_writes(home, exrio, writes):
    node = comp(exrio=exrio, writes=writes, keeps_files=True).set(Writer=1)
    node.render(10.0)
    spec, pixels = read(exported(home)["frame.0010.exr"])
    assert np.array_equal(pixels, image(10))
    assert spec.channelnames == ("R", "G", "B", "A")
    assert str(spec.format) == "float"
    assert np.array_equal(read(exported(home)["plate.exr"])[1], image(5))
    assert ("frame.0010.exr" in node.host.written) == (writes is True)


def test_unasked_exrio_writes_nothing_and_the_same_picture_gives_the_same_bytes(home):
    node = comp(keeps_files=True)
    node.render(10.0)
    node.render(10.0)
    first, second = (path.read_bytes() for path in sorted((home / "exchange").glob("*/frame.0010.exr")))
    assert first == second
    assert node.host.written == []


def test_a_fusion_that_reads_no_exr_is_told_from_one_that_does(home):
    assert "lets no Fuse read EXR files" in comp(exrio="none").render(10.0).status


@pytest.mark.parametrize("writer", [0, 1])
def test_windows_aspect_and_mattes_are_kept(home, writer):
    node = comp(keeps_files=True).set(Writer=writer)
    small = Picture(image(10), aspect=2.0, window=(2, 1, 6, 4))
    node.connect("Frame", lambda time: small if time == 10 else Picture(image(5), aspect=2.0))
    node.connect("Garbage", {10.0: image(3)}).connect("Core", {10.0: image(4)[..., 3]})
    node.render(10.0)
    spec, pixels = read(exported(home)["frame.0010.exr"])
    assert np.array_equal(pixels[1:4, 2:6], image(10)[1:4, 2:6])
    assert not pixels[0].any()
    assert not pixels[:, 6].any()
    assert spec.getattribute("PixelAspectRatio") == 2.0
    for name, matte in (("garbage.exr", image(3)), ("core.exr", image(4))):
        spec, pixels = read(exported(home)[name])
        assert spec.channelnames == ("A",)
        assert np.array_equal(pixels[..., 0], matte[..., 3])


@pytest.mark.parametrize(
    ("time", "window", "numbers"),
    [(10.0, 2, range(8, 13)), (4.0, 3, range(3, 8)), (12.0, 1, (11, 12)), (10.0, 0, (10,)), (9.5, 0, (10,))],
)
def test_the_temporal_window_is_exported_up_to_the_clips_ends(home, time, window, numbers):
    node = comp(keeps_files=True).set(TemporalWindow=window)
    if time == 9.5:
        node.connect("Frame", lambda at: image(int(at)))
    node.render(time)
    assert [name for name in exported(home) if name.startswith("frame")] == [
        f"frame.{number:04d}.exr" for number in numbers
    ]


def test_a_moving_clean_plate_goes_with_every_frame_of_the_window(home):
    node = comp(keeps_files=True).set(TemporalWindow=1)
    node.connect("CleanPlate", {float(time): image(50 + time) for time in range(9, 12)})
    node.render(10.0)
    plates = {name: path for name, path in exported(home).items() if name.startswith("plate")}
    assert list(plates) == ["plate.0009.exr", "plate.0010.exr", "plate.0011.exr"]
    assert np.array_equal(read(plates["plate.0011.exr"])[1], image(61))
    assert ("Frame", 5.0) not in node.host.asked


def test_frames_before_zero_get_file_names_without_a_sign(home):
    node = comp(keeps_files=True).set(TemporalWindow=1)
    node.connect("Frame", lambda time: image(int(time) + 100))
    node.render(-7.0)
    assert [name for name in exported(home) if name.startswith("frame")] == [
        "frame.0000.exr",
        "frame.0001.exr",
        "frame.0002.exr",
    ]
    assert np.array_equal(read(exported(home)["frame.0000.exr"])[1], image(92))


def test_the_buttons():
    node = comp()
    node.press("UsePlateFrame", time=7.0)
    assert node.get("PlateFrame") == 7
    node.press("TryAgain", time=7.0)
    node.press("TryAgain", time=7.0)
    assert (node.get("Attempt"), node.get("PlateFrame")) == (2, 7)


def test_a_frame_given_up_while_it_is_exported_is_neither_shown_nor_explained(home):
    node = comp()
    node.host.given_up = lambda: ("Frame", 5.0) in node.host.asked
    seen = node.render(10.0)
    assert (seen.pixels, seen.console, seen.status) == (None, [], "")
    assert exported(home) == {}
