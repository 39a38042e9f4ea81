"""From EXR files on disk to layered EXR files on disk, through the real engine, in real processes."""

import json
import os
import signal
import subprocess
import time

import numpy as np
import pytest
from exr_files import read, write, write_parts
from scenes import figure, shot, with_grain, with_subject
from side_car import REPOSITORY, command, platekey

SIZE = (96, 160)
NUMBERS = range(1001, 1005)


@pytest.fixture(scope="module")
def station(tmp_path_factory):
    """Footage with a still clean plate, and one engine for all tests."""
    folder = tmp_path_factory.mktemp("whole wäy")
    plate = shot(SIZE, seed=3)
    write(folder / "clean.exr", plate)
    for number in NUMBERS:
        frame = np.roll(with_subject(plate, 0.2), 2 * (number - 1001), axis=1) * figure(SIZE, 0.5)[..., None]
        frame += plate * (1 - figure(SIZE, 0.5)[..., None])
        write(folder / f"plate.{number}.exr", with_grain(frame, seed=number))
    write(folder / "garbage.exr", np.pad(np.ones((96, 20, 1), np.float32), ((0, 0), (0, 140), (0, 0))), channels=("A",))
    environment = {**os.environ, "PLATEKEY_HOME": str(folder / "home"), "PYTHONPATH": str(REPOSITORY)}
    environment.pop("PLATEKEY_ENGINE_COMMAND", None)
    yield folder, environment
    for state in (folder / "home" / "run").glob("engine-*.json"):
        os.kill(json.loads(state.read_text())["pid"], signal.SIGKILL)


def arguments(folder, out, *more):
    (folder / out).mkdir(exist_ok=True)
    frames, plate = str(folder / "plate.####.exr"), str(folder / "clean.exr")
    return ["matte", frames, "--clean-plate", plate, "-o", str(folder / out / "key.####.exr"), "--json", *more]


def running_engine(folder):
    """The engine started last."""
    states = (folder / "home" / "run").glob("engine-*.json")
    return json.loads(max(states, key=lambda path: path.stat().st_mtime).read_text())


def matte(station, out, *more):
    folder, environment = station
    done = platekey(environment, *arguments(folder, out, *more))
    return done, [json.loads(line) for line in done.stdout.splitlines()]


def pixels(station, out, number):
    spec, values = read(station[0] / out / f"key.{number}.exr")
    return {name: values[..., index] for index, name in enumerate(spec.channelnames)}


def test_the_layers_return_the_frame(station):
    layers = "residual,cleanplate,shadow_ratio,validity"
    done, events = matte(station, "whole", "--temporal-window", "1", "--depth", "float", "--layers", layers)
    assert done.returncode == 0, done.stdout + done.stderr
    assert events[-1]["delivered"] == {"made": 4}

    _, frame = read(station[0] / "plate.1002.exr")
    got = pixels(station, "whole", 1002)
    valid = got["validity.Y"] == 1
    assert valid.mean() > 0.5
    for channel, name in enumerate("RGB"):
        shadowed = got[f"shadow_ratio.{name}"] * got[f"cleanplate.{name}"]
        terms = [got[name], (1 - got["A"]) * shadowed, got[f"residual.{name}"], frame[..., channel]]
        error = np.abs(terms[0] + terms[1] + terms[2] - terms[3])
        assert (error <= 1e-6 * np.abs(terms).max(axis=0))[valid].all()
    assert 0 <= got["A"].min() < 0.1
    assert 0.9 < got["A"].max() <= 1


def test_a_second_run_finds_everything_true(station):
    matte(station, "twice", "--frames", "1001-1002")
    done, events = matte(station, "twice", "--frames", "1001-1002")
    assert done.returncode == 0
    assert events[-1]["delivered"] == {"fresh": 2}


def test_frames_rendered_apart_are_the_same_pixels(station):
    """The cache is off: every run computes."""
    station = (station[0], {**station[1], "PLATEKEY_CACHE_GIB": "0"})
    window = ("--temporal-window", "1")
    matte(station, "together", *window)
    for part in ("1003-1004", "1001", "1002"):
        assert matte(station, "apart", *window, "--frames", part)[0].returncode == 0
    for number in NUMBERS:
        one, other = pixels(station, "together", number), pixels(station, "apart", number)
        assert one.keys() == other.keys()
        assert all(np.array_equal(one[name], other[name]) for name in one), number


def test_garbage_is_nothing(station):
    done, _ = matte(station, "garbage", "--frames", "1001", "--garbage", str(station[0] / "garbage.exr"))
    assert done.returncode == 0, done.stdout
    layers = pixels(station, "garbage", 1001)
    assert not layers["A"][:, :20].any()
    assert not layers["R"][:, :20].any()


def test_plates_and_mattes_of_several_parts_are_used_by_the_part_named(station):
    folder, _ = station
    empty, matte_in = (read(folder / name)[1] for name in ("clean.exr", "garbage.exr"))
    write_parts(folder / "set.exr", {"lit": np.zeros_like(empty), "empty": empty})
    write_parts(folder / "mattes.exr", {"none": np.zeros_like(empty), "left": np.repeat(matte_in, 3, axis=-1)})
    chosen = ("--frames", "1001", "--clean-plate", str(folder / "set.exr"), "--garbage", str(folder / "mattes.exr"))

    for part, listed in ((), "'none', 'left'"), (("--matte-part", "left"), "'lit', 'empty'"):
        assert f"Name one of its parts: {listed}" in matte(station, "unnamed", *chosen, *part)[0].stdout
    done, _ = matte(station, "named", *chosen, "--plate-part", "empty", "--matte-part", "left")
    matte(station, "single", "--frames", "1001", "--garbage", str(folder / "garbage.exr"))

    assert done.returncode == 0, done.stdout
    named, plain = pixels(station, "named", 1001), pixels(station, "single", 1001)
    assert not named["A"][:, :20].any()
    assert named["A"].max() > 0.9
    assert all(np.allclose(named[name], plain[name], atol=1e-2) for name in "RGBA")


def test_uploads_and_paths_give_the_same_pixels(station):
    folder, environment = station
    engine = running_engine(folder)
    uploading = (folder, {**environment, "PLATEKEY_TOKEN": engine["token"], "PLATEKEY_CACHE_GIB": "0"})
    done, _ = matte(uploading, "uploaded", "--frames", "1001", "--engine", engine["address"])
    assert done.returncode == 0, done.stdout
    matte(station, "by path", "--frames", "1001")
    one, other = pixels(station, "uploaded", 1001), pixels(station, "by path", 1001)
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_a_truncated_frame_is_named_and_the_others_are_there(station):
    folder, _ = station
    whole = (folder / "plate.1002.exr").read_bytes()
    (folder / "plate.1002.exr").write_bytes(whole[: len(whole) // 2])
    try:
        done, events = matte(station, "truncated", "--frames", "1001-1003")
    finally:
        (folder / "plate.1002.exr").write_bytes(whole)
    (failed,) = [event for event in events if event["event"] == "failed"]
    assert done.returncode == 1
    assert failed["error"]["reason"] == "IMAGE_UNREADABLE"
    assert "plate.1002.exr" in failed["error"]["message"]
    assert len(list((folder / "truncated").glob("*.exr"))) == 2


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["--colorspace", "No Such Space"], 2, "No Such Space"),
        (["--output-colorspace", "sRGB - Texture"], 2, "sRGB - Texture"),
        (["--model", "nobody"], 2, "nobody"),
        (["--ocio", "ocio://no-such-config"], 2, "no-such-config"),
    ],
)
def test_what_only_the_engine_can_refuse(station, more, code, words):
    done, _ = matte(station, "refused", "--frames", "1001", *more)
    assert done.returncode == code, done.stdout + done.stderr
    assert words in done.stdout


def test_an_engine_killed_mid_frame_is_replaced(station):
    folder, environment = station
    environment = {**environment, "PLATEKEY_CACHE_GIB": "0"}
    victim = running_engine(folder)["pid"]
    job = subprocess.Popen(
        command(*arguments(folder, "killed")),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in job.stdout:
        if json.loads(line).get("stage") == "matte":
            os.kill(victim, signal.SIGKILL)
            break
    out, errors = job.communicate(timeout=120)
    last = json.loads(out.splitlines()[-1])

    assert job.returncode == 0, out + errors
    assert last["delivered"] == {"made": 4}
    assert running_engine(folder)["pid"] != victim


def test_ctrl_c_returns_at_once_and_leaves_nothing_half(station):
    folder, environment = station
    environment = {**environment, "PLATEKEY_CACHE_GIB": "0"}
    job = subprocess.Popen(command(*arguments(folder, "cancelled")), env=environment, stdout=subprocess.PIPE, text=True)
    for line in job.stdout:
        if json.loads(line)["event"] == "stage":
            job.send_signal(signal.SIGINT)
            break
    began = time.monotonic()
    job.communicate(timeout=60)

    assert job.returncode == 130
    assert time.monotonic() - began < 10
    assert list((folder / "cancelled").rglob("*.part")) == []
