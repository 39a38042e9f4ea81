"""Shot folders: what is written comes back, and what is wrong with one is said by the name of its file."""

import json
import shutil

import numpy as np
import pytest
import truth_shots
from exr_files import write

from engine.errors import EngineError
from engine.evaluation.shot_folder import find_shots, read_shot, write_shot, write_whole


@pytest.fixture
def folder(tmp_path):
    """A folder with one sound shot, ``set/one``."""
    write_shot(tmp_path / "set" / "one", truth_shots.shot(), {"seed": 7})
    return tmp_path / "set"


def only(folder):
    (found,) = find_shots(folder)
    return found


def failure(folder):
    with pytest.raises(EngineError) as caught:
        read_shot(only(folder))
    return caught.value


def test_a_shot_comes_back_as_it_was_written(folder):
    made, read = truth_shots.shot(), read_shot(only(folder))
    assert (read.name, read.group, read.space, read.numbers, read.clean) == (
        "one",
        "here",
        made.space,
        (1001, 1002),
        True,
    )
    for name in ("alphas", "foregrounds", "shadows"):
        np.testing.assert_array_equal(getattr(read, name), getattr(made, name))
    np.testing.assert_array_equal(read.frames, np.float16(made.frames).astype(np.float32))
    np.testing.assert_array_equal(read.plate, np.float16(made.plate).astype(np.float32))


def test_facts_are_kept_beside_the_shot(folder):
    stated = json.loads((folder / "one" / "shot.json").read_text())
    assert stated == {"group": "here", "space": "lin_rec709", "clean": True, "seed": 7}


def test_without_facts_the_parent_is_the_group_and_the_shot_is_not_clean(folder):
    (folder / "one" / "shot.json").unlink()
    found = only(folder)
    assert (found.group, found.space, found.clean) == ("set", "lin_rec709", False)


def test_the_folder_itself_may_be_the_shot(folder):
    found = only(folder / "one")
    assert (found.name, found.path.name) == ("one", "one")


def test_shots_are_found_at_any_depth_and_other_folders_are_not_shots(folder):
    write_shot(folder / "b.c" / "two", truth_shots.shot(), {})
    (folder / "evaluation").mkdir()
    (folder / "evaluation" / "figures.png").touch()
    assert [shot.name for shot in find_shots(folder)] == ["b.c/two", "one"]


def test_shadows_may_be_left_out_but_not_in_part(folder):
    (folder / "one" / "shadow.1002.exr").unlink()
    assert "shadow.1002.exr is missing" in failure(folder).message
    (folder / "one" / "shadow.1001.exr").unlink()
    assert read_shot(only(folder)).shadows is None


@pytest.mark.parametrize("missing", ["plate.exr", "gt.1002.exr"])
def test_a_missing_file_is_named(folder, missing):
    (folder / "one" / missing).unlink()
    error = failure(folder)
    assert error.reason == "FILE_MISSING"
    assert missing in error.message


def test_a_shot_without_frames_is_named(folder):
    for path in (folder / "one").glob("frame.*"):
        path.unlink()
    assert "one holds no frame" in failure(folder).message


@pytest.mark.parametrize("name", ["plate.exr", "gt.1001.exr", "frame.1002.exr", "shadow.1002.exr"])
def test_another_size_is_named(folder, name):
    write(folder / "one" / name, np.zeros((50, 60, 4), np.float32))
    error = failure(folder)
    assert error.reason == "SIZE_MISMATCH"
    assert f"one/{name}" in error.message
    assert "60 x 50" in error.message


def test_a_truth_without_alpha_is_named(folder):
    write(folder / "one" / "gt.1002.exr", np.zeros((*truth_shots.SIZE, 3), np.float32))
    error = failure(folder)
    assert error.reason == "CHANNELS_MISSING"
    assert "gt.1002.exr" in error.message


def test_wrong_channels_are_named(folder):
    write(folder / "one" / "frame.1001.exr", np.zeros((*truth_shots.SIZE, 1), np.float32), channels=("Z",))
    error = failure(folder)
    assert error.reason == "CHANNELS_MISSING"
    assert "frame.1001.exr" in str(error)


def test_a_truth_that_is_no_number_is_refused(folder):
    truth = np.zeros((*truth_shots.SIZE, 4), np.float32)
    truth[3, 4, 1] = np.nan
    write(folder / "one" / "gt.1001.exr", truth)
    error = failure(folder)
    assert error.reason == "VALUE_OUT_OF_RANGE"
    assert "gt.1001.exr" in error.message


def test_a_damaged_file_is_named(folder):
    (folder / "one" / "gt.1001.exr").write_bytes(b"\x76\x2f\x31\x01 and then nothing")
    error = failure(folder)
    assert error.reason == "IMAGE_UNREADABLE"
    assert "gt.1001.exr" in error.message


@pytest.mark.parametrize("text", ["{", "[1]", "null"])
def test_facts_that_are_none_are_named(folder, text):
    (folder / "one" / "shot.json").write_text(text)
    with pytest.raises(EngineError, match=r"shot\.json") as caught:
        find_shots(folder)
    assert caught.value.reason == "BAD_REQUEST"


def test_an_empty_or_absent_folder_is_named(tmp_path):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(EngineError, match=folder.name) as caught:
            find_shots(folder)
        assert caught.value.reason == "FILE_MISSING"


def test_a_file_is_whole_or_not_there(tmp_path):
    write_whole(tmp_path / "a", b"old")
    shutil.os.mkdir(tmp_path / "b")
    with pytest.raises(OSError, match="b"):
        write_whole(tmp_path / "b", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
