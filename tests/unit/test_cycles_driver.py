"""The driver of the renders: what is missing is rendered, what crashes is given up, what hangs is ended."""

import json
import os
import stat
import sys

import pytest

from engine.errors import EngineError
from engine.training import rendering
from engine.training.rendering import Renders

FAKE_BLENDER = """#!{python}
import os, sys, time
from pathlib import Path
words = sys.argv[1:]
folder = Path(words[words.index("--folder") + 1])
for seed in map(int, words[words.index("--size") + 2:]):
    with (folder / "asked.txt").open("a") as file:
        file.write(f"{{seed}} ")
    if seed == {crashing}:
        os.abort()
    if seed == {hanging}:
        time.sleep(60)
    (folder / f"{{seed:07d}}.npy").write_bytes(b"picture")
"""


@pytest.fixture
def renders(tmp_path):
    """A folder and a process that stands in for Blender, by how it is to behave."""
    if os.name == "nt":
        pytest.skip("the stand-in for Blender is a script with a shebang")

    def make(crashing=-1, hanging=-1, seconds=30.0):
        blender = tmp_path / "blender"
        blender.write_text(FAKE_BLENDER.format(python=sys.executable, crashing=crashing, hanging=hanging))
        blender.chmod(blender.stat().st_mode | stat.S_IXUSR)
        return Renders(tmp_path / "train", tmp_path / "wheel", blender, seconds=seconds)

    return make


def rendered(renders):
    return sorted(int(path.stem) for path in renders.folder.glob("*.npy"))


def asked(renders):
    return [int(word) for word in (renders.folder / "asked.txt").read_text().split()]


def test_everything_is_rendered_once(renders):
    job = renders()
    job.complete(range(3, 9))
    job.complete(range(0, 9))
    assert rendered(job) == list(range(9))
    assert sorted(asked(job)) == list(range(9))


def test_a_batch_ends_and_the_next_begins(renders, monkeypatch):
    monkeypatch.setattr(rendering, "_BATCH", 2)
    job = renders()
    job.complete(range(5))
    assert rendered(job) == list(range(5))


def test_a_seed_that_crashes_is_tried_twice_and_given_up(renders):
    job = renders(crashing=4)
    job.complete(range(8))
    assert rendered(job) == [0, 1, 2, 3, 5, 6, 7]
    assert asked(job).count(4) == 2
    assert job.failed() == {4}
    assert job.pending(range(8)) == []
    assert "exit code" in json.loads((job.folder / "failed.jsonl").read_text())["reason"]


def test_a_process_that_hangs_is_ended(renders):
    job = renders(hanging=0, seconds=0.5)
    job.complete(range(2))
    assert job.failed() == {0}
    assert "hung" in (job.folder / "failed.jsonl").read_text()
    assert rendered(job) == [1]


def test_half_written_files_are_swept_away(renders):
    job = renders()
    job.folder.mkdir()
    (job.folder / "0000000.part").write_bytes(b"half")
    job.complete(range(1))
    assert rendered(job) == [0]
    assert not list(job.folder.glob("*.part"))


def test_a_python_without_blender_gives_the_reason(tmp_path):
    job = Renders(tmp_path / "train", tmp_path / "wheel", rendering.Path(sys.executable))
    job.complete(range(1))
    assert "bpy" in json.loads((job.folder / "failed.jsonl").read_text())["reason"]


def test_a_missing_blender_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PLATEKEY_BPY_PYTHON", str(tmp_path / "none"))
    with pytest.raises(EngineError, match="none") as caught:
        rendering.find_blender()
    assert caught.value.reason == "FILE_MISSING"
