"""``platekey plate build`` in real processes: a shot in, a plate out, and the ways it may end."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import scenes
from exr_files import read, write
from side_car import platekey

SIZE = (90, 120)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """PlateKey's own folder, with the one engine of these tests."""
    folder = tmp_path_factory.mktemp("home")
    env = {**os.environ, "PLATEKEY_HOME": str(folder), "OMP_NUM_THREADS": "1"}
    yield env
    subprocess.run([sys.executable, "-m", "host_bridge.cli", "stop"], env=env, check=False)


@pytest.fixture
def shot(tmp_path):
    """Nine frames of a textured set, through which a box moves; also the set."""
    base = scenes.shot(SIZE, 4)
    folder = tmp_path / "shot"
    folder.mkdir()
    for index in range(9):
        picture = base.copy()
        picture[30:60, 4 + 12 * index : 16 + 12 * index] = (3.0, 0.1, 2.0)
        write(folder / f"f.{1001 + index}.exr", scenes.with_grain(picture, index), depth="half")
    return folder, base


def test_a_plate_is_built_and_keys_the_shot(home, shot, tmp_path):
    folder, base = shot
    plate = tmp_path / "plate.exr"
    done = platekey(home, "plate", "build", str(folder), "-o", str(plate), "--json")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["event"] for event in events][-2:] == ["progress", "finished"]
    assert events[-1]["frames"] == list(range(1001, 1010))
    spec, pixels = read(plate)
    channels = dict(zip(spec.channelnames, np.moveaxis(pixels, -1, 0), strict=True))
    np.testing.assert_allclose(pixels[..., :3], base, rtol=0.1, atol=0.02)
    assert channels["coverage.Y"].min() >= 7
    assert channels["A"].min() == 1
    wanted = ("--clean-plate", str(plate), "-o", str(tmp_path / "k.####.exr"), "--frames", "1003")
    keyed = platekey(home, "matte", str(folder), *wanted)
    assert keyed.returncode == 0, keyed.stderr
    alpha = read(tmp_path / "k.1003.exr")[1][..., 3]
    assert alpha[35:55, 30:38].mean() > 0.9


def test_one_frame_is_refused_in_a_sentence(home, shot, tmp_path):
    done = platekey(home, "plate", "build", str(shot[0] / "f.1001.exr"), "-o", str(tmp_path / "plate.exr"))
    assert done.returncode == 2
    assert "one file" in done.stderr


def test_a_file_of_somebody_elses_stays(home, shot, tmp_path):
    plate = tmp_path / "plate.exr"
    plate.write_text("mine")
    done = platekey(home, "plate", "build", str(shot[0]), "-o", str(plate))
    assert done.returncode == 4
    assert plate.read_text() == "mine"


def test_a_missing_frame_is_named(home, shot, tmp_path):
    pattern = str(shot[0] / "f.####.exr")
    done = platekey(home, "plate", "build", pattern, "-o", str(tmp_path / "plate.exr"), "--frames", "1005-1012")
    assert done.returncode == 2
    assert "1010-1012" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_ctrl_c_ends_it_and_leaves_nothing(home, shot, tmp_path):
    command = [sys.executable, "-m", "host_bridge.cli", "plate", "build", str(shot[0]), "-o", str(tmp_path / "p.exr")]
    process = subprocess.Popen([*command, "--json"], env=home, stdout=subprocess.PIPE, text=True)
    assert json.loads(process.stdout.readline())["event"] == "progress"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    time.sleep(0.1)
    assert [path.name for path in tmp_path.iterdir()] == ["shot"]


@pytest.fixture
def clip(shot, tmp_path):
    """Four frames of the empty set, each with its own grain."""
    folder = tmp_path / "empty"
    folder.mkdir()
    for index in range(4):
        write(folder / f"p.{index + 1:04d}.exr", scenes.with_grain(shot[1], 50 + index), depth="half")
    return folder


def keyed(home, shot, clip, out, use):
    wanted = ("--clean-plate", str(clip), "--plate-use", use, "-o", str(out / "k.####.exr"), "--frames", "1003-1004")
    done = platekey(home, "matte", str(shot[0]), *wanted, "--layers", "cleanplate", "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return done, [event.get("origin") for event in events if event["event"] == "done"]


def test_several_plates_are_a_burst_or_a_moving_set_and_not_the_same_result(home, shot, clip, tmp_path):
    noise = []
    for use in ("burst", "moving"):
        done, origins = keyed(home, shot, clip, tmp_path, use)
        assert done.returncode == 0, done.stderr
        assert origins == ["made", "made"]
        assert keyed(home, shot, clip, tmp_path, use)[1] == ["fresh", "fresh"]
        spec, pixels = read(tmp_path / "k.1003.exr")
        channels = dict(zip(spec.channelnames, np.moveaxis(pixels, -1, 0), strict=True))
        assert channels["A"][35:55, 30:38].mean() > 0.9
        noise.append(np.abs(channels["cleanplate.G"] - shot[1][..., 1])[:, 60:].mean())
    assert noise[0] < 0.7 * noise[1]


def test_a_burst_of_one_image_is_refused(home, shot, clip, tmp_path):
    done, _ = keyed(home, shot, clip / "p.0001.exr", tmp_path, "burst")
    assert done.returncode == 2
    assert "one image" in done.stdout
