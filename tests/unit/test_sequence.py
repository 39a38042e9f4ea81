"""Numbered files: patterns, folders, stills, gaps."""

import pytest

from host_bridge.errors import BridgeError
from host_bridge.files.sequence import open_clip, parse_range
from host_bridge.files.shot import open_shot
from host_bridge.options import MatteOptions


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "shöt [v2] a b"
    place.mkdir()
    return place


def touch(folder, *names):
    for name in names:
        (folder / name).touch()


@pytest.mark.parametrize("pattern", ["plate.####.exr", "plate.@@@@.exr", "plate.%04d.exr", "plate.$F4.exr"])
def test_every_notation_finds_the_same_files(folder, pattern):
    touch(
        folder,
        "plate.0998.exr",
        "plate.1001.exr",
        "plate.12345.exr",
        "plate.77.exr",
        "plate.1001.png",
        "other.1002.exr",
    )

    clip = open_clip(str(folder / pattern))

    assert list(clip.paths) == [998, 1001, 12345]
    assert clip.path(1001) == folder / "plate.1001.exr"
    assert not clip.still


def test_negative_frames_are_found(folder):
    touch(folder, "a.-003.exr", "a.0001.exr")
    assert list(open_clip(str(folder / "a.####.exr")).paths) == [-3, 1]


def test_a_folder_with_one_sequence_is_that_sequence(folder):
    touch(folder, "plate.1001.exr", "plate.1002.exr", "notes.txt", "poster.jpg")
    assert list(open_clip(str(folder)).paths) == [1001, 1002]


def test_a_folder_with_two_sequences_is_refused_by_name(folder):
    touch(folder, "a.1001.exr", "a.1002.exr", "b.1001.exr", "b.1002.exr")
    with pytest.raises(BridgeError, match=r"several sequences: a\.####\.exr \(1001-1002\), b") as caught:
        open_clip(str(folder))
    assert caught.value.reason == "BAD_REQUEST"


def test_sequences_that_differ_in_digits_are_listed_as_they_are_named(folder):
    touch(folder, "f.3.exr", "f.4.exr", "f.003.exr")
    with pytest.raises(BridgeError, match=r": f\.###\.exr \(3\), f\.#\.exr \(3-4\)\."):
        open_clip(str(folder))


def test_an_empty_folder_is_refused(folder):
    with pytest.raises(BridgeError, match="no image sequence"):
        open_clip(str(folder))


def test_one_file_is_a_still_with_the_number_of_its_name(folder):
    touch(folder, "plate.1007.exr", "clean.png")

    numbered, plain = open_clip(str(folder / "plate.1007.exr")), open_clip(str(folder / "clean.png"))

    assert (numbered.still, numbered.first, plain.first) == (True, 1007, 1)
    assert plain.path(1234) == folder / "clean.png"


def test_missing_frames_are_named_as_ranges(folder):
    touch(folder, *(f"p.{number}.exr" for number in (1001, 1002, 1006, 1009)))
    with pytest.raises(BridgeError, match=r"missing 1003-1005,1007-1008") as caught:
        open_clip(str(folder / "p.####.exr")).require(range(1001, 1010), "frames")
    assert caught.value.reason == "FILE_MISSING"
    assert caught.value.facts == {"frames": "1003-1005,1007-1008"}


@pytest.mark.parametrize("name", ["nothing.####.exr", "nothing.exr", "gone/p.####.exr"])
def test_nothing_on_disk_is_an_error(folder, name):
    with pytest.raises(BridgeError) as caught:
        open_clip(str(folder / name))
    assert caught.value.reason == "FILE_MISSING"


def test_ranges_are_read_as_people_write_them():
    assert parse_range("1001-1010x3") == (1001, 1004, 1007, 1010)
    assert parse_range("1,5-6") == (1, 5, 6)
    assert parse_range("-5--3") == (-5, -4, -3)


@pytest.mark.parametrize("text", ["a-b", "1-", "1-1000000000", "1002.5", "1-3x0.5", " "])
def test_a_range_that_cannot_be_is_refused(text):
    with pytest.raises(BridgeError, match="no range of whole frames"):
        parse_range(text)


@pytest.mark.parametrize(
    ("name", "frame"),
    [("f.1001.5.exr", None), ("shot_1001.25.exr", None), ("f.2.1001.exr", 1001), ("v012.1001.exr", 1001)],
)
def test_a_subframe_is_no_frame(folder, name, frame):
    touch(folder, name, "clean.exr")
    options = MatteOptions(str(folder / name), str(folder / "clean.exr"), str(folder / "out.####.exr"))
    if frame:
        assert open_shot(options, 0).frames == (frame,)
    else:
        with pytest.raises(BridgeError, match="subframe") as caught:
            open_shot(options, 0)
        assert caught.value.reason == "BAD_REQUEST"


def test_a_plate_frame_that_is_not_there_asks_for_another_one(folder):
    touch(folder, "f.1001.exr", "f.1002.exr")
    with pytest.raises(BridgeError, match=r"missing 2000\. It holds 1001-1002: name one of these") as caught:
        open_shot(MatteOptions(str(folder / "f.####.exr"), "2000", str(folder / "out.####.exr")), 0)
    assert "--frames" not in caught.value.next_step
