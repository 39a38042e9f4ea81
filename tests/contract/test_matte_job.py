"""A job against a real server: what is stale is made, what fails does not stop the others."""

import json
import os
from pathlib import Path

import pytest
from fake_engine import Scenario
from side_car import InProcess, journal, write_footage

from host_bridge.cancellation import Cancellation
from host_bridge.errors import BridgeError, ExitCode
from host_bridge.events import FrameLost, FrameReady, Notice, StageBegan


class Job:
    """A shot of five frames with everything it can have; `run` renders frames 2 to 4."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.footage = write_footage(folder / "plate with späces", range(1, 6))
        self.garbage = write_footage(folder / "roto", range(1, 6), "roto")
        self.clean = folder / "clean.exr"
        self.clean.write_text("clean")
        self.config = folder / "show.ocio"
        self.config.write_text("config")
        (folder / "out").mkdir()
        self.scenario = Scenario(journal=str(folder / "journal"))
        self.options = {
            "frames": self.footage,
            "frame_range": "2-4",
            "clean_plate": str(self.clean),
            "garbage": self.garbage,
            "ocio": str(self.config),
            "output": str(folder / "out" / "key.####.exr"),
            "knobs": {"temporal_window": 1},
        }

    def run(self, token="secret", cancellation=None, emit=None, **changes):
        car = InProcess(self.folder / "cache", self.scenario, token)
        return car.run(cancellation, emit, **{**self.options, **changes})

    def made(self, **changes):
        """Numbers of the frames that the engine had to make."""
        _, events = self.run(**changes)
        return [event.frame for event in events if isinstance(event, FrameReady) and event.origin == "made"]

    def path(self, name, number):
        return next(self.folder.rglob(f"{name}.{number:04d}.exr"))


@pytest.fixture
def job(tmp_path):
    return Job(tmp_path)


@pytest.fixture
def done(job):
    assert job.made() == [2, 3, 4]
    return job


def test_a_second_run_does_nothing(done):
    outcome, _ = done.run()
    assert outcome.delivered == {"fresh": 3}
    assert outcome.exit_code == ExitCode.OK


def test_a_frame_makes_itself_and_its_neighbours_stale(done):
    done.path("plate", 2).write_text("other pixels")
    assert done.made() == [2, 3]


def test_a_neighbour_beyond_the_range_counts(done):
    done.path("plate", 5).write_text("other pixels")
    assert done.made() == [4]


def test_a_garbage_roto_makes_its_own_frame_stale(done):
    done.path("roto", 3).write_text("other roto")
    assert done.made() == [3]


@pytest.mark.parametrize("name", ["clean", "config"])
def test_what_all_frames_share_makes_all_stale(done, name):
    getattr(done, name).write_text("changed")
    assert done.made() == [2, 3, 4]


@pytest.mark.parametrize(
    "changes",
    [
        {"knobs": {"temporal_window": 1, "edge_shift": 1.5}},
        {"knobs": {"temporal_window": 0}},
        {"layers": ("shadow",)},
        {"output_colorspace": "ACEScg"},
        {"colorspace": "ACEScg"},
        {"garbage": ""},
    ],
)
def test_a_changed_request_makes_all_stale(done, changes):
    assert done.made(**changes) == [2, 3, 4]


@pytest.mark.parametrize(
    "changes", [{"weights": "b" * 64}, {"build": "fake-2"}, {"device_name": "Other chip"}, {"memory": 1 << 30}]
)
def test_another_engine_makes_all_stale(done, changes):
    for name, value in changes.items():
        setattr(done.scenario, name, value)
    assert done.made() == [2, 3, 4]


def test_time_stamps_alone_make_nothing_stale(done):
    for path in done.folder.rglob("*.exr"):
        os.utime(path, (1, 1))
    assert done.made() == []


def test_a_lost_file_comes_back_from_the_cache(done):
    path = done.path("key", 3)
    before = path.read_bytes()
    path.unlink()
    outcome, _ = done.run()
    assert outcome.delivered == {"fresh": 2, "cache": 1}
    assert path.read_bytes() == before


def test_another_folder_is_filled_from_the_cache(done, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    assert done.made(output=str(tmp_path / "elsewhere" / "k.####.exr")) == []


def test_parts_rendered_apart_equal_the_whole(done, tmp_path):
    (tmp_path / "parts").mkdir()
    fresh = Job(tmp_path / "parts")
    for frames in ("2-3", "4"):
        fresh.run(frame_range=frames)
    assert [fresh.path("key", n).read_bytes() for n in (2, 3, 4)] == [
        done.path("key", n).read_bytes() for n in (2, 3, 4)
    ]


def test_stages_are_told_before_a_frame_is_ready(job):
    _, events = job.run(frame_range="2")
    told = [event for event in events if isinstance(event, StageBegan | FrameReady)]
    assert [getattr(event, "stage", "ready") for event in told] == ["decode", "matte", "encode", "ready"]
    assert told[-1].report == {"locked_off": True}


def test_a_failed_frame_does_not_stop_the_others(job):
    job.scenario.failing = {"3": "REGISTRATION_FAILED"}
    outcome, events = job.run()
    assert outcome.delivered == {"made": 2}
    assert outcome.failures[3].reason == "REGISTRATION_FAILED"
    assert outcome.exit_code == ExitCode.FRAMES_FAILED
    assert [event.frame for event in events if isinstance(event, FrameLost)] == [3]
    assert not (job.folder / "out" / "key.0003.exr").exists()


@pytest.mark.parametrize(
    ("reason", "code"), [("IMAGE_UNREADABLE", ExitCode.BAD_INPUT), ("OUT_OF_MEMORY", ExitCode.NO_ENGINE)]
)
def test_when_all_fail_alike_the_reason_gives_the_exit_code(job, reason, code):
    job.scenario.failing = dict.fromkeys(("2", "3", "4"), reason)
    assert job.run()[0].exit_code == code


def on_disk(job):
    return [path.name for path in sorted((job.folder / "out").glob("*.exr"))]


def test_a_frame_that_fails_leaves_no_result_of_its_former_inputs(done):
    done.path("plate", 3).write_text("cut sh")
    done.scenario.failing = {"3": "IMAGE_UNREADABLE"}
    outcome, events = done.run(knobs={})
    assert sorted(outcome.failures) == [3]
    assert on_disk(done) == ["key.0002.exr", "key.0004.exr"]
    assert [event.text for event in events if isinstance(event, Notice)] == [
        "Withdrew results of other inputs or settings: 2-4. The cache may hold them."
    ]


def test_a_cancelled_run_leaves_no_result_of_another_plate(done):
    before = done.path("key", 4).read_bytes()
    done.clean.write_text("another plate")
    done.scenario.delay = 0.3
    cancellation = Cancellation()
    with pytest.raises(BridgeError, match="cancelled"):
        done.run(cancellation=cancellation, emit=lambda event: isinstance(event, StageBegan) and cancellation.cancel())
    assert on_disk(done) == []

    done.clean.write_text("clean")
    assert done.run()[0].delivered == {"cache": 3}
    assert done.path("key", 4).read_bytes() == before


def test_what_somebody_changed_stays_where_its_frame_fails(done):
    done.path("key", 3).write_text("painted over")
    done.clean.write_text("another plate")
    done.scenario.failing = dict.fromkeys(("2", "3", "4"), "REGISTRATION_FAILED")
    done.run(overwrite=True)
    assert on_disk(done) == ["key.0003.exr"]
    assert done.path("key", 3).read_text() == "painted over"


def test_a_missing_frame_is_named_before_any_work(job):
    job.path("plate", 3).unlink()
    with pytest.raises(BridgeError, match=r"missing 3\."):
        job.run()
    assert journal(job.folder / "journal") == []


def test_a_missing_roto_is_named_before_any_work(job):
    job.path("roto", 4).unlink()
    with pytest.raises(BridgeError, match=r"garbage matte.*missing 4"):
        job.run()


def test_a_wrong_token_ends_the_job(job):
    with pytest.raises(BridgeError) as caught:
        job.run(token="guess")
    assert caught.value.reason == "TOKEN_WRONG"
    assert caught.value.exit_code == ExitCode.NO_ACCESS


def test_a_frame_that_arrives_damaged_is_not_delivered(job):
    job.scenario.damaged = True
    with pytest.raises(BridgeError, match="arrived damaged"):
        job.run()
    assert list((job.folder / "out").glob("*.exr")) == []


def test_without_a_shared_disk_every_file_is_uploaded_once(job):
    job.scenario.uploads_only = True
    assert job.made() == [2, 3, 4]
    uploads = journal(job.folder / "journal", "upload")
    assert len(uploads) == len(set(uploads)) == 10  # five frames, three rotos, plate, configuration


def test_the_way_a_file_travels_changes_no_pixel(done, tmp_path):
    (tmp_path / "remote").mkdir()
    remote = Job(tmp_path / "remote")
    remote.scenario.uploads_only = True
    remote.run()
    assert remote.path("key", 3).read_bytes() == done.path("key", 3).read_bytes()


def test_files_that_left_the_engine_are_uploaded_again_once(job):
    job.scenario.uploads_only = True
    job.scenario.lapses = 1
    assert job.made(frame_range="2") == [2]
    uploads = journal(job.folder / "journal", "upload")
    assert len(uploads) == len(set(uploads)) * 2

    job.scenario.lapses = 2
    outcome, _ = job.run(frame_range="3")
    assert outcome.failures[3].reason == "BLOB_MISSING"


def test_a_plate_list_over_the_limit_is_refused_with_advice(job):
    job.scenario.message_bytes = 300
    with pytest.raises(BridgeError, match="shorter ranges") as caught:
        job.run()
    assert caught.value.reason == "LIMIT_EXCEEDED"


def test_another_wire_is_refused(job):
    job.scenario.wire = 2
    with pytest.raises(BridgeError, match="speaks wire 2"):
        job.run()


def test_an_unknown_device_is_refused_by_name(job):
    with pytest.raises(BridgeError, match="no device 'cuda:7'"):
        job.run(device="cuda:7")


def test_cancelling_keeps_what_is_finished_and_leaves_nothing_half(job):
    job.scenario.delay = 0.3
    cancellation = Cancellation()

    def cancel_when_one_is_ready(event):
        if isinstance(event, FrameReady):
            cancellation.cancel()

    with pytest.raises(BridgeError) as caught:
        job.run(cancellation=cancellation, emit=cancel_when_one_is_ready)

    assert caught.value.reason == "CANCELLED"
    assert [path.name for path in (job.folder / "out").glob("*.exr")] == ["key.0002.exr"]
    assert list((job.folder / "out").rglob("*.part")) == []


def test_events_are_plain_json(job):
    _, events = job.run()
    assert json.loads(json.dumps([event.as_json() for event in events]))[0]["event"] == "started"


def test_an_engine_that_has_gone_before_it_is_asked_is_replaced_but_not_for_ever(job):
    car = InProcess(job.folder / "cache", job.scenario, gone=2)
    outcome, _ = car.run(**job.options)
    assert outcome.delivered.total() == 3
    car = InProcess(job.folder / "cache", job.scenario, gone=9)
    with pytest.raises(BridgeError, match="No engine answers"):
        car.run(**{**job.options, "knobs": {"edge_shift": 1.0}})
    assert car.gone == 6
    with pytest.raises(BridgeError, match="No engine answers"):
        car.run(**{**job.options, "knobs": {"edge_shift": 1.0}, "engine": "render7:50051"})
    assert car.gone == 5, "one that was named is not tried again"
