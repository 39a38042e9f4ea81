"""No render with a matte that is missing or out of date, and none stopped for a matte that it does not use."""

import nuke
import pytest
from exr_files import read
from fake_nuke import session
from nuke_station import FIRST, LAST, footage, key_node, new_script, pretend, write_shot, writer
from platekey.nuke import anatomy

WHOLE = range(FIRST, LAST + 1)


@pytest.fixture
def shot(tmp_path):
    write_shot(tmp_path / "shot")
    return tmp_path / "shot"


@pytest.fixture
def comp(shot, tmp_path):
    """Plate -> Grade -> PlateKey, processed -> Write; its panel is closed, so nothing hears of a knob that turns."""
    new_script(tmp_path / "comp")
    grade = nuke.nodes.Multiply(name="Grade", inputs=[footage(shot)])
    key = key_node(grade)
    key.group.panel_open = False
    pretend(key, WHOLE)
    return key, grade, writer(key.group, tmp_path / "out")


def refused(write_node, first=FIRST, last=LAST):
    with pytest.raises(RuntimeError) as caught:
        nuke.execute(write_node, first, last)
    return str(caught.value)


def rendered(tmp_path):
    return sorted(int(path.name[4:8]) for path in (tmp_path / "out").glob("*.exr"))


def test_what_is_processed_renders(comp, tmp_path):
    nuke.execute(comp[2], FIRST, LAST)
    assert rendered(tmp_path) == list(WHOLE)
    assert read(tmp_path / "out" / "out.1004.exr")[1].max() == pytest.approx(0.1004)


def test_a_missing_frame_stops_the_render_and_every_missing_one_is_named(comp, tmp_path):
    key, _, write_node = comp
    for frame in (1003, 1005, 1006):
        (tmp_path / "comp").joinpath("platekey", key.value("platekey_id"), key.points_at(), f"key.{frame}.exr").unlink()
    told = refused(write_node)
    assert told.startswith("PlateKey1: 3 of 6 frames are not processed (1003,1005-1006).")
    assert told.endswith("Process these frames in the node, then render again.")
    assert rendered(tmp_path) == [1001, 1002]


def test_frames_that_are_not_rendered_are_not_asked_for(comp, tmp_path):
    key, _, write_node = comp
    next((tmp_path / "comp").rglob("key.1006.exr")).unlink()
    nuke.execute(write_node, FIRST, 1005)
    assert rendered(tmp_path) == list(range(FIRST, 1006))
    assert key.name in refused(write_node, 1006, 1006)


@pytest.mark.parametrize(
    "change",
    [
        lambda key, grade: key.group["edge_shift"].setValue(2),
        lambda key, grade: grade["value"].setValue(1.1),
        lambda key, grade: grade["disable"].setValue(True),
        lambda key, grade: key.group.setInput(0, grade.input(0)),
        lambda key, grade: nuke.root()["workingSpaceLUT"].setValue("ACES - ACEScg"),
    ],
)
def test_a_change_since_the_processing_stops_the_render_before_its_first_frame(comp, tmp_path, change):
    key, grade, write_node = comp
    change(key, grade)
    assert refused(write_node).startswith("PlateKey1: it has not been processed with its present inputs and settings.")
    assert rendered(tmp_path) == []


def test_a_file_that_changed_makes_its_frame_stale(comp, shot, tmp_path):
    (shot / "plate.1004.exr").write_bytes((shot / "plate.1002.exr").read_bytes())
    assert "1 of 6 frames are out of date (1004)" in refused(comp[2])
    assert rendered(tmp_path) == [1001, 1002, 1003]


def test_missing_and_stale_are_told_apart(comp, shot, tmp_path):
    (shot / "plate.1002.exr").write_bytes((shot / "plate.1003.exr").read_bytes())
    next((tmp_path / "comp").rglob("key.1001.exr")).unlink()
    told = refused(comp[2])
    assert "1 of 6 frames are not processed (1001), 1 of 6 frames are out of date (1002)." in told


def test_an_engine_that_is_newer_than_the_results_stops_no_render(comp):
    """The guard runs where no engine is; a newer engine makes a difference when frames are processed."""
    nuke.execute(comp[2], FIRST, FIRST)


@pytest.mark.parametrize("layer", ["fg", "cleanplate"])
def test_a_layer_that_is_not_delivered_is_not_rendered_black(comp, layer):
    key, _, write_node = comp
    key.group["all_layers"].setValue(False)
    pretend(key, WHOLE)
    nuke.execute(write_node, FIRST, FIRST)
    key.group["output_layer"].setValue(layer)
    assert f"PlateKey1: its output '{layer}' is not among the layers that it delivers." in refused(write_node)
    key.group["process_frame"].execute()
    assert "Switch on 'Deliver plate and foreground'" in session.running().messages[0]


@pytest.mark.parametrize("way", ["disabled", "frame", "switched", "unwired"])
def test_a_node_that_is_not_used_stops_nothing(comp, tmp_path, way):
    key, grade, write_node = comp
    key.group["edge_shift"].setValue(3)
    if way == "disabled":
        key.group["disable"].setValue(True)
    elif way == "frame":
        key.group["output_layer"].setValue("frame")
    elif way == "switched":
        write_node.setInput(0, nuke.nodes.Switch(inputs=[grade, key.group], which=0))
    else:
        write_node.setInput(0, grade)
    nuke.execute(write_node, FIRST, FIRST)
    assert rendered(tmp_path) == [FIRST]


def test_the_preview_uses_the_background_too(comp, shot, tmp_path):
    key, _, write_node = comp
    other = key_node(footage(shot, "Second"))
    other.group.panel_open = False
    key.group.setInput(anatomy_index("Background"), other.group)
    pretend(key, WHOLE)
    nuke.execute(write_node, FIRST, FIRST)
    key.group["output_layer"].setValue("over background")
    assert refused(write_node).startswith("PlateKey2: ")


def anatomy_index(name):
    return list(anatomy.INPUTS).index(name)


def test_a_node_inside_a_group_is_found(comp, shot, tmp_path):
    _, _, write_node = comp
    with nuke.nodes.Group(name="Box") as box:
        inside = key_node(nuke.nodes.Input())
        nuke.nodes.Output(inputs=[inside.group])
    box.setInput(0, footage(shot, "Third"))
    write_node.setInput(0, box)
    assert "Box.PlateKey1: it has not been processed" in refused(write_node)


def test_behind_a_time_offset_the_read_itself_is_the_guard(comp, tmp_path):
    """Frame 1003 shows the result of 1001: which result a frame uses is not known, so the missing file decides."""
    key, _, write_node = comp
    write_node.setInput(0, nuke.nodes.TimeOffset(inputs=[key.group], time_offset=2))
    next((tmp_path / "comp").rglob("key.1004.exr")).unlink()
    nuke.execute(write_node, 1003, 1005)
    assert "key.1004.exr: No such file" in refused(write_node, 1006, 1006)
    key.group["edge_shift"].setValue(1)
    assert "not been processed with" in refused(write_node, 1003, 1003)


def test_saving_points_every_node_at_its_present_state(comp, tmp_path):
    """So a farm without PlateKey asks for results of these settings, and fails where there are none."""
    key, grade, _ = comp
    before = key.points_at()
    grade["value"].setValue(2)
    assert key.points_at() == before
    nuke.scriptSave()
    assert key.points_at() != before
    assert key.points_at() in (tmp_path / "comp" / "comp.nk").read_text(encoding="utf-8")
    assert "Not processed yet" in key.value("status")
    grade["value"].setValue(1)
    nuke.scriptSave()
    assert key.points_at() == before
    assert "Processed before" in key.value("status")


def test_other_results_are_deleted_on_request_and_those_of_a_copy_stay(comp, tmp_path):
    key, _, _ = comp
    for shift in (1, 2, 0):
        key.group["edge_shift"].setValue(shift)
        pretend(key, [FIRST])
    for node in nuke.allNodes():
        node.setSelected(node is key.group)
    nuke.nodeCopy(str(tmp_path / "clipboard.nk"))
    copy = nuke.nodePaste(str(tmp_path / "clipboard.nk"))
    assert copy["platekey_id"].value() == key.value("platekey_id")
    copy.setInput(0, key.source("Frame"))
    copy["edge_shift"].setValue(2)
    folder = tmp_path / "comp" / "platekey" / key.value("platekey_id")
    assert len(list(folder.iterdir())) == 3
    session.running().answer = False
    key.group["clear_results"].execute()
    assert len(list(folder.iterdir())) == 3
    session.running().answer = True
    key.group["clear_results"].execute()
    assert len(list(folder.iterdir())) == 2
    assert (folder / key.points_at()).is_dir()
