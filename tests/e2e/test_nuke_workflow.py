"""From a Read to a render through the node, a real side-car and the real engine, driven by the stand-in for Nuke."""

import json
import os
import shutil

import nuke
import numpy as np
import pytest
from exr_files import write
from fake_nuke import session
from nuke_station import (
    CLEAN,
    FIRST,
    LAST,
    footage,
    key_node,
    new_script,
    picture,
    result,
    side_car_ends,
    side_car_environment,
    still,
    write_shot,
    writer,
)
from platekey.core.knobs import LAYERS
from platekey.nuke import anatomy, buttons, panel
from side_car import platekey

WHOLE = range(FIRST, LAST + 1)


@pytest.fixture(scope="module")
def station(tmp_path_factory):
    """A shot, and an environment in which one side-car and one engine serve every test."""
    folder = tmp_path_factory.mktemp("nuke wörk")
    write_shot(folder / "shöt")
    before = dict(os.environ)
    os.environ.update(side_car_environment(folder / "home"))
    os.environ["NUKE_TEMP_DIR"] = str(folder / "exchange")
    (folder / "exchange").mkdir()
    with side_car_ends(folder / "home"):
        yield folder
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def key(station, tmp_path):
    new_script(tmp_path / "comp wörk")
    return key_node(footage(station / "shöt"))


def press(key, button):
    """Press a button; what it printed and what it complained of."""
    running = session.running()
    running.printed.clear()
    running.messages.clear()
    key.group[button].execute()
    return " ".join(running.printed), running.messages


def processed(key):
    return [frame for frame in WHOLE if result(key, frame).exists()]


def at_rest(key, station):
    """Nothing is left of a run but its results."""
    assert all(key.inner(anatomy.export_name(name))["disable"].value() for name in anatomy.EXPORTS)
    assert list((station / "exchange").iterdir()) == []
    assert list(result(key, FIRST).parent.rglob("*.part")) == []
    assert session.running().undo_stopped == 0


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def by_command_line(station, out, frames, plate, *more):
    """The same key without Nuke; the results' folder."""
    out.mkdir(parents=True)
    linear = ["--colorspace", "lin_rec709", "--output-colorspace", "lin_rec709", "--layers", ",".join(LAYERS)]
    line = ["matte", str(frames), "--clean-plate", str(plate), "-o", str(out / "key.####.exr"), *linear, *more]
    done = platekey(dict(os.environ), *line)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def test_a_range_of_plain_footage(station, key, tmp_path):
    said, complaints = press(key, "process_range")
    assert complaints == []
    assert said == "PlateKey1: 6 frames: 6 made."
    assert processed(key) == list(WHOLE)
    shares = session.running().tasks[-1].shares
    assert shares == sorted(shares)
    assert shares[-1] > 80
    for words in ("Engine", "Device      cpu", "Model       platenet", "Last frame  1006 made", "Cache"):
        assert words in key.value("status")

    nuke.execute(writer(key.group, tmp_path / "out"), FIRST, LAST)
    reference = by_command_line(station, tmp_path / "ref", station / "shöt" / "plate.####.exr", CLEAN)
    for frame in WHOLE:
        expected = picture(reference / f"key.{frame}.exr")
        assert same(picture(result(key, frame)), expected)
        assert same(picture(tmp_path / "out" / f"out.{frame}.exr"), {name: expected[name] for name in "RGBA"})
    assert expected["A"].max() > 0.9

    assert press(key, "process_range")[0] == "PlateKey1: Nothing to do: 6 frames up to date."
    at_rest(key, station)


def test_exported_frames_give_the_very_same_pixels(station, key):
    """What a Read shows untouched comes out of the node's own Write bit by bit as it lies on disk."""
    session.running().file_transform = np.sqrt
    key.source("Frame")["raw"].setValue(True)
    press(key, "process_frame")
    direct = picture(result(key, 1003))
    key.group["direct"].setValue(False)
    said, complaints = press(key, "process_frame")
    assert (said, complaints) == ("PlateKey1: 1 frame: 1 made.", [])
    exported = result(key, 1003)
    assert exported.parent.name != "direct"
    assert same(picture(exported), direct)
    at_rest(key, station)


def test_a_graph_with_its_own_plate_and_a_garbage_matte(station, key, tmp_path):
    """The node's output equals the command line's on the same 32-bit exchange files."""
    grade = nuke.nodes.Multiply(inputs=[key.source("Frame")], value=1.25)
    bright = nuke.nodes.Multiply(inputs=[still(station / "shöt" / "clean.exr", "Clean")], value=1.25)
    garbage = still(station / "shöt" / "garbage.exr", "Roto")
    for name, node in (("Frame", grade), ("CleanPlate", bright), ("Garbage", garbage)):
        key.group.setInput(list(anatomy.INPUTS).index(name), node)
    key.group["depth"].setValue("float")
    key.group["range_first"].setValue(1002)
    key.group["range_last"].setValue(1003)
    assert press(key, "process_range") == ("PlateKey1: 2 frames: 2 made.", [])

    exchange = tmp_path / "exchange"
    for node, name, channels in ((grade, "frame", "rgb"), (bright, "plate", "rgb"), (garbage, "matte", "alpha")):
        node_writer = writer(node, exchange, channels)
        node_writer["file"].setValue(str(exchange / f"{name}.%04d.exr"))
        nuke.execute(node_writer, 1002, 1003)
    reference = by_command_line(
        station, tmp_path / "ref", exchange / "frame.####.exr", exchange / f"plate.{1002}.exr",
        "--garbage", str(exchange / "matte.####.exr"), "--depth", "float",
    )  # fmt: skip
    for frame in (1002, 1003):
        layers = picture(result(key, frame))
        assert same(layers, picture(reference / f"key.{frame}.exr"))
        assert not layers["A"][:, :20].any()
        assert layers["A"].max() > 0.9
    at_rest(key, station)


def test_a_window_reaches_beyond_the_range_and_ends_with_the_clip(station, key, tmp_path):
    """Frames processed one by one equal those processed together; neighbours are exported for them."""
    key.group["direct"].setValue(False)
    key.group["temporal_window"].setValue(1)
    press(key, "process_range")
    together = {frame: picture(result(key, frame)) for frame in (FIRST, 1004, LAST)}
    key.group["cache"].setValue(str(tmp_path / "elsewhere"))
    for frame, expected in together.items():
        nuke.frame(frame)
        assert press(key, "process_frame")[1] == []
        assert same(picture(result(key, frame)), expected)
    assert processed(key) == [FIRST, 1004, LAST]


@pytest.mark.parametrize("direct", [True, False])
def test_cancel_keeps_what_is_done_and_a_second_run_makes_the_rest(station, key, direct):
    key.group["direct"].setValue(direct)
    key.group["sensitivity"].setValue(0.11 if direct else 0.12)
    session.running().user_cancels_progress = 0
    _, complaints = press(key, "process_range")
    assert complaints == []
    assert "The run was cancelled." in key.value("status")
    done = processed(key)
    assert len(done) < len(WHOLE)
    at_rest(key, station)
    with pytest.raises(RuntimeError, match="are not processed"):
        nuke.execute(writer(key.group, station / "never"), FIRST, LAST)
    session.running().user_cancels_progress = None
    said, _ = press(key, "process_range")
    assert f"{len(WHOLE) - len(done)} frames" in said
    assert processed(key) == list(WHOLE)


def test_cancel_on_nukes_own_progress_bar(station, key):
    key.group["direct"].setValue(False)
    key.group["sensitivity"].setValue(0.13)
    session.running().user_cancels_render = 1004
    assert press(key, "process_range")[1] == []
    assert "The run was cancelled." in key.value("status")
    assert processed(key) in ([], [1001], [1001, 1002], [1001, 1002, 1003])
    at_rest(key, station)


def test_a_knob_turned_back_finds_its_results_and_a_new_one_needs_a_run(station, key, tmp_path):
    press(key, "process_frame")
    render = writer(key.group, tmp_path / "out")
    nuke.execute(render, 1003, 1003)
    key.group["black_point"].setValue(0.2)
    with pytest.raises(RuntimeError, match="not processed"):
        nuke.execute(render, 1003, 1003)
    press(key, "process_frame")
    darker = picture(result(key, 1003))["A"]
    key.group["black_point"].setValue(0.0)
    nuke.execute(render, 1003, 1003)
    assert not np.array_equal(picture(tmp_path / "out" / "out.1003.exr")["A"], darker)


def test_footage_that_changed_on_disk_is_keyed_again(station, tmp_path):
    shot = tmp_path / "shot"
    shutil.copytree(station / "shöt", shot)
    new_script(tmp_path / "comp")
    key = key_node(footage(shot))
    press(key, "process_range")
    before = {frame: picture(result(key, frame)) for frame in WHOLE}
    shutil.copy(shot / "plate.1005.exr", shot / "plate.1002.exr")
    assert press(key, "process_range")[0].endswith("PlateKey1: 1 frame: 1 made.")
    assert {frame for frame in WHOLE if not same(picture(result(key, frame)), before[frame])} == {1002}
    nuke.execute(writer(key.group, tmp_path / "out"), FIRST, LAST)


def test_two_nodes_one_after_the_other(station, key, tmp_path):
    """The second keys what the first lays over a background; all are processed in their order."""
    key.group["output_layer"].setValue("over background")
    key.group.setInput(5, still(station / "shöt" / "clean.exr", "Behind"))
    second = key_node(key.group)
    for it in (second, key):
        it.group["range_last"].setValue(1002)
    _, complaints = press(second, "process_range")
    assert "PlateKey2: Nuke cannot render frame 1001 of the frame: PlateKey1" in complaints[0]
    assert "Mend what Nuke names" in complaints[0]
    buttons.process_all()
    assert [len(list(result(it, FIRST).parent.glob("key.*.exr"))) for it in (key, second)] == [2, 2]
    nuke.execute(writer(second.group, tmp_path / "out"), FIRST, 1002)


def test_a_damaged_file_fails_its_frame_and_the_others_are_there(station, tmp_path):
    shot = tmp_path / "shot"
    shutil.copytree(station / "shöt", shot)
    (shot / "plate.1004.exr").write_bytes((shot / "plate.1004.exr").read_bytes()[:3000])
    new_script(tmp_path / "comp")
    key = key_node(footage(shot))
    _, complaints = press(key, "process_range")
    assert "1 of 6 frames failed (1004)." in complaints[0]
    assert "plate.1004.exr" in complaints[0]
    assert processed(key) == [1001, 1002, 1003, 1005, 1006]
    with pytest.raises(RuntimeError, match=r"1 of 6 frames are not processed \(1004\)"):
        nuke.execute(writer(key.group, tmp_path / "out"), FIRST, LAST)


@pytest.mark.parametrize("direct", [True, False])
def test_a_missing_file_is_named(station, tmp_path, direct):
    shot = tmp_path / "shot"
    shutil.copytree(station / "shöt", shot)
    (shot / "plate.1004.exr").unlink()
    new_script(tmp_path / "comp")
    key = key_node(footage(shot))
    key.group["direct"].setValue(direct)
    _, complaints = press(key, "process_range")
    assert "1004" in complaints[0]
    assert "plate." in complaints[0]
    at_rest(key, station)


def test_a_model_that_the_engine_does_not_have(station, key):
    key.group["model"].setValue("nobody")
    _, complaints = press(key, "process_frame")
    assert complaints == ["The engine has no model 'nobody'.\n\nChoose one of bgm2020, bgmv2, platenet."] or (
        "The engine has no model 'nobody'." in complaints[0]
    )


def test_a_project_that_moved_plays_its_results_back(station, key, tmp_path):
    """Another folder, another machine: the cache is named relative to the script, and footage by what it is."""
    press(key, "process_range")
    name = key.name
    nuke.scriptSave()
    moved = tmp_path / "moved"
    shutil.move(tmp_path / "comp wörk", moved)
    nuke.scriptOpen(str(moved / "comp.nk"))
    group = nuke.toNode(name)
    nuke.execute(writer(group, tmp_path / "out"), FIRST, LAST)
    assert len(list((tmp_path / "out").glob("*.exr"))) == len(WHOLE)


def test_highlights_and_negatives_come_through(station, tmp_path):
    shot = tmp_path / "shot"
    shutil.copytree(station / "shöt", shot)
    values = picture(shot / "plate.1003.exr")
    stacked = np.stack([values[name] for name in "RGB"], -1)
    stacked[40:50, 70:90] = (40.0, 3.0, -0.02)
    write(shot / "plate.1003.exr", stacked)
    new_script(tmp_path / "comp")
    key = key_node(footage(shot))
    key.group["direct"].setValue(False)
    press(key, "process_frame")
    layers = picture(result(key, 1003))
    whole = layers["R"] + (1 - layers["A"]) * layers["shadow_ratio.R"] * layers["cleanplate.R"] + layers["residual.R"]
    assert np.abs(whole - stacked[..., 0])[layers["validity.Y"] == 1].max() < 0.05
    assert layers["R"].max() > 30


def test_the_manifest_names_engine_and_weights(station, key):
    press(key, "process_frame")
    (record,) = result(key, 1003).parent.glob(".platekey/*.node.json")
    entry = json.loads(record.read_text(encoding="utf-8"))
    assert entry["engine"].startswith("0.1.0 ")
    assert len(entry["weights"]) == 64
    assert key.value(panel.ID) in str(record)
