"""The comp script against a live side-car: a range is exported, keyed and shown; cancelled; refused."""

import json
import os
import signal
import sys

import numpy as np
import pytest
from fake_comp import Comp
from side_car import REPOSITORY, environment, journal

from plugin.core.link import LinkClient
from plugin.fusion.process import main

SIDE_CAR = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); from host_bridge.cli import main; main()"
FIRST, LAST = 1, 14

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills and signals as POSIX has them")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """PlateKey's folder with fake engines; whatever was started there ends with the test."""
    folder = tmp_path / "hö me"
    for name, value in environment(folder, journal=str(tmp_path / "journal"), delay=0.2).items():
        monkeypatch.setenv(name, value)
    yield folder
    for state in (folder / "run").glob("*.json"):
        os.kill(json.loads(state.read_text())["pid"], signal.SIGKILL)


@pytest.fixture
def comp(tmp_path):
    """A comp with a macro, its footage connected, frame 1 its clean plate, 11-13 to render."""
    made = Comp(tmp_path / "shöt 1" / "comp 1.comp", FIRST, LAST)
    made.range(11, 13)
    made["PlateKeyFrame"].Input.footage = lambda frame: np.full((4, 6, 4), frame, np.float32)
    for name, value in {"Space": "ACEScg", "PlateFrame": 1, "EdgeShift": 2.5}.items():
        made["PlateKeyFrame"].SetInput(name, value)
    (tmp_path / "shöt 1").mkdir()
    return made


def process(comp):
    said = []
    done = main(comp, said.append, lambda: LinkClient([sys.executable, "-c", SIDE_CAR, "link", "--idle-stop", "20"]))
    return done, said


def results(tmp_path):
    return tmp_path / "shöt 1" / "platekey" / "PlateKeyMacro"


def test_a_range_is_exported_keyed_and_shown(home, comp, tmp_path):
    done, said = process(comp)
    assert done, said
    assert said == ["PlateKeyMacro: 3 frames: 3 made."]
    assert comp.rendered == [("PlateKeyFrame", frame) for frame in (1, 11, 12, 13)]
    assert sorted(path.name for path in results(tmp_path).glob("*")) == [
        ".platekey",
        *(f"keyed.{frame:04d}.exr" for frame in (11, 12, 13)),
    ]
    for layer in ("Subject", "Shadow", "Residual"):
        assert comp[f"PlateKeyKeyed{layer}"].GetInput("Clip") == str(results(tmp_path) / "keyed.0011.exr")
        assert comp[f"PlateKeyKeyed{layer}"].reloads == 1
    assert comp["PlateKeyFrame"].GetInput("Status") == "3 frames: 3 made."


def test_what_is_still_true_is_not_made_again(home, comp, tmp_path):
    process(comp)
    comp.range(12, 14)
    _, said = process(comp)
    assert said == ["PlateKeyMacro: 3 frames: 1 made, 2 up to date."]
    assert sorted(journal(tmp_path / "journal", "frame")) == [f"frame {frame}" for frame in (11, 12, 13, 14)]


def test_a_connected_plate_moves_with_the_frame_and_the_window_is_exported_with_it(home, comp):
    comp["PlateKeyPlate"].Input.footage = lambda frame: np.full((4, 6, 4), 50 + frame, np.float32)
    comp["PlateKeyFrame"].SetInput("TemporalWindow", 1.0)
    comp.range(13, 14)
    done, said = process(comp)
    assert done, said
    assert [frame for name, frame in comp.rendered if name == "PlateKeyPlate"] == [12, 13, 14]


def test_cancel_ends_it_and_keeps_what_is_finished(home, comp, tmp_path):
    frame = comp["PlateKeyFrame"]
    pictures = frame.Input.footage

    def pressed_at(number):
        if number == 13:
            frame.SetInput("CancelWanted", 1)
        return pictures(number)

    frame.Input.footage = pressed_at
    done, said = process(comp)
    assert not done
    assert said == ["The run was cancelled. Run it again to go on: finished frames stay."]
    assert frame.GetInput("CancelWanted") == 0
    assert not (results(tmp_path) / "exchange").exists()
    assert not (results(tmp_path) / "keyed.0013.exr").exists()
    assert frame.passed_through


def test_a_frame_that_fusion_does_not_render_ends_it_with_a_sentence(home, comp, tmp_path):
    comp.refuses.add(12)
    done, said = process(comp)
    assert not done
    assert said[0].startswith("PlateKeyMacro: Fusion did not render frame 12.")
    assert not (results(tmp_path) / "exchange").exists()


def test_a_frame_that_the_engine_cannot_make_is_named(home, comp, monkeypatch, tmp_path):
    scenario = {"failing": {"12": "REGISTRATION_FAILED"}, "journal": str(tmp_path / "journal")}
    monkeypatch.setenv("FAKE_ENGINE", json.dumps(scenario))
    done, said = process(comp)
    assert not done
    assert said == ["1 of 3 frames failed (12). frame.0012.exr is no good. Do something about it."]
    assert (results(tmp_path) / "keyed.0013.exr").exists()
