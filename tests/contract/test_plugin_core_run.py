"""A node's run against a real side-car and a fake engine: frames on disk, frames exported on the way, faults."""

import threading
import time
from pathlib import Path

import pytest
from side_car import environment, journal, link_served, write_footage

from plugin.core.errors import LinkError
from plugin.core.facts import ask_facts
from plugin.core.link import LinkClient
from plugin.core.matte_run import WINDOW, Export, MatteRun


class Node:
    """A node with a clip of six frames, in a host that exports or not."""

    def __init__(self, folder: Path, link: LinkClient):
        self.link = link
        self.folder = folder
        self.footage = write_footage(folder / "shöt", range(1, 7))
        self.exchange = folder / "exchange dir"
        self.exchange.mkdir()
        self.exported: list[int] = []
        self.out = folder / "out"
        self.out.mkdir()

    def options(self, frames, **changes):
        made = {"frames": frames, "clean_plate": "1", "output": str(self.out / "key.####.exr"), **changes}
        return {name: value for name, value in made.items() if value is not None}

    def direct(self, frames, **changes):
        calls = {name: changes.pop(name) for name in ("delivered", "progress", "cancelled") if name in changes}
        return MatteRun(self.link, self.options(self.footage, **changes), frames, **calls)

    def exporting(self, frames, export=None, clip=(1, 6), **changes):
        calls = {name: changes.pop(name) for name in ("delivered", "progress", "cancelled") if name in changes}
        options = self.options(str(self.exchange / "plate.####.exr"), **changes)
        return MatteRun(self.link, options, frames, Export(export or self.make, *clip), **calls)

    def make(self, frame):
        self.exported.append(frame)
        write_footage(self.exchange, [frame])

    def results(self):
        """Bytes by file name; takes them away."""
        found = {path.name: path.read_bytes() for path in sorted(self.out.glob("*.exr"))}
        for path in [*self.out.glob("*.exr"), *self.out.glob(".platekey/*")]:
            path.unlink()
        return found

    def engine_frames(self):
        return [int(line.split()[1]) for line in journal(self.folder / "journal", "frame")]


@pytest.fixture
def scenario():
    return {"delay": 0.05}


@pytest.fixture
def node(tmp_path, monkeypatch, scenario):
    home = tmp_path / "höme"
    for name, value in environment(home, journal=str(tmp_path / "journal"), **scenario).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PLATEKEY_CACHE_GIB", "0")
    with link_served(home), LinkClient(home=home) as link:
        yield Node(tmp_path, link)


def test_frames_on_disk_are_one_job(node):
    heard, states = [], []
    summary = node.direct([2, 3, 5], delivered=heard.append, progress=states.append).run()
    assert [it.frame for it in heard] == [2, 3, 5]
    assert all(Path(it.path).is_file() and it.origin == "made" for it in heard)
    assert summary.sentence() == "3 frames: 3 made."
    assert summary.device == "Fake CPU"
    shares = [state.share for state in states]
    assert shares == sorted(shares)
    assert {state.text.split(": ")[-1] for state in states} > {"matte", "encode"}
    assert node.direct([2, 3, 5]).run().sentence() == "3 frames: 3 up to date."


def test_exported_frames_give_the_bytes_of_frames_on_disk(node):
    node.direct(range(1, 7)).run()
    on_disk = node.results()
    summary = node.exporting(range(1, 7)).run()
    assert summary.complete
    assert node.exported == [1, 2, 3, 4, 5, 6]
    assert node.results() == on_disk


def test_parts_of_a_clip_with_a_window_are_the_whole_whatever_lies_beside(node):
    knobs = {"temporal_window": 1}
    write_footage(node.exchange, [0, 7, 99])
    node.exporting(range(1, 7), knobs=knobs).run()
    whole = node.results()
    node.exported.clear()
    for path in node.exchange.iterdir():
        path.unlink()
    node.exporting([5, 6], knobs=knobs).run()
    assert node.exported == [1, 4, 5, 6]
    node.exporting([1, 2], knobs=knobs).run()
    assert node.results().items() <= whole.items()
    assert node.exported == [1, 4, 5, 6, 1, 2, 3]


def test_export_goes_on_while_the_engine_works_but_never_far_ahead(node):
    ahead = []

    def export(frame):
        node.make(frame)
        ahead.append(len(node.exported) - len(run.summary.delivered))

    run = node.exporting(range(1, 7), export)
    run.run()
    assert max(ahead) == WINDOW
    assert sorted(node.engine_frames()) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("scenario", [{"delay": 0.3}], ids=["slow engine"])
@pytest.mark.parametrize("way", ["direct", "exporting"])
def test_cancel_ends_at_once_keeps_what_is_done_and_nothing_comes_after(node, way):
    run = getattr(node, way)(range(1, 7), cancelled=lambda: len(run.summary.delivered) >= 2)
    with pytest.raises(LinkError) as caught:
        run.run()
    assert caught.value.reason == "CANCELLED"
    there = sorted(node.out.glob("*.exr"))
    assert 2 <= len(there) < 6
    assert len(there) == len(run.summary.delivered)
    time.sleep(0.5)
    assert sorted(node.out.glob("*.exr")) == there
    assert not list(node.out.rglob("*.part"))
    assert getattr(node, way)(range(1, 7)).run().complete, "the link is good for the next run"


def test_a_step_without_patience_does_not_wait(node, monkeypatch):
    waits = []
    receive = node.link.receive
    monkeypatch.setattr(node.link, "receive", lambda patience: waits.append(patience) or receive(patience))
    run = node.direct([2, 3])
    for _ in run.steps(patience=0):
        time.sleep(0.01)
    assert run.summary.complete
    assert set(waits) == {0}


def test_a_run_left_in_the_middle_is_cancelled(node):
    steps = node.direct(range(1, 7)).steps()
    next(steps)
    next(steps)
    steps.close()
    before = len(list(node.out.glob("*.exr")))
    time.sleep(0.5)
    assert len(list(node.out.glob("*.exr"))) == before < 6


@pytest.mark.parametrize("scenario", [{"failing": {"3": "REGISTRATION_FAILED"}}])
@pytest.mark.parametrize("way", ["direct", "exporting"])
def test_a_frame_that_fails_leaves_the_others_alone(node, way):
    summary = getattr(node, way)(range(1, 6)).run()
    assert sorted(summary.delivered) == [1, 2, 4, 5]
    assert {number: error.reason for number, error in summary.failures.items()} == {3: "REGISTRATION_FAILED"}
    with pytest.raises(LinkError, match=r"1 of 5 frames failed \(3\)"):
        summary.require_complete()


@pytest.mark.parametrize("scenario", [{"deadly": {"2": 1}}])
@pytest.mark.parametrize("way", ["direct", "exporting"])
def test_an_engine_that_dies_is_replaced(node, way):
    assert getattr(node, way)(range(1, 5)).run().complete


@pytest.mark.parametrize("scenario", [{"start_failure": "no torch here"}])
def test_no_engine_is_an_error_with_its_last_words(node):
    run = node.exporting([1, 2])
    with pytest.raises(LinkError, match="no torch here") as caught:
        run.run()
    assert caught.value.reason == "ENGINE_UNAVAILABLE"
    assert not run.summary.delivered


def test_an_export_that_fails_ends_the_run_with_its_own_error(node):
    def export(frame):
        if frame == 3:
            raise RuntimeError("I'm already executing something else")
        node.make(frame)

    run = node.exporting(range(1, 6), export)
    with pytest.raises(RuntimeError, match="already executing"):
        run.run()
    assert not list(node.out.rglob("*.part"))
    assert set(run.summary.delivered) <= {1, 2}


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"output": "/nowhere/key.####.exr"}, "OUTPUT_NOT_WRITABLE", "/nowhere does not exist"),
        ({"clean_plate": "9"}, "FILE_MISSING", "missing 9"),
        ({"knobs": {"mix": 7.0}}, "BAD_REQUEST", "out of range"),
    ],
)
def test_a_run_that_cannot_be_is_one_error(node, changes, reason, words):
    with pytest.raises(LinkError, match=words) as caught:
        node.direct([1], **changes).run()
    assert caught.value.reason == reason


def test_a_side_car_that_goes_away_is_an_error(node):
    with LinkClient(home=node.folder / "höme") as other:
        run = node.direct(range(1, 7))
        steps = run.steps()
        next(steps)
        threading.Thread(target=node.link._socket.shutdown, args=(2,)).start()
        with pytest.raises(LinkError, match="gone away"):
            list(steps)
        assert other.call("status")


def test_two_nodes_in_two_hosts_share_one_side_car_and_one_engine(node):
    other_folder = node.folder / "other"
    other_folder.mkdir()
    with LinkClient(home=node.folder / "höme") as link:
        other = Node(other_folder, link)
        runs = [node.exporting(range(1, 5)), other.direct(range(1, 5))]
        threads = [threading.Thread(target=run.run) for run in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert all(run.summary.complete for run in runs)
    assert len(journal(node.folder / "journal", "started")) == 1
    assert node.results() == other.results()


def test_a_side_car_of_another_link_version_says_what_to_do(node, monkeypatch):
    monkeypatch.setattr("plugin.core.link.LINK_VERSION", 2)
    with pytest.raises(
        LinkError, match=r"node speaks link 2, the running side-car speaks 1.*'platekey stop'"
    ) as caught:
        LinkClient(home=node.folder / "höme")
    assert caught.value.reason == "VERSION_MISMATCH"


def test_facts_name_the_engine_and_its_weights(node):
    facts = ask_facts(node.link, {"device": "", "frames": "not asked for"})
    assert (facts.engine, facts.device) == ("0.1.0 fake-1", "cpu (Fake CPU)")
    assert facts.weights_of("platenet") == "a" * 64
    with pytest.raises(LinkError, match=r"no model 'x'.*platenet"):
        facts.weights_of("x")
    with pytest.raises(LinkError, match=r"models add FILE --as shot-1f' .*\. Or choose one"):
        facts.weights_of("shot-1f")
