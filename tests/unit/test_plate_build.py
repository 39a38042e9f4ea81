"""Which frames go into a plate, and the job that is sent."""

import itertools

import pytest

from host_bridge.errors import BridgeError
from host_bridge.files.content import Hasher
from host_bridge.plate_build import PlateOptions, chosen_frames, plate_job


def test_of_a_long_shot_frames_are_taken_evenly():
    chosen = chosen_frames(range(1001, 3001), 64, 1500)
    assert (chosen[0], chosen[-1]) == (1001, 3000)
    assert len(chosen) in (64, 65)
    assert 1500 in chosen
    gaps = {after - before for before, after in itertools.pairwise(chosen)}
    assert max(gaps) <= 33


def test_a_short_shot_is_taken_whole():
    assert chosen_frames([3, 5, 9], 64, None) == [3, 5, 9]


@pytest.fixture
def footage(tmp_path):
    for number in range(1, 6):
        (tmp_path / f"f.{number:04d}.exr").write_bytes(bytes([number]))
    return tmp_path / "f.####.exr"


def test_the_job_names_frames_by_hash_and_its_one_file(footage, tmp_path):
    job = plate_job(PlateOptions(str(footage), str(tmp_path / "plate.exr"), "2-4", reference=3), Hasher())
    assert [entry.frame for entry in job.spec.frames] == [2, 3, 4]
    assert {entry.image.sha256 for entry in job.spec.frames} == set(job.contents)
    assert (job.spec.reference_frame, job.spec.color.output_space) == (3, "scene_linear")
    assert list(job.outputs.values()) == [tmp_path / "plate.exr"]


def test_no_reference_is_not_frame_zero(footage, tmp_path):
    job = plate_job(PlateOptions(str(footage), str(tmp_path / "plate.exr")), Hasher())
    assert not job.spec.HasField("reference_frame")


@pytest.mark.parametrize("output", ["plate.png", "f.0003.exr"])
def test_impossible_outputs_are_refused(footage, tmp_path, output):
    with pytest.raises(BridgeError) as caught:
        plate_job(PlateOptions(str(footage), str(tmp_path / output)), Hasher())
    assert caught.value.reason == "BAD_REQUEST"
