"""``platekey inspect`` in real processes: verdicts, picture, JSON and exit codes."""

import json
import os
import subprocess
import sys

import pytest
import scenes
from exr_files import write
from side_car import platekey

SIZE = (120, 160)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """PlateKey's own folder, with the one engine of these tests."""
    folder = tmp_path_factory.mktemp("home")
    env = {**os.environ, "PLATEKEY_HOME": str(folder), "OMP_NUM_THREADS": "1"}
    yield env
    subprocess.run([sys.executable, "-m", "host_bridge.cli", "stop"], env=env, check=False)


@pytest.fixture(scope="module")
def shot(tmp_path_factory):
    """Five frames of a textured set with a figure, one of them missing; its plate, and one of another set."""
    folder = tmp_path_factory.mktemp("shot")
    base = scenes.shot(SIZE, 4)
    for index in (0, 1, 2, 4):
        picture = scenes.with_subject(base, 0.08 + 0.01 * index, 60)
        write(folder / f"f.{1001 + index}.exr", scenes.with_grain(picture, index), depth="half")
    write(folder / "clean.exr", scenes.with_grain(base, 50), depth="half")
    write(folder / "other.exr", scenes.with_grain(scenes.shot(SIZE, 5), 51), depth="half")
    return folder


def inspected(home, shot, plate, *options):
    few = ("--measured", "2", "--json", *options)
    done = platekey(home, "inspect", str(shot / "f.####.exr"), "--clean-plate", plate, *few)
    return done, [json.loads(line) for line in done.stdout.splitlines()]


def test_a_good_plate_leaves_with_0_a_picture_and_its_figures(home, shot, tmp_path):
    done, events = inspected(home, shot, str(shot / "clean.exr"), "--picture", str(tmp_path / "seen.png"))
    assert done.returncode == 0, done.stdout + done.stderr
    last = events[-1]
    assert last["event"] == "finished"
    assert last["verdict"] in ("good", "watch")
    assert {line["name"]: line["verdict"] for line in last["lines"]}["registration"] == "good"
    assert [frame["frame"] for frame in last["frames"]] == [1001, 1005]
    assert last["missing"] == "1004"
    assert (tmp_path / "seen.png").read_bytes().startswith(b"\x89PNG")


def test_a_plate_of_another_set_leaves_with_1_and_a_sentence(home, shot):
    done = platekey(
        home, "inspect", str(shot / "f.####.exr"), "--clean-plate", str(shot / "other.exr"), "--watched", "0"
    )
    assert done.returncode == 1
    assert "another scene" in done.stdout
    assert "frames missing on disk: 1004" in done.stdout


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--picture", "seen.jpg"), 2, "PNG"),
        (("--picture", "clean.exr/seen.png"), 4, "does not exist"),
        (("--frames", "1004"), 2, "1004"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(home, shot, options, code, said):
    done, events = inspected(home, shot, str(shot / "clean.exr"), *options)
    assert done.returncode == code
    assert said in events[-1]["error"]["message"] + events[-1]["error"]["next_step"]


def test_the_plates_own_frame_is_not_measured_against_itself(home, shot):
    done, events = inspected(home, shot, "1002", "--frames", "1002")
    assert done.returncode == 2
    assert "is the clean plate" in events[-1]["error"]["message"]
