"""The node against a real side-car with a fake engine: what crosses, what stays behind, and what goes wrong."""

import json
import socket
import threading

import nuke
import pytest
from exr_files import read
from fake_nuke import session
from nuke_station import FIRST, LAST, footage, key_node, new_script, result, still, write_shot
from platekey.core.errors import LinkError
from platekey.core.side_car import connect
from platekey.nuke import driver, panel
from platekey.nuke.adaptation import adapt_to_shot
from platekey.nuke.inputs import Inputs
from platekey.nuke.monitor import Monitor
from platekey.nuke.process import process
from side_car import environment, journal, link_served

from host_bridge.errors import EXIT_CODES, ExitCode

WHOLE = list(range(FIRST, LAST + 1))


@pytest.fixture
def scenario():
    return {"delay": 0.05}


@pytest.fixture
def key(tmp_path, monkeypatch, scenario):
    for name, value in environment(tmp_path / "höme", journal=str(tmp_path / "journal"), **scenario).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PLATEKEY_CACHE_GIB", "0")
    monkeypatch.setenv("NUKE_TEMP_DIR", str(tmp_path / "exchange"))
    (tmp_path / "exchange").mkdir()
    write_shot(tmp_path / "shöt")
    new_script(tmp_path / "comp")
    with link_served(tmp_path / "höme"):
        yield key_node(footage(tmp_path / "shöt"))


class Watch(Monitor):
    """Counts, at each look, the files of the exchange folder; cancels after so many looks."""

    def __init__(self, folder, looks=None):
        self._folder, self._looks = folder, looks
        self.most = 0
        self.texts = []

    def show(self, progress):
        self.texts.append(progress.text)

    def cancelled(self):
        self.most = max(self.most, len(list(self._folder.rglob("*.exr"))))
        if self._looks is not None:
            self._looks -= 1
        return self._looks is not None and self._looks < 0


def test_plain_footage_is_handed_over_and_nothing_is_exported(key, tmp_path):
    watch = Watch(tmp_path / "exchange")
    outcome = process(key, WHOLE, watch)
    assert outcome.sentence() == "6 frames: 6 made."
    assert watch.most == 0
    assert not any("Exporting" in text for text in watch.texts)


@pytest.mark.parametrize("window", [0, 1])
def test_exported_files_go_as_soon_as_no_frame_needs_them(key, tmp_path, window):
    key.group["direct"].setValue(False)
    key.group["temporal_window"].setValue(window)
    key.group["clean_frame"].setValue(1003)
    watch = Watch(tmp_path / "exchange")
    assert process(key, WHOLE, watch).sentence() == "6 frames: 6 made."
    assert watch.most <= 1 + 2 * window + 3, "the plate, a window, two frames in flight and one ahead"
    assert list((tmp_path / "exchange").iterdir()) == []
    assert any("Exporting frame" in text for text in watch.texts)


@pytest.mark.parametrize("direct", [True, False])
def test_adapting_sends_the_shot_and_chooses_its_model(key, tmp_path, direct):
    key.group["direct"].setValue(direct)
    watch = Watch(tmp_path / "exchange")
    sentence = adapt_to_shot(key, WHOLE, watch)
    assert sentence == "From platenet: [1002, 1003, 1004, 1005, 1006]."
    assert key.value("model") == f"shot-{key.value(panel.ID)}"
    assert "Adapted" in key.value("status")
    assert any("Exporting" in text for text in watch.texts) is not direct
    assert list((tmp_path / "exchange").iterdir()) == []


def test_only_what_lacks_is_exported(key, tmp_path):
    key.group["direct"].setValue(False)
    process(key, [1002, 1004], Monitor())
    exported = []
    nuke.addAfterFrameRender(lambda: exported.append(nuke.frame()), nodeClass="Write")
    assert process(key, [1002, 1003, 1004], Monitor()).sentence() == "1 frame: 1 made."
    assert exported == [1001, 1003]


def test_a_plate_and_mattes_are_exported_by_their_channels(key, tmp_path):
    seen = {}

    def look():
        for path in (tmp_path / "exchange").rglob("*.exr"):
            seen[path.name] = read(path)[0]

    key.group.setInput(1, footage(tmp_path / "shöt", "Clean"))
    key.group.setInput(3, still(tmp_path / "shöt" / "garbage.exr", "Core"))
    key.group["direct"].setValue(False)
    key.group["clean_frame"].setValue(1002)
    nuke.addAfterRender(look, nodeClass="Write")
    process(key, [1004], Monitor())
    assert {name: spec.channelnames for name, spec in seen.items()} == {
        "Frame.1004.exr": ("R", "G", "B", "A"),
        "CleanPlate.1002.exr": ("R", "G", "B"),
        "Core.1004.exr": ("A",),
    }
    assert all(str(spec.format) == "float" for spec in seen.values())
    assert {spec.get_string_attribute("compression") for spec in seen.values()} <= {"none", "zip"}


def test_what_is_sent(key, tmp_path):
    key.group["edge_shift"].setValue(1.5)
    key.group["temporal_window"].setValue(2)
    key.group["residual_gain"].setValue(0.5)
    key.group["device"].setValue(" cpu ")
    options = Inputs(key, [1002, 1003]).options("/cache/key.%04d.exr")
    assert options["frames"].endswith("plate.%04d.exr")
    assert (options["clean_plate"], options["clip_range"], options["device"]) == ("1001", "1001-1006", "cpu")
    assert {options[name] for name in ("colorspace", "plate_colorspace", "output_colorspace")} == {"lin_rec709"}
    assert options["knobs"]["edge_shift"] == 1.5
    assert "residual_gain" not in options["knobs"]
    assert len(options["layers"]) == 8
    key.group["all_layers"].setValue(False)
    assert set(options["layers"]) - set(Inputs(key, [1002]).options("/o.%04d.exr")["layers"]) == {"fg", "cleanplate"}


@pytest.mark.parametrize(
    ("change", "exported"),
    [
        (lambda plate: None, []),
        (lambda plate: plate["colorspace"].setValue("sRGB"), ["Frame"]),
        (lambda plate: plate["raw"].setValue(True), []),
        (lambda plate: plate["last"].setValue(LAST - 2), ["Frame"]),
        (lambda plate: plate["frame"].setValue("frame*2"), ["Frame"]),
        (lambda plate: plate["file"].setValue("/show/%V/plate.%04d.exr"), ["Frame"]),
        (lambda plate: plate["file"].setValue("/show/plate.%04d.dpx"), ["Frame"]),
        (lambda plate: plate["file"].setValue("/show/plate.####.exr"), []),
        (lambda plate: plate["file"].setValue("plate.%04d.exr"), ["Frame"]),
    ],
)
def test_footage_is_read_directly_only_where_nuke_changes_nothing(key, change, exported):
    change(key.source("Frame"))
    key.group.setInput(0, nuke.nodes.Dot(inputs=[nuke.nodes.NoOp(inputs=[key.source("Frame")])]))
    inputs = Inputs(key, WHOLE)
    options = inputs.options("/cache/key.%04d.exr")
    assert ["Frame"] * ("Frame" in options["frames"]) == exported
    assert (inputs.export() is None) == (not exported)


def test_a_record_that_cannot_be_written_ends_the_run_with_a_sentence(key):
    in_the_way = result(key, 1002).parent / ".platekey" / "key.1002.exr.node.json"
    in_the_way.mkdir(parents=True)
    with pytest.raises(LinkError, match=r"the record of frame 1002 cannot be written") as caught:
        process(key, WHOLE, Monitor())
    assert caught.value.reason == "OUTPUT_NOT_WRITABLE"


class TestFaults:
    @pytest.fixture
    def scenario(self):
        return {"delay": 0.05, "failing": {"1003": "REGISTRATION_FAILED"}}

    def test_a_frame_that_fails_is_told_and_the_others_are_there(self, key, tmp_path):
        key.group["process_range"].execute()
        (shown,) = session.running().messages
        assert shown.startswith("1 of 6 frames failed (1003).")
        assert [frame for frame in WHOLE if not result(key, frame).exists()] == [1003]
        assert "Error" in key.value("status")


class TestDeath:
    @pytest.fixture
    def scenario(self):
        return {"delay": 0.05, "deadly": {"1002": 9}}

    def test_a_frame_that_kills_every_engine_is_named(self, key):
        outcome = process(key, [1001, 1002, 1003], Monitor())
        assert sorted(outcome.summary.failures) == [1002]
        assert sorted(outcome.summary.delivered) == [1001, 1003]
        with pytest.raises(LinkError, match="1 of 3 frames failed"):
            outcome.summary.require_complete()


@pytest.mark.parametrize("looks", [0, 3])
def test_cancel_ends_the_run_and_leaves_nothing_half(key, tmp_path, looks):
    key.group["direct"].setValue(False)
    with pytest.raises(LinkError) as caught:
        process(key, WHOLE, Watch(tmp_path / "exchange", looks))
    assert caught.value.reason == "CANCELLED"
    assert list((tmp_path / "exchange").iterdir()) == []
    assert list((tmp_path / "comp").rglob("*.part")) == []
    with connect() as link:
        assert link.call("status")["version"]


def test_the_engines_and_their_frames_are_counted_once(key, tmp_path):
    process(key, WHOLE, Monitor())
    process(key, WHOLE, Monitor())
    assert len(journal(tmp_path / "journal", "frame")) == len(WHOLE)


def serve_once(home, answers):
    """A side-car of another time: it answers each call with the next of these answers."""
    listener = socket.create_server(("127.0.0.1", 0))
    (home / "run").mkdir(parents=True)
    state = {"port": listener.getsockname()[1], "token": "t", "pid": 1, "link": 1}
    (home / "run" / "link.json").write_text(json.dumps(state), encoding="utf-8")

    def serve():
        connection, _ = listener.accept()
        with connection, listener, connection.makefile("rwb", buffering=0) as stream:
            for answer in answers:
                call = json.loads(stream.readline())
                stream.write(json.dumps({"id": call["id"], **answer}).encode() + b"\n")
            stream.readline()

    threading.Thread(target=serve, daemon=True).start()


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (
            [{"error": {"reason": "VERSION_MISMATCH", "message": "This node speaks link 1, the running side-car "
              "speaks 0.", "next_step": "Install the same PlateKey for both."}}],
            "This node speaks link 1, the running side-car speaks 0.",
        ),
        (
            [{"result": {"link": 1, "version": "0.0.9"}},
             {"error": {"reason": "UNSUPPORTED", "message": "The link has no method 'describe'.", "next_step": ""}}],
            "The running side-car, PlateKey 0.0.9, is older than this node",
        ),
    ],
)  # fmt: skip
def test_an_old_side_car_beside_a_new_plugin(tmp_path, monkeypatch, answers, words):
    monkeypatch.setenv("PLATEKEY_HOME", str(tmp_path / "home"))
    serve_once(tmp_path / "home", answers)
    write_shot(tmp_path / "shot")
    new_script(tmp_path / "comp")
    key = key_node(footage(tmp_path / "shot"))
    key.group["process_frame"].execute()
    (shown,) = session.running().messages
    assert words in shown
    assert "Install the same PlateKey for both" in shown


def test_the_drivers_exit_codes_are_the_command_lines():
    """Of every reason, known and unknown."""
    for reason, code in EXIT_CODES.items():
        assert driver.exit_code(LinkError(reason, "", "")) == int(code), reason
    assert driver.exit_code(LinkError("SOMETHING_NEW", "", "")) == int(ExitCode.INTERNAL)
    assert int(ExitCode.CANCELLED) == driver.CANCELLED


def test_arguments_come_from_the_whole_line():
    raw = ["/opt/Nuke15.1", "-t", "/opt/nuke/platekey_nuke.py", "--script", "s.nk", "--frames", "1001-1100"]
    assert driver.arguments_of(raw) == ["--script", "s.nk", "--frames", "1001-1100"]
