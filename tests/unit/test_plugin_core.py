"""The core of the host nodes: grammar, knobs, frames, states, manifests, refusals, texts."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import fileseq
import pytest

import plugin
from host_bridge.files.sequence import frame_namer, parse_range
from host_bridge.knobs import DEFAULT_LAYERS, knob_specs, layer_names
from plugin.core import knobs, refusals, side_car
from plugin.core.errors import LinkError
from plugin.core.frames import compact, frame_file
from plugin.core.manifest import Gaps, Manifest
from plugin.core.state import state_hash
from plugin.core.status import error_text, status_text
from plugin.core.summary import Delivered, Summary

PLUGIN = Path(plugin.__file__).parent
REPOSITORY = PLUGIN.parent
HOST_MODULES = {"nuke", "bpy"}
OUTSIDE_THE_PACKAGE = ("nuke/startup/", "fusion/PlateKey_Process.py")
"""Scripts that a host runs by itself: they know the package by its installed name."""


def sources():
    return sorted(PLUGIN.rglob("*.py"))


def vermin(*paths):
    return subprocess.run(
        [sys.executable, "-c", "from vermin import main; main()", "--target=3.7-", "--violations", *map(str, paths)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_all_of_it_is_python_3_7(tmp_path):
    done = vermin(PLUGIN)
    assert done.returncode == 0, done.stdout
    newer = tmp_path / "newer.py"
    newer.write_text("import tomllib\n", encoding="utf-8")
    assert vermin(newer).returncode == 1, "the check must bite"


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(PLUGIN).as_posix())
def test_it_parses_as_3_7_and_imports_only_the_library_the_host_and_itself(path):
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 7))
    absolute = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            absolute |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            absolute.add(str(node.module).split(".")[0])
    outside = path.relative_to(PLUGIN).as_posix().startswith(OUTSIDE_THE_PACKAGE)
    assert absolute <= set(sys.stdlib_module_names) | HOST_MODULES | ({"platekey"} if outside else set())


def test_the_core_works_under_the_name_it_is_installed_as(tmp_path):
    shutil.copytree(PLUGIN, tmp_path / "platekey", ignore=shutil.ignore_patterns("__pycache__"))
    modules = [f"platekey.core.{path.stem}" for path in sorted((PLUGIN / "core").glob("[a-z]*.py"))]
    script = f"import {', '.join(modules)}; assert not any(n.split('.')[0] == 'plugin' for n in sys.modules)"
    subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path[0:0] = [{str(tmp_path)!r}]; {script}"], check=True
    )


def test_the_knobs_are_the_protos():
    specs = knob_specs()
    assert [knob.name for knob in knobs.KNOBS] == [spec.name for spec in specs]
    for knob, spec in zip(knobs.KNOBS, specs, strict=True):
        ours, theirs = knob._asdict(), vars(spec).copy()
        assert ours.pop("choices") == tuple((choice.name, choice.label) for choice in theirs.pop("choices"))
        assert ours == theirs
    assert layer_names() == knobs.LAYERS
    assert knobs.DEFAULT_LAYERS == DEFAULT_LAYERS


def test_what_is_sent_holds_every_knob_but_the_merges():
    values = knobs.sent({"edge_shift": -2.0, "residual_gain": 1.0})
    assert values["edge_shift"] == -2.0
    assert values["white_point"] == 1
    assert set(values) == {spec.name for spec in knob_specs() if not spec.merge_only}


@pytest.mark.parametrize(
    ("frames", "text"),
    [([], ""), ([7], "7"), ([3, 1, 2, 2], "1-3"), ([1001, 1003, 1004], "1001,1003-1004"), ([-2, -1, 0, 5], "-2-0,5")],
)
def test_frames_are_written_as_the_side_car_reads_them(frames, text):
    assert compact(frames) == text
    assert not text or list(parse_range(text)) == sorted(set(frames))
    assert not text or sorted(fileseq.FrameSet(text)) == sorted(set(frames))


@pytest.mark.parametrize("pattern", ["key.####.exr", "a b.%04d.exr", "k#.exr", "v001/shot_%06d.exr"])
@pytest.mark.parametrize("frame", [0, 7, 1001, 123456, -3])
def test_a_frames_file_is_the_side_cars(pattern, frame):
    assert frame_file(pattern, frame) == frame_namer(pattern).frame(frame)


def test_only_the_last_padding_counts_and_a_plain_name_stays():
    assert frame_file("/take##/key.####.exr", 5) == "/take##/key.0005.exr"
    assert frame_file("/a/still.exr", 5) == "/a/still.exr"


class TestState:
    def state(self, folder, **changes):
        file = folder / "in.exr"
        if not file.exists():
            file.write_text("pixels", encoding="utf-8")
        given = {
            "upstream": {"Grade1": ["gain", 1.5]},
            "files": [str(file)],
            "knobs": {"edge_shift": 1.0},
            "engine": "0.1.0 abc",
            "weights": "f" * 64,
            **changes,
        }
        return state_hash(**given)

    def test_it_is_the_same_for_the_same(self, tmp_path):
        assert self.state(tmp_path) == self.state(tmp_path)
        assert len(self.state(tmp_path)) == 40

    @pytest.mark.parametrize(
        "changes",
        [
            {"upstream": {"Grade1": ["gain", 1.6]}},
            {"files": []},
            {"files": ["/nowhere/in.exr"]},
            {"knobs": {"edge_shift": 1.25}},
            {"knobs": {}},
            {"engine": "0.1.0 abd"},
            {"weights": ""},
        ],
    )
    def test_each_part_counts(self, tmp_path, changes):
        assert self.state(tmp_path, **changes) != self.state(tmp_path)

    @pytest.mark.parametrize(
        "changes",
        [
            {"knobs": {"edge_shift": 1}},
            {"knobs": {"edge_shift": 1.0, "mix": 1.0, "quality": "full"}},
            {"knobs": {"edge_shift": 1.0, "residual_gain": 0.5}},
            {"upstream": {"Grade1": ("gain", 1.5)}},
        ],
    )
    def test_spelling_initial_values_and_the_merge_do_not(self, tmp_path, changes):
        assert self.state(tmp_path, **changes) == self.state(tmp_path)

    def test_a_files_content_counts_and_its_folder_does_not(self, tmp_path):
        before = self.state(tmp_path)
        moved = tmp_path / "mount ü"
        moved.mkdir()
        shutil.copy2(tmp_path / "in.exr", moved / "in.exr")
        assert self.state(moved) == before
        (tmp_path / "in.exr").write_text("others", encoding="utf-8")
        other = self.state(tmp_path)
        (tmp_path / "in.exr").write_text("longer than before", encoding="utf-8")
        assert self.state(tmp_path) not in {before, other}


@pytest.fixture
def manifest(tmp_path):
    made = Manifest(str(tmp_path / "key.####.exr"))
    for frame in (1, 2, 3):
        made.file(frame).write_text(f"result {frame}", encoding="utf-8")
        made.record(frame, f"state {frame}", "0.1.0 abc", "f" * 64)
    return made


def test_a_manifest_tells_missing_from_stale(manifest):
    manifest.file(2).unlink()
    entry = manifest.entry(3)
    assert (entry.state, entry.file, entry.engine) == ("state 3", "key.0003.exr", "0.1.0 abc")
    gaps = manifest.missing_or_stale(range(1, 5), lambda frame: "new" if frame == 3 else f"state {frame}")
    assert gaps == Gaps(missing=[2, 4], stale=[3])


def test_another_file_under_a_results_name_is_no_result(manifest):
    manifest.file(1).write_text("something else of another length", encoding="utf-8")
    assert manifest.entry(1) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"state": "state 1"}', '{"state": 1, "unknown": 2}'])
def test_a_damaged_record_is_none(manifest, text):
    (record,) = manifest.file(1).parent.glob(".platekey/key.0001*")
    record.write_text(text, encoding="utf-8")
    assert manifest.entry(1) is None


def test_a_record_that_cannot_be_written_leaves_the_old_one_and_nothing_else(manifest, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("plugin.core.manifest.os.replace", refuse)
    with pytest.raises(OSError, match="No space"):
        manifest.record(1, "newer", "", "")
    assert manifest.entry(1).state == "state 1"
    assert not list(manifest.file(1).parent.rglob("*.part"))
    with pytest.raises(FileNotFoundError):
        manifest.record(9, "no result", "", "")


@pytest.mark.parametrize(
    ("check", "allowed", "refused", "words"),
    [
        (refusals.require_connected, (True, "frame"), (False, "frame"), "input 'frame'"),
        (refusals.require_enabled, ([],), (["Grade1"],), "Grade1 above it is disabled"),
        (refusals.require_plate_frame, (1001, 1001, 1100), (1000, 1001, 1100), "1000 is outside the clip, 1001-1100"),
        (refusals.require_plate_frame, (1100, 1001, 1100), (1101, 1001, 1100), "1101 is outside"),
        (refusals.require_same_format, ((2, 1), [2, 1], "plate"), ((2, 1), (1, 2), "plate"), "plate is 1x2, the frame"),
        (refusals.require_one_view, (["main"],), (["left", "right"],), "views left, right"),
        (refusals.require_one_view, ([],), (["a", "b", "c", "d"],), "a, b, c and 1 more"),
        (refusals.require_full_size, (False,), (True,), "proxy mode"),
    ],
)
def test_a_refusal_is_one_sentence_with_the_node_and_a_next_step(check, allowed, refused, words):
    assert check("PlateKey1", *allowed) is None
    with pytest.raises(LinkError, match=words) as caught:
        check("PlateKey1", *refused)
    assert caught.value.message.startswith("PlateKey1: ")
    assert caught.value.message.count(". ") == 0
    assert caught.value.next_step.endswith(".")


def test_a_render_without_all_results_is_refused_by_their_numbers():
    refusals.require_processed("PlateKey1", 9, Gaps([], []))
    with pytest.raises(LinkError, match=r"3 of 9 frames are not processed \(1-2,7\), 1 of 9 .* out of date \(4\)\."):
        refusals.require_processed("PlateKey1", 9, Gaps([1, 2, 7], [4]))


def test_a_folder_is_made_and_probed_and_one_that_cannot_be_is_named(tmp_path):
    refusals.require_writable("PlateKey1", str(tmp_path / "a" / "b ü"))
    assert list((tmp_path / "a" / "b ü").iterdir()) == []
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(LinkError, match="file/cache cannot be written: Not a directory") as caught:
        refusals.require_writable("PlateKey1", str(tmp_path / "file" / "cache"))
    assert caught.value.reason == "OUTPUT_NOT_WRITABLE"


class TestCommand:
    @pytest.fixture(autouse=True)
    def _home(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PLATEKEY_HOME", str(tmp_path))
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        monkeypatch.delenv(side_car.COMMAND_VARIABLE, raising=False)
        self.file = tmp_path / "host.json"

    def test_it_is_what_the_installation_left(self):
        self.file.write_text(json.dumps({"side_car": ["/opt/my tools/python", "-m", "x"]}), encoding="utf-8")
        assert side_car.side_car_command() == ["/opt/my tools/python", "-m", "x"]

    @pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell's quotes")
    def test_the_environment_wins(self, monkeypatch):
        self.file.write_text(json.dumps({"side_car": ["other"]}), encoding="utf-8")
        monkeypatch.setenv(side_car.COMMAND_VARIABLE, "'/opt/my tools/platekey' link")
        assert side_car.side_car_command() == ["/opt/my tools/platekey", "link"]

    @pytest.mark.parametrize("text", [None, "{", "[]", '{"side_car": "platekey link"}', '{"side_car": [1]}', "{}"])
    def test_without_one_the_search_path_helps_and_else_a_sentence(self, tmp_path, text):
        if text is not None:
            self.file.write_text(text, encoding="utf-8")
        with pytest.raises(LinkError, match=r"host\.json is missing.*'platekey install'"):
            side_car.side_car_command()
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "platekey").touch(mode=0o755)
        assert side_car.side_car_command() == [str(tmp_path / "bin" / "platekey"), "link"]


def event(kind, frame, **more):
    return {"event": kind, "frame": frame, **more}


def test_a_summary_counts_and_says_so():
    summary = Summary([3, 1, 2])
    assert summary.progress() == (0.0, 0, 3, "Waiting for the engine")
    summary.hear({"event": "started", "frames": [1, 2, 3], "device": "Fake CPU"})
    summary.hear(event("done", 1, path="/o/1.exr", origin="made", report={"warnings": ["w"]}))
    summary.hear(event("stage", 2, stage="matte", done=0.6))
    summary.hear({"event": "of a later version", "frame": 2})
    assert summary.progress() == (pytest.approx(1.6 / 3), 1, 3, "Frame 2: matte")
    assert summary.progress("Exporting frame 3").text == "Exporting frame 3"
    summary.hear(event("failed", 2, error={"reason": "OUT_OF_MEMORY", "message": "Too big.", "next_step": "Shrink."}))
    summary.hear(event("done", 3, path="/o/3.exr", origin="fresh", report={}))
    assert summary.sentence() == "3 frames: 1 made, 1 up to date, 1 failed (2)."
    assert summary.progress().share == 1.0
    assert summary.warnings() == {1: ["w"]}
    assert not summary.complete
    with pytest.raises(LinkError, match=r"1 of 3 frames failed \(2\)\. Too big\.") as caught:
        summary.require_complete()
    assert (caught.value.reason, caught.value.next_step) == ("OUT_OF_MEMORY", "Shrink.")


def test_a_summary_of_nothing_divides_by_nothing():
    assert Summary([]).progress().share == 0.0
    assert Summary([]).complete


def test_the_status_block_tells_engine_device_model_last_frame_and_cache():
    engine = {"version": "0.1.0", "build": "0123456789", "device": "cuda:0", "device_name": "Card", "active_calls": 1}
    status = {"engines": [{**engine, "models": ["platenet"]}], "cache": {"size": 3 << 29, "limit": 10 << 30}}
    report = {"inliers": 90, "residual_p95_px": 0.314, "valid_share": 0.992, "warnings": ["Soft plate."]}
    text = status_text(status, Delivered(1003, "/o.exr", "made", report))
    assert text.splitlines() == [
        "Engine      0.1.0 01234567, working",
        "Device      cuda:0 (Card)",
        "Model       platenet",
        "Last frame  1003 made, registered to 0.31 px, plate covers 99.2 %, Soft plate.",
        "Cache       1.5 of 10.0 GiB",
    ]
    assert "not started" in status_text(None)
    assert "none yet" in status_text({**status, "engines": []})
    assert error_text(LinkError("X", "It broke.", "Mend it.")) == "Error       It broke.\nDo          Mend it."
