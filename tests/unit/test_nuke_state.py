"""When a node's results are still true: what is noticed, what is not worth noticing, and at which frames."""

import os

import nuke
import numpy as np
import pytest
from exr_files import write
from nuke_station import CLEAN, FIRST, LAST, SIZE, footage, key_node, new_script, write_shot
from platekey.nuke import graph
from platekey.nuke.node import all_key_nodes
from platekey.nuke.state import NodeState


@pytest.fixture(scope="module")
def shot(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shot")
    write_shot(folder)
    return folder


@pytest.fixture
def script(shot, tmp_path):
    """Plate -> Grade -> PlateKey."""
    new_script(tmp_path)
    plate = footage(shot)
    grade = nuke.nodes.Multiply(name="Grade", inputs=[plate], value=1.5)
    return plate, grade, key_node(grade)


def touch(path):
    """Change a file: another time, the same bytes."""
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 5_000_000))


def states(key, frames=range(FIRST, LAST + 1)):
    state = NodeState(key)
    return {frame: state.at(frame, "engine", "weights") for frame in frames}


@pytest.mark.parametrize(
    "change",
    [
        lambda plate, grade, key: grade["value"].setValue(1.6),
        lambda plate, grade, key: grade["disable"].setValue(True),
        lambda plate, grade, key: plate["colorspace"].setValue("sRGB"),
        lambda plate, grade, key: plate["last"].setValue(LAST - 1),
        lambda plate, grade, key: key.group["sensitivity"].setValue(0.1),
        lambda plate, grade, key: key.group["clean_frame"].setValue(CLEAN + 1),
        lambda plate, grade, key: key.group["direct"].setValue(False),
        lambda plate, grade, key: key.group["working_space"].setValue("ACEScg"),
        lambda plate, grade, key: key.group.setInput(2, plate),
        lambda plate, grade, key: key.group.setInput(0, plate),
        lambda plate, grade, key: nuke.root()["workingSpaceLUT"].setValue("ACES - ACEScg"),
        lambda plate, grade, key: nuke.root()["format"].setValue("320 180 0 0 320 180 1 "),
    ],
)
def test_what_changes_pixels_changes_the_folder_and_back_again(script, change):
    before = NodeState(script[2]).folder
    change(*script)
    assert NodeState(script[2]).folder != before


@pytest.mark.parametrize(
    "change",
    [
        lambda plate, grade, key: grade.setXYpos(500, 500),
        lambda plate, grade, key: grade.setName("Colour"),
        lambda plate, grade, key: grade["label"].setValue("brighter"),
        lambda plate, grade, key: grade["tile_color"].setValue(7),
        lambda plate, grade, key: plate["reload"].execute(),
        lambda plate, grade, key: plate["rescan_range"].setValue(True),
        lambda plate, grade, key: key.group["residual_gain"].setValue(0.5),
        lambda plate, grade, key: key.group["output_layer"].setValue("shadow"),
        lambda plate, grade, key: key.group["range_last"].setValue(LAST),
        lambda plate, grade, key: key.group.setInput(5, plate),
        lambda plate, grade, key: nuke.root()["last_frame"].setValue(2000),
    ],
)
def test_what_changes_no_pixel_changes_nothing(script, change):
    before = states(script[2])
    change(*script)
    assert states(script[2]) == before


def test_turning_a_knob_back_leads_to_the_first_results(script):
    key = script[2]
    first = key.points_at()
    key.group["edge_shift"].setValue(2)
    assert key.points_at() != first
    key.group["edge_shift"].setValue(0)
    assert key.points_at() == first


def test_a_file_that_changes_makes_its_own_frame_stale(script, shot):
    before = states(script[2])
    touch(shot / "plate.1004.exr")
    assert {frame for frame, state in states(script[2]).items() if state != before[frame]} == {1004}


def test_the_clean_plates_file_makes_every_frame_stale(script, shot):
    before = states(script[2])
    touch(shot / f"plate.{CLEAN}.exr")
    assert all(state != before[frame] for frame, state in states(script[2]).items())


def test_a_temporal_window_depends_on_its_neighbours(script, shot):
    script[2].group["temporal_window"].setValue(1)
    before = states(script[2])
    touch(shot / "plate.1004.exr")
    assert {frame for frame, state in states(script[2]).items() if state != before[frame]} == {1003, 1004, 1005}


def test_behind_a_node_that_looks_at_other_frames_every_file_counts(script, shot):
    plate, grade, key = script
    late = nuke.nodes.TimeOffset(inputs=[plate], time_offset=1)
    grade.setInput(0, late)
    before = states(key)
    touch(shot / "plate.1004.exr")
    assert all(state != before[frame] for frame, state in states(key).items())


def test_a_read_that_starts_elsewhere_counts_with_all_its_files(script, shot):
    plate, _, key = script
    plate["frame_mode"].setValue("start at")
    plate["frame"].setValue("1")
    before = states(key)
    touch(shot / "plate.1004.exr")
    assert states(key)[1002] != before[1002]


def test_a_read_that_holds_depends_on_the_frame_it_holds(script, shot):
    plate, _, key = script
    plate["last"].setValue(1003)
    before = states(key)
    touch(shot / "plate.1003.exr")
    assert {frame for frame, state in states(key).items() if state != before[frame]} == {1003, 1004, 1005, 1006}


def test_a_file_elsewhere_in_the_graph_counts_too(script, tmp_path):
    key = script[2]
    matte = tmp_path / "matte.exr"
    write(matte, np.zeros((*SIZE, 1), np.float32), channels=("A",))
    key.group.setInput(2, nuke.nodes.Read(file=str(matte), last=LAST))
    before = states(key)
    touch(matte)
    assert all(state != before[frame] for frame, state in states(key).items())


def test_the_same_project_under_another_folder_keeps_its_state(shot, tmp_path):
    folders = []
    for place in ("here", "there"):
        new_script(tmp_path / place)
        (tmp_path / place / "in").symlink_to(shot)
        plate = footage(shot)
        plate["file"].setValue("[file dirname [value root.name]]/in/plate.%04d.exr")
        key = key_node(plate)
        folders.append((NodeState(key).folder, states(key)))
    assert folders[0] == folders[1]


def test_a_script_that_is_opened_again_has_the_state_it_was_saved_with(script):
    before = NodeState(script[2]).folder, states(script[2])
    nuke.scriptSave()
    nuke.scriptOpen(nuke.root()["name"].value())
    (key,) = all_key_nodes()
    assert (NodeState(key).folder, states(key)) == before


class TestWalk:
    def names(self, node):
        return {it.node.name(): it.same_frame for it in graph.walk(node)}

    def test_it_follows_what_is_shown(self, script):
        grade = script[1]
        other = nuke.nodes.Constant(name="Other")
        choice = nuke.nodes.Switch(name="Choice", inputs=[grade, other], which=1)
        assert self.names(choice) == {"Choice": True, "Other": True}
        choice["which"].setExpression("frame")
        assert self.names(choice).keys() == {"Choice", "Other", "Grade", "Plate"}
        choice["which"].setValue(0)
        grade["disable"].setValue(True)
        grade.setInput(1, other)
        assert self.names(choice).keys() == {"Choice", "Grade", "Plate"}

    def test_it_goes_into_groups_and_out_of_them(self, script):
        plate, _, _ = script
        with nuke.nodes.Group(name="Box") as box:
            inside = nuke.nodes.Dot(name="Inside", inputs=[nuke.nodes.Input()])
            nuke.nodes.Constant(name="Unused")
            nuke.nodes.Output(inputs=[inside])
        box.setInput(0, plate)
        assert self.names(box).keys() == {"Box", "Output1", "Inside", "Input1", "Plate"}
        assert self.names(inside).keys() == {"Inside", "Input1", "Plate"}

    def test_a_node_seen_at_its_own_frame_and_at_another_is_seen_at_any(self, script):
        plate, grade, _ = script
        late = nuke.nodes.TimeOffset(name="Late", inputs=[plate])
        both = nuke.nodes.Merge2(name="Both", inputs=[grade, late])
        assert self.names(both) == {"Both": True, "Grade": True, "Late": True, "Plate": False}

    def test_a_knob_that_follows_another_counts_with_it(self, shot, tmp_path):
        new_script(tmp_path)
        with nuke.nodes.Group(name="Box") as box:
            box.addKnob(nuke.Double_Knob("gain", "gain"))
            inside = nuke.nodes.Multiply(inputs=[nuke.nodes.Input()])
            inside["value"].setExpression("parent.gain")
            nuke.nodes.Output(inputs=[inside])
        box.setInput(0, footage(shot))
        key = key_node(box)
        before = NodeState(key).folder
        box["gain"].setValue(2)
        assert NodeState(key).folder != before
