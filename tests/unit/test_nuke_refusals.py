"""What the node cannot do, it says in one sentence with the next step, before anything is rendered or asked for."""

import os
import stat

import nuke
import numpy as np
import pytest
from exr_files import write
from fake_nuke import session
from nuke_station import CLEAN, FIRST, LAST, footage, key_node, new_script, still, write_shot
from platekey.core.errors import LinkError
from platekey.nuke import anatomy, build, panel
from platekey.nuke.colour import colour_of
from platekey.nuke.inputs import Inputs
from platekey.nuke.monitor import Monitor
from platekey.nuke.node import KeyNode
from platekey.nuke.process import process


class Unwanted(Exception):
    """The side-car was asked."""


def unwanted():
    raise Unwanted


@pytest.fixture(scope="module")
def shot(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shöt with spaces")
    write_shot(folder)
    return folder


@pytest.fixture
def key(shot, tmp_path):
    new_script(tmp_path / "comp")
    return key_node(footage(shot))


def refused(key, frames=(1003,)):
    with pytest.raises(LinkError) as caught:
        process(key, frames, Monitor(), unwanted)
    resting(key)
    error = caught.value
    assert error.message.endswith(".")
    assert error.message.count(". ") == 0
    assert error.next_step.endswith(".")
    return str(error)


def resting(key):
    for name in anatomy.EXPORTS:
        node = key.inner(anatomy.export_name(name))
        assert node["disable"].value()
        assert node["file"].value() == ""


def test_what_is_sound_gets_as_far_as_the_side_car(key):
    with pytest.raises(Unwanted):
        process(key, [1003], Monitor(), unwanted)
    resting(key)


def test_nothing_connected(key):
    key.group.setInput(0, None)
    assert "PlateKey1: nothing is connected to the input 'frame'." in refused(key)


def test_a_disabled_read(key):
    key.source("Frame")["disable"].setValue(True)
    assert "Plate above it is disabled." in refused(key)


def test_a_disabled_node_that_passes_its_input_on_is_all_right(key):
    grade = nuke.nodes.Multiply(inputs=[key.source("Frame")], disable=True)
    key.group.setInput(0, grade)
    with pytest.raises(Unwanted):
        process(key, [1003], Monitor(), unwanted)


def test_a_clean_plate_of_another_format(key, tmp_path):
    write(tmp_path / "small.exr", np.ones((45, 80, 3), np.float32))
    key.group.setInput(1, still(tmp_path / "small.exr", "Small"))
    assert "the clean plate is 80x45, the frame is 160x90." in refused(key)
    assert "Reformat the clean plate" in refused(key)


@pytest.mark.parametrize("frame", [FIRST - 1, LAST + 1])
def test_a_clean_plate_frame_outside_the_clip(key, frame):
    key.group["clean_frame"].setValue(frame)
    assert f"the clean plate's frame {frame} is outside the clip, {FIRST}-{LAST}." in refused(key)


@pytest.mark.parametrize("frame", [0, 1, LAST + 50])
def test_a_still_needs_no_frame(key, shot, frame):
    key.group.setInput(1, still(shot / "clean.exr", "Empty"))
    key.group["clean_frame"].setValue(frame)
    with pytest.raises(Unwanted):
        process(key, [1003], Monitor(), unwanted)
    assert Inputs(key, [1003]).options("/o.%04d.exr")["clean_plate"].endswith("CleanPlate.0001.exr")


def test_a_plate_frame_outside_a_clip_of_its_own(key, shot):
    key.group.setInput(1, footage(shot, "Empty"))
    key.group["clean_frame"].setValue(1)
    assert f"the clean plate's frame 1 is outside the clip, {FIRST}-{LAST}." in refused(key)


def test_a_plate_that_runs_along_needs_no_frame(key, shot):
    key.group.setInput(1, footage(shot, "Empty"))
    key.group["plate_mode"].setValue(panel.PLATE_MODES[1])
    key.group["clean_frame"].setValue(1)
    with pytest.raises(Unwanted):
        process(key, [1003], Monitor(), unwanted)


def test_proxy_mode(key):
    nuke.root()["proxy"].setValue(True)
    assert "the host is in proxy mode." in refused(key)


def test_several_views(key):
    nuke.addView("right")
    assert "this script has the views main, right, and the node keys one." in refused(key)


def test_one_view_picked_right_above_the_node(key):
    nuke.addView("right")
    view = nuke.nodes.OneView(inputs=[key.source("Frame")], view="right")
    key.group.setInput(0, nuke.nodes.Dot(inputs=[view]))
    with pytest.raises(Unwanted):
        process(key, [1003], Monitor(), unwanted)


def test_frames_below_nought(key):
    assert "frame -3 is below 0" in refused(key, [-3, 1001])


def test_a_script_that_was_never_saved(shot):
    session.start()
    key = key_node(footage(shot))
    assert "the script is not saved, so its cache folder is nowhere." in refused(key)


def test_a_relative_cache_lies_in_the_project_folder(key, tmp_path):
    key.group["cache"].setValue("mattes")
    nuke.root()["project_directory"].setValue(str(tmp_path / "project"))
    with pytest.raises(Unwanted):
        process(key, [1003], Monitor(), unwanted)
    assert (tmp_path / "project" / "mattes" / key.value(panel.ID) / key.points_at()).is_dir()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_cache_that_cannot_be_written(key, tmp_path):
    (tmp_path / "comp").chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert "cannot be written: Permission denied." in refused(key)


def test_a_cache_where_a_file_lies(key, tmp_path):
    (tmp_path / "comp" / "platekey").write_text("mine", encoding="utf-8")
    assert "cannot be written" in refused(key)


def test_an_inner_node_that_somebody_took_out(key):
    nuke.delete(key.inner("Results"))
    with pytest.raises(LinkError, match="its inner node Results is gone"):
        process(key, [1003], Monitor(), unwanted)


def test_a_range_that_ends_before_it_begins(key):
    key.group["range_last"].setValue(FIRST - 1)
    key.group["process_range"].execute()
    assert "its range, 1001-1000, ends before it begins." in session.running().messages[0]
    assert key.value("status").startswith("Error")


def test_a_node_that_was_never_given_a_range(shot, tmp_path):
    new_script(tmp_path)
    key = KeyNode(build.create())
    key.group.setInput(0, footage(shot))
    key.group["process_range"].execute()
    assert "its range, 0--1, ends before it begins." in session.running().messages[0]


def test_no_folder_for_exported_frames(key, monkeypatch, tmp_path):
    monkeypatch.setenv("NUKE_TEMP_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(LinkError, match=r"the folder for exported frames, .*nowhere, cannot be written"):
        Inputs(key, [1003]).__enter__()
    resting(key)


def test_a_button_shows_the_sentence_in_the_node_and_in_a_window(key):
    key.group["clean_frame"].setValue(5)
    key.group["process_frame"].execute()
    (shown,) = session.running().messages
    assert "the clean plate's frame 5 is outside the clip" in shown
    assert "Error" in key.value("status")
    assert "Do " in key.value("status")


def test_a_side_car_that_cannot_be_started(key, monkeypatch, tmp_path):
    monkeypatch.setenv("PLATEKEY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PLATEKEY_SIDE_CAR", "/no/such/platekey link")
    key.group["process_frame"].execute()
    assert "PlateKey's side-car cannot be started" in session.running().messages[0]
    resting(key)


class TestColour:
    def test_nukes_own_linear_is_rec_709(self, key):
        assert colour_of(key) == ("platekey://studio", "lin_rec709")

    def test_a_config_of_the_artists(self, key, tmp_path):
        root = nuke.root()
        for knob, value in (("colorManagement", "OCIO"), ("OCIO_config", "custom")):
            root[knob].setValue(value)
        root["customOCIOConfigPath"].setValue(str(tmp_path / "show.ocio"))
        root["workingSpaceLUT"].setValue("scene_linear (ACES - ACEScg)")
        assert colour_of(key) == (str(tmp_path / "show.ocio"), "ACES - ACEScg")

    def test_the_environments_config_comes_first(self, key, monkeypatch):
        nuke.root()["colorManagement"].setValue("OCIO")
        monkeypatch.setenv("OCIO", "/show/config.ocio")
        assert colour_of(key).config == "/show/config.ocio"

    @pytest.mark.parametrize("place", ["aces_1.2/config.ocio", "aces_1.2.ocio"])
    def test_a_config_that_comes_with_nuke(self, key, tmp_path, monkeypatch, place):
        monkeypatch.delenv("OCIO", raising=False)
        session.running().executable = str(tmp_path / "Nuke")
        file = tmp_path / "plugins" / "OCIOConfigs" / "configs" / place
        file.parent.mkdir(parents=True)
        file.touch()
        nuke.root()["colorManagement"].setValue("OCIO")
        nuke.root()["OCIO_config"].setValue("aces_1.2")
        assert colour_of(key) == (str(file), "linear")

    def test_a_config_that_cannot_be_found(self, key, monkeypatch):
        monkeypatch.delenv("OCIO", raising=False)
        nuke.root()["colorManagement"].setValue("OCIO")
        with pytest.raises(LinkError, match="OCIO config 'nuke-default' has no file"):
            colour_of(key)

    def test_the_nodes_own_knobs_win(self, key):
        key.group["ocio_config"].setValue("/mine.ocio")
        key.group["working_space"].setValue("Linear P3 (D65)")
        assert colour_of(key) == ("/mine.ocio", "Linear P3 (D65)")


def test_the_frame_without_the_subject_is_the_viewers(key):
    viewer = nuke.nodes.Viewer(frame=CLEAN + 3)
    session.running().viewer = viewer
    key.group["use_viewer_frame"].execute()
    assert key.value("clean_frame") == CLEAN + 3
    session.running().viewer = None
    nuke.frame(CLEAN + 1)
    key.group["use_viewer_frame"].execute()
    assert key.value("clean_frame") == CLEAN + 1
