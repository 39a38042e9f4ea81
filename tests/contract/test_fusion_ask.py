"""The Fuse's buttons that ask about the whole shot, in a real LuaJIT, against a real side-car with a fake engine."""

import json
import os
import re
import time
from pathlib import Path

import numpy as np
import pytest
from exr_files import read
from fake_fusion import Comp, Picture
from side_car import environment, journal, link_served

from plugin.core.inspection import inspection_text

INSPECT, ADAPT = "InspectPlate", "AdaptToShot"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the other half of the Fuse's sockets is for Windows")


@pytest.fixture
def home(tmp_path, monkeypatch):
    scenario(monkeypatch, tmp_path)
    monkeypatch.delenv("PLATEKEY_SIDE_CAR", raising=False)
    with link_served(tmp_path / "hö me"):
        yield tmp_path / "hö me"


def scenario(monkeypatch, tmp_path, **facts):
    for name, value in environment(tmp_path / "hö me", journal=str(tmp_path / "journal"), **facts).items():
        monkeypatch.setenv(name, value)


def picture(time, seed=0.0):
    return np.full((4, 6, 4), time / 3 + seed, np.float32)


def node(first=1, last=8, comp_file="", **variant):
    """A node whose clean plate is frame 1 of its footage."""
    made = Comp(variant=variant).connect("Frame", picture).set(Space=1, PlateFrame=1)
    return made.range(first, last, comp_file)


def leftovers(home):
    return list((home / "exchange").iterdir())


def test_an_inspection_is_told_in_the_node_and_changes_no_picture(home):
    made = node()
    made.press(INSPECT)
    first, tip, last = made.get("Answer").splitlines()
    assert first == "Watch       registration: frames [2, 4, 5, 7, 8], 5 looked through."
    assert tip == "Do          Stand further off."
    assert last == "Plate       This plate can work; look at what is said here."
    assert made.host.changed == [], "Fusion renders nothing again for an inspection"
    assert made.host.saved == [("Frame", frame) for frame in (1, 2, 4, 5, 7, 8)]
    assert any("50 %" in words and "Measuring" in words for words in made.host.answers)
    assert made.host.console == [f"PlateKey1: {made.get('Answer')}"]
    assert leftovers(home) == []


def test_where_adapting_helps_the_node_keys_with_the_adapted_model_and_says_so(home, tmp_path):
    made = node(comp_file=str(tmp_path / "shöt 1" / "a.comp"))
    (tmp_path / "shöt 1").mkdir()
    made.press(ADAPT)
    name = made.get("Model")
    assert re.fullmatch("shot-[0-9a-f]{12}", name)
    assert made.host.changed == ["Model"], "so Fusion renders again, with the adapted model"
    assert made.get("Answer") == "Adapted     From platenet: [2, 3, 4, 5, 6, 7, 8]."
    assert json.loads((tmp_path / "shöt 1" / "platekey" / f"{name}.safetensors").read_text()) == list(range(2, 9))
    assert leftovers(home) == []


def test_adapting_again_begins_with_the_shipped_model_and_replaces_none(home):
    made = node()
    made.press(ADAPT)
    first = made.get("Model")
    file = home / "adapted" / f"{first}.safetensors"
    before = file.read_bytes()
    made.range(1, 5)
    time.sleep(1.1)  # a name holds the second
    made.press(ADAPT)
    assert made.get("Model") != first
    assert "From platenet: [2, 3, 4, 5]" in made.get("Answer")
    assert file.read_bytes() == before


def test_another_model_that_was_chosen_is_the_base(home):
    made = node().set(Model="bgm2020")
    made.press(ADAPT)
    assert "From bgm2020:" in made.get("Answer")


def test_a_connected_plate_and_mattes_go_along(home):
    kept = {}
    made = node(first=2, last=4).set(PlateFrame=-99999).connect("CleanPlate", lambda time: picture(time, 50))
    made.connect("Core", lambda time: Picture(np.full((4, 6), 0.5, np.float32)))

    def keep(words):
        if words == "Waiting for the engine":
            kept.update({path.name: read(path)[1] for path in home.glob("exchange/*/*.exr")})

    made.host.said = keep
    made.press(ADAPT)
    numbers = ("0002", "0003", "0004")
    assert sorted(kept) == sorted(f"{name}.{number}.exr" for name in ("core", "frame", "plate") for number in numbers)
    assert np.array_equal(kept["plate.0003.exr"], picture(3, 50))
    assert np.array_equal(kept["frame.0003.exr"], picture(3))
    assert "[2, 3, 4]" in made.get("Answer")
    made.host.saved.clear()
    made.press(INSPECT)
    assert "Core" not in {name for name, _ in made.host.saved}


@pytest.mark.parametrize(
    ("button", "moment", "words"),
    [
        (INSPECT, "Exporting", "The inspection was cancelled. Inspect again when it suits."),
        (INSPECT, "Measuring", "The inspection was cancelled. Inspect again when it suits."),
        (ADAPT, "Exporting", "Adapting was cancelled. Adapt again to go on where it was."),
        (ADAPT, "Waiting", "Adapting was cancelled. Adapt again to go on where it was."),
    ],
)
def test_cancel_ends_it_and_leaves_nothing(home, button, moment, words, monkeypatch, tmp_path):
    scenario(monkeypatch, tmp_path, delay=5.0)
    made = node()
    made.host.said = lambda told: moment in told and made.press("CancelAsking")
    made.press(button)
    assert made.get("Answer") == words
    assert made.host.changed == []
    assert leftovers(home) == []
    made.host.said = lambda told: None
    made.press(button)
    assert made.get("Answer") != words, "the next press asks anew"


@pytest.mark.parametrize(
    ("change", "footage", "words"),
    [
        ({"Space": 0}, True, "its working space is not chosen."),
        ({"PlateFrame": -99999}, True, "there is no clean plate."),
        ({"PlateFrame": 400}, True, "Fusion did not render frame 400 of 'Frame'."),
        ({"ExchangeFolder": "/dev/null/x"}, True, "cannot be made: Not a directory."),
        ({}, False, "nothing is connected to the input 'Frame'."),
    ],
)
@pytest.mark.parametrize("button", [INSPECT, ADAPT])
def test_what_cannot_be_asked_is_one_sentence(home, button, change, footage, words):
    made = node().set(**change).connect("Frame", lambda time: picture(time) if time < 100 else None)
    if not footage:
        made.host.footage.clear()
    made.press(button)
    assert words in made.get("Answer")
    assert made.get("Answer").startswith("Error ")
    assert "\nDo " in made.get("Answer")
    assert made.host.changed == []


@pytest.mark.parametrize(("first", "last"), [(1, 1), (-9, -1)])
def test_a_range_without_the_subject_is_one_sentence(home, first, last):
    made = node(first, last)
    made.press(INSPECT)
    assert "holds no frame but the clean plate's" in made.get("Answer")


def test_frames_below_0_are_left_out(home):
    made = node(-5, 3)
    made.press(INSPECT)
    assert "frames [0, 2, 3]" in made.get("Answer")


def test_without_ffi_or_a_question_the_script_says_so(home):
    made = node(without_ffi=True)
    made.press(INSPECT)
    assert "gives scripts no ffi" in made.get("Answer")
    asked = node()
    asked.run_script("PlateKey_Ask.lua")
    assert asked.host.console == [
        "PlateKey was asked nothing. Press 'Inspect plate' or 'Adapt to this shot' in a PlateKey."
    ]


def test_a_frame_is_keyed_while_the_node_waits_for_an_answer(home, tmp_path):
    made, seen = node(), []

    def rendered(words):
        if "Measuring" in words:
            seen.append(made.render(5.0))

    made.host.said = rendered
    made.press(INSPECT)
    assert [result.pixels for result in seen] == [None], "the fake engine's frames are no pictures"
    assert "keyed.0005.exr cannot be read" in seen[0].status
    assert journal(tmp_path / "journal", "frame") == ["frame 5"]
    assert "This plate can work" in made.get("Answer")


LINE = {"name": "focus", "verdict": "bad", "figure": "a blur of 2.0 px", "value": 2.0, "tip": "Lock focus."}
FINE = {"name": "grain", "verdict": "good", "figure": "1 %", "value": 0.01, "tip": ""}
FINDING = {"verdict": "watch", "text": "The lens zooms.", "tip": "Take another."}


@pytest.mark.parametrize(
    "found",
    [
        {"verdict": "bad", "lines": [LINE, FINE], "findings": [FINDING, {**FINDING, "tip": ""}], "missing": "1004"},
        {"verdict": "good", "lines": [FINE, {**FINE, "name": "colours alike"}], "findings": [], "missing": ""},
        {"verdict": "odd", "lines": [], "findings": []},
    ],
)
def test_the_answer_reads_as_in_the_other_nodes(found):
    lua = Comp().lua
    room = Path(__file__).parents[2] / "plugin" / "fusion"
    sections = {name: (room / name).read_text(encoding="utf-8") for name in ("fuse/json.lua", "script/answer.lua")}
    told = lua.execute(
        f"local json = (function() {sections['fuse/json.lua']} end)()"
        f"local answer = (function() {sections['script/answer.lua']} end)()"
        "return function(text) return answer.inspection(json.decode(text)) end"
    )
    assert told(json.dumps(found)) == inspection_text(found)
