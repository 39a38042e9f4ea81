"""The Fuse in a real LuaJIT, the real side-car, the real engine: its pixels are the command line's.

Fusion itself is a stand-in, `fake_fusion`.
"""

import json
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from exr_files import read
from fake_comp import Comp as ScriptedComp
from fake_fusion import Comp, Picture
from scenes import figure, shot, with_grain, with_subject
from side_car import REPOSITORY, platekey

from plugin.fusion.process import main as process_range

SIZE = (96, 160)
PLATE = 1
FRAMES = range(11, 15)
LAYERS = "shadow,residual,shadow_ratio,uncertainty,difference,validity,fg,cleanplate"
SIDE_CAR = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); from host_bridge.cli import main; main()"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills and signals as POSIX has them")


def opaque(rgb):
    return np.dstack([rgb, np.ones(SIZE, np.float32)])


@pytest.fixture(scope="module")
def footage():
    """Pictures by frame; frame 1 shows the set without the subject."""
    plate = shot(SIZE, seed=3)
    found = {float(PLATE): opaque(plate)}
    for number in FRAMES:
        moved = np.roll(with_subject(plate, 0.2), 2 * number, axis=1)
        found[float(number)] = opaque(with_grain(moved, seed=number))
    return found


@pytest.fixture(scope="module")
def station(tmp_path_factory):
    """A machine with PlateKey on it, in a folder with spaces and umlauts; one engine for all tests."""
    folder = tmp_path_factory.mktemp("whole wäy")
    home = folder / "hö me"
    home.mkdir()
    (home / "host.json").write_text(json.dumps({"side_car": [sys.executable, "-c", SIDE_CAR, "link"]}))
    patched = pytest.MonkeyPatch()
    patched.setenv("PLATEKEY_HOME", str(home))
    patched.delenv("PLATEKEY_ENGINE_COMMAND", raising=False)
    patched.delenv("PLATEKEY_SIDE_CAR", raising=False)
    yield folder
    patched.undo()
    for state in (home / "run").glob("*.json"):
        os.kill(json.loads(state.read_text())["pid"], signal.SIGKILL)


def node(footage, **controls):
    made = Comp(variant={"keeps_files": True}).connect("Frame", footage)
    return made.set(**{"Space": 1, "PlateFrame": PLATE, **controls})


def exchange(station):
    """The folder of the request that ended last."""
    return max((station / "hö me" / "exchange").iterdir(), key=lambda path: int(path.name.split("-")[1]))


def command_line(station, *more):
    """Channels of what ``platekey matte`` makes of the very files that the node exported last."""
    folder = exchange(station)
    out = station / "out" / folder.name
    out.mkdir(parents=True)
    plate = folder / "plate.exr"
    frames = ["matte", str(folder / "frame.####.exr"), "--clean-plate"]
    spaces = ["--colorspace", "ACEScg", "--output-colorspace", "ACEScg"]
    files = [str(plate if plate.exists() else folder / "plate.####.exr"), "-o", str(out / "cli.####.exr")]
    environment = {**os.environ, "PLATEKEY_CACHE_GIB": "0", "PYTHONPATH": str(REPOSITORY)}
    done = platekey(environment, *frames, *files, *spaces, "--layers", LAYERS, *more)
    assert done.returncode == 0, done.stderr
    (path,) = out.glob("*.exr")
    spec, values = read(path)
    return {name: values[..., index] for index, name in enumerate(spec.channelnames)}


def stacked(channels, *names):
    return np.stack([channels[name] for name in names], axis=-1)


@pytest.fixture(scope="module")
def first(station, footage):
    """Frame 12 as the node gives it out, and as the command line makes it of the same files."""
    seen = node(footage).render(12.0)
    assert seen.console == []
    return seen, command_line(station, "--frames", "12")


def test_the_nodes_pixels_are_the_command_lines(first):
    seen, cli = first
    assert np.array_equal(seen.pixels, stacked(cli, *"RGBA"))
    assert 0.05 < cli["A"].mean() < 0.5
    assert seen.canvas_alpha == 0
    assert seen.status.startswith("Frame 12: made, registered to ")
    assert seen.progress == sorted(seen.progress)


def test_what_goes_out_is_what_fusion_has_bit_for_bit(station, first, footage):
    for name, number in (("frame.0012.exr", 12.0), ("plate.exr", 1.0)):
        assert np.array_equal(read(exchange(station) / name)[1], footage[number])


def test_every_output_is_the_layer_that_it_names(first, footage):
    keyer, (_, cli) = node(footage), first
    layers = {2: ("shadow", "RGBA"), 3: ("residual", "RGBA"), 4: ("shadow_ratio", "RGB"), 8: ("fg", "RGB")}
    for index, (layer, letters) in {**layers, 9: ("cleanplate", "RGB")}.items():
        seen = keyer.set(Show=index).render(12.0)
        wanted = stacked(cli, *(f"{layer}.{letter}" for letter in letters))
        assert np.array_equal(seen.pixels[..., : len(letters)], wanted), layer
        assert letters == "RGBA" or (seen.pixels[..., 3] == 1).all()
        assert index > 7 or "from the cache" in seen.status, "nodes that show other layers share one result"
    for index, layer in {5: "uncertainty", 6: "difference", 7: "validity"}.items():
        pixels = keyer.set(Show=index).render(12.0).pixels
        assert np.array_equal(pixels[..., :3], np.repeat(cli[f"{layer}.Y"][..., None], 3, axis=2))
        assert (pixels[..., 3] == 1).all()


@pytest.mark.parametrize("gain", [0.0, 1.0])
def test_subject_and_shadow_in_one_picture_merge_as_the_layers_do(first, footage, gain):
    seen = node(footage, Show=1, ResidualGain=gain).render(12.0).pixels.astype(np.float64)
    cli = {name: values.astype(np.float64) for name, values in first[1].items()}
    background = np.random.default_rng(1).uniform(0, 2, (*SIZE, 3))
    alpha, shadow = cli["A"][..., None], cli["shadow.A"][..., None]
    stack = background * (1 - shadow) * (1 - alpha) + stacked(cli, *"RGB")
    stack += gain * stacked(cli, "residual.R", "residual.G", "residual.B")
    merged = seen[..., :3] + (1 - seen[..., 3:]) * background
    assert np.abs(merged - stack).max() < 1e-6 * np.abs(stack).max()


def test_knobs_mattes_and_hint_reach_the_engine(station, footage):
    garbage = np.zeros(SIZE, np.float32)
    garbage[:, :30] = 1
    core, hint = figure(SIZE, 0.02), figure(SIZE, 0.2)
    keyer = node(footage, EdgeShift=-2.5, Depth=2, ShadowColor=1, HintStrength=0.5, Registration=0)
    keyer.connect("Garbage", {12.0: garbage}).connect(
        "Core", {12.0: np.dstack([np.ones((*SIZE, 3), np.float32), core])}
    )
    seen = keyer.connect("Hint", {12.0: hint}).render(12.0)
    assert seen.pixels is not None, seen.status
    knobs = "--edge-shift -2.5 --depth float --shadow-color rgb --hint-strength 0.5 --registration off --frames 12"
    folder = exchange(station)
    mattes = [part for name in ("garbage", "core", "hint") for part in (f"--{name}", str(folder / f"{name}.exr"))]
    cli = command_line(station, *knobs.split(), *mattes)
    assert np.array_equal(seen.pixels, stacked(cli, *"RGBA"))
    assert (seen.pixels[:, :30, 3] == 0).all()
    assert (seen.pixels[..., 3][(core == 1) & (garbage == 0)] == 1).all()


def test_the_temporal_window_and_a_moving_plate_are_the_command_lines(station, footage):
    plates = {float(number): with_grain(footage[1.0], seed=90 + number) for number in FRAMES}
    flicker = {**footage, 12.0: footage[12.0] * np.float32(1.2)}
    keyer = node(flicker, TemporalWindow=1).connect("CleanPlate", plates)
    seen = keyer.render(12.0)
    cli = command_line(station, "--temporal-window", "1", "--frames", "12")
    assert np.array_equal(seen.pixels, stacked(cli, *"RGBA"))
    assert not np.array_equal(seen.pixels, keyer.set(TemporalWindow=0).render(12.0).pixels)


def test_a_connected_plate_and_a_held_one_of_the_same_picture_give_the_same_pixels(first, footage):
    connected = node(footage, PlateFrame=-99999).connect("CleanPlate", lambda time: footage[1.0]).render(12.0)
    assert np.array_equal(first[0].pixels, connected.pixels)


def test_two_nodes_in_two_threads_at_once_give_each_its_own_pixels(first, footage):
    jobs = [(12.0, 0.0), (12.0, 3.0), (13.0, 0.0)]
    together = {}
    nodes = [node(footage, EdgeShift=shift) for _, shift in jobs]
    threads = [
        threading.Thread(target=lambda place=place, time=time: together.update({place: nodes[place].render(time)}))
        for place, (time, _) in enumerate(jobs)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(200)
    alone = [first[0].pixels, *(node(footage, EdgeShift=shift).render(time).pixels for time, shift in jobs[1:])]
    assert all(np.array_equal(together[place].pixels, pixels) for place, pixels in enumerate(alone))
    assert not np.array_equal(alone[0], alone[1])


def test_a_proxy_is_keyed_as_it_is_with_distances_scaled(first, footage):
    keyer = node(lambda time: Picture(footage[time], proxy=2), EdgeShift=4.0)
    seen = keyer.render(12.0)
    assert "Proxy 2:1" in seen.status
    assert np.array_equal(seen.pixels, node(footage, EdgeShift=2.0).render(12.0).pixels)


def test_the_comp_script_gives_the_same_pixels_as_the_node(station, first, footage):
    comp, said = ScriptedComp(station / "comp 1.comp", PLATE, FRAMES[-1]), []
    comp.range(12, 13)
    comp["PlateKeyFrame"].Input.footage = lambda frame: footage[float(frame)]
    comp["PlateKeyFrame"].SetInput("Space", "ACEScg")
    comp["PlateKeyFrame"].SetInput("PlateFrame", float(PLATE))
    assert process_range(comp, said.append), said
    spec, values = read(station / "platekey" / "PlateKeyMacro" / "keyed.0012.exr")
    assert spec.channelnames[:4] == ("R", "G", "B", "A")
    assert np.array_equal(values[..., :4], first[0].pixels)


def test_an_unknown_space_or_model_is_the_engines_sentence_in_the_node(first, footage):
    seen = node(footage, OtherSpace="Technicolor").set(Space=7).render(12.0)
    assert (seen.pixels, len(seen.console)) == (None, 1)
    assert "Technicolor" in seen.status
    assert "nonesuch" in node(footage, Model="nonesuch").render(12.0).status


def test_a_display_space_is_refused_because_layers_are_linear(first, footage):
    seen = node(footage, OtherSpace="sRGB - Texture").set(Space=7).render(12.0)
    assert seen.pixels is None
    assert "linear" in seen.status


def test_an_engine_that_was_killed_is_replaced_under_the_node(station, first, footage):
    states = list((station / "hö me" / "run").glob("engine-*.json"))
    os.kill(json.loads(states[0].read_text())["pid"], signal.SIGKILL)
    seen = node(footage, Sensitivity=0.125).render(12.0)
    assert seen.pixels is not None, seen.status
    assert "made" in seen.status


def test_the_buttons_ask_the_real_engine_about_the_shot(station, footage):
    asked = node(footage).range(FRAMES[0], FRAMES[-1])
    asked.press("InspectPlate")
    told = asked.get("Answer")
    assert "\nPlate       This plate " in told
    assert "registration" in told
    assert "coverage" in told
    assert any("%" in words for words in asked.host.answers)
    asked.range(FRAMES[0], FRAMES[2]).press("AdaptToShot")
    assert asked.get("Answer").startswith("Error       ")
    assert "The clip has 3 frames" in asked.get("Answer")
    assert asked.get("Model") == "platenet"
    assert not [path for path in (station / "hö me" / "exchange").iterdir() if not any(path.iterdir())]


def test_the_node_says_which_model_keyed(station, first, footage):
    assert "\nModel: platenet" in first[0].status
    (weights,) = (REPOSITORY / "engine" / "network" / "weights").glob("platenet_v*.safetensors")
    line = [
        sys.executable,
        "-m",
        "engine",
        "models",
        "add",
        str(weights),
        "--licence",
        "Apache-2.0",
        "--as",
        "shot-0123456789ab",
    ]
    subprocess.run(line, check=True, cwd=REPOSITORY, capture_output=True)
    seen = node(footage, Model="shot-0123456789ab").render(12.0)
    assert "\nModel: shot-0123456789ab" in seen.status
    assert np.array_equal(seen.pixels, first[0].pixels), "the same weights under the adapted model's name"
