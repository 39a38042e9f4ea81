"""Final files: whole or not at all, and nobody else's."""

import contextlib
import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from host_bridge.errors import BridgeError
from host_bridge.files.outputs import Outputs

DATA = b"a whole file"


def outputs(folder, frames=(1001,), name="out.####.exr", overwrite=False, inputs=frozenset()):
    return Outputs(str(folder / name), frames, set(inputs), overwrite)


def deliver(target, frame=1001, key="k1", data=DATA):
    part = target.begin(frame)
    part.write(data)
    part.finish(hashlib.sha256(data).hexdigest(), len(data))
    return target.deliver(frame, part, key)


def leftovers(folder):
    return [path for path in folder.rglob("*") if path.suffix == ".part"]


def test_a_delivered_file_is_fresh_for_its_key_only(tmp_path):
    path = deliver(outputs(tmp_path))
    again = outputs(tmp_path)

    assert path == tmp_path / "out.1001.exr"
    assert path.read_bytes() == DATA
    assert again.is_fresh(1001, "k1")
    assert not again.is_fresh(1001, "k2")
    assert leftovers(tmp_path) == []


def test_touching_a_delivered_file_leaves_it_fresh(tmp_path):
    path = deliver(outputs(tmp_path))
    os.utime(path, (1, 1))
    assert outputs(tmp_path).is_fresh(1001, "k1")


def test_a_removed_file_is_not_fresh(tmp_path):
    deliver(outputs(tmp_path)).unlink()
    assert not outputs(tmp_path).is_fresh(1001, "k1")


@pytest.mark.parametrize("content", [b"a whole filf", b"shorter"])
def test_a_file_changed_by_somebody_else_is_refused(tmp_path, content):
    deliver(outputs(tmp_path)).write_bytes(content)

    with pytest.raises(BridgeError) as caught:
        outputs(tmp_path)

    assert caught.value.reason == "OUTPUT_EXISTS"
    assert str(tmp_path / "out.1001.exr") in caught.value.message
    assert not outputs(tmp_path, overwrite=True).is_fresh(1001, "k1")


def test_a_stranger_under_the_name_is_refused(tmp_path):
    (tmp_path / "out.1001.exr").write_bytes(b"somebody's")
    with pytest.raises(BridgeError, match="did not write"):
        outputs(tmp_path)


def test_a_crash_between_record_and_rename_leaves_a_file_known_as_ours(tmp_path, monkeypatch):
    first = deliver(outputs(tmp_path))
    target = outputs(tmp_path)
    part = target.begin(1001)
    part.write(b"second")
    part.finish(hashlib.sha256(b"second").hexdigest(), 6)
    monkeypatch.setattr(type(part.path), "replace", stop_before_final_name(first))
    with pytest.raises(KeyboardInterrupt):
        target.deliver(1001, part, "k2")
    monkeypatch.undo()

    again = outputs(tmp_path)

    assert first.read_bytes() == DATA
    assert not again.is_fresh(1001, "k2")


def stop_before_final_name(final):
    def replace(self, target):
        if target == final:
            raise KeyboardInterrupt
        os.replace(self, target)

    return replace


def test_bytes_that_do_not_match_leave_nothing(tmp_path):
    part = outputs(tmp_path).begin(1001)
    part.write(b"half")
    with pytest.raises(BridgeError) as caught:
        part.finish(hashlib.sha256(DATA).hexdigest(), len(DATA))
    assert caught.value.reason == "BLOB_MISMATCH"
    assert leftovers(tmp_path) == []


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(BridgeError, match="does not exist") as caught:
        outputs(tmp_path / "nowhere")
    assert caught.value.reason == "OUTPUT_NOT_WRITABLE"


def test_a_folder_that_takes_no_files_is_refused(tmp_path):
    (tmp_path / ".platekey").write_text("in the way")
    with pytest.raises(BridgeError, match="cannot be written"):
        outputs(tmp_path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_write_protected_folder_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(BridgeError) as caught:
        outputs(tmp_path)
    assert caught.value.reason == "OUTPUT_NOT_WRITABLE"


@contextlib.contextmanager
def small_disk(place, size):
    """A file system of its own; skips where this user may not mount one."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    if os.name != "posix" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_leaves_no_half_file_and_keeps_what_is_done(tmp_path):
    with small_disk(tmp_path / "small", "128k") as disk:
        target = outputs(disk, (1001, 1002))
        deliver(target, 1001, data=b"x" * 40_000)
        part = target.begin(1002)
        with pytest.raises(BridgeError, match="No space left") as caught:
            part.write(b"y" * 200_000)
        assert caught.value.reason == "OUTPUT_NOT_WRITABLE"
        assert "out.1002.exr" in caught.value.message
        assert leftovers(disk) == []
        assert (disk / "out.1001.exr").stat().st_size == 40_000
        assert not (disk / "out.1002.exr").exists()


def test_names_that_cannot_be_are_refused(tmp_path):
    for name, frames in (("out.png", (1,)), ("out.exr", (1, 2))):
        with pytest.raises(BridgeError) as caught:
            outputs(tmp_path, frames, name)
        assert caught.value.reason == "BAD_REQUEST"
    assert outputs(tmp_path, (7,), "out.exr").paths == {7: tmp_path / "out.exr"}


def test_an_input_is_never_written_over_whatever_the_option_says(tmp_path):
    with pytest.raises(BridgeError, match="is an input"):
        outputs(tmp_path, overwrite=True, inputs={tmp_path / "out.1001.exr"})


def test_abandoned_parts_are_swept_and_young_ones_kept(tmp_path):
    records = tmp_path / ".platekey"
    records.mkdir()
    for name, age in (("old.part", 1), ("young.part", None)):
        (records / name).touch()
        if age:
            os.utime(records / name, (age, age))
    outputs(tmp_path)
    assert [path.name for path in leftovers(tmp_path)] == ["young.part"]


def test_a_record_that_cannot_be_written_leaves_nothing_and_the_frame_before_stays(tmp_path, monkeypatch):
    first = deliver(outputs(tmp_path))

    def full(descriptor):
        raise OSError(28, "No space left on device")

    target = outputs(tmp_path)
    part = target.begin(1001)
    part.write(b"second")
    part.finish(hashlib.sha256(b"second").hexdigest(), 6)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BridgeError, match="No space left"):
        target.deliver(1001, part, "k2")
    monkeypatch.undo()

    assert [path.name for path in (tmp_path / ".platekey").iterdir()] == ["out.1001.exr.json"]
    assert first.read_bytes() == DATA
    assert outputs(tmp_path).is_fresh(1001, "k1")


KILLED_WRITER = """
import os, sys
from pathlib import Path
from host_bridge.files.home import write_json
os.fsync = lambda descriptor: os._exit(9)
write_json(Path(sys.argv[1]), {})
"""


def test_a_record_half_written_by_a_killed_process_is_swept(tmp_path):
    records = tmp_path / ".platekey"
    records.mkdir()
    command = [sys.executable, "-c", KILLED_WRITER, str(records / "out.1001.exr.json")]
    assert subprocess.run(command, check=False).returncode == 9
    (left,) = records.iterdir()

    os.utime(left, (1, 1))
    outputs(tmp_path)

    assert list(records.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="Windows syncs no folders")
def test_the_record_is_on_disk_before_the_frame_has_its_name(tmp_path, monkeypatch):
    steps, fsync, replace = [], os.fsync, Path.replace

    def sync(descriptor):
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def rename(path, target):
        steps.append(target.name)
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", rename)
    deliver(outputs(tmp_path))
    assert steps == ["file", "file", "out.1001.exr.json", "folder", "out.1001.exr", "folder"]
