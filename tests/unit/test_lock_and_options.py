"""Locks between processes, and options out of messages."""

import subprocess
import sys

import pytest

from host_bridge.errors import BridgeError
from host_bridge.files.lock import FileLock
from host_bridge.options import options_from_json

STATED = {"frames": "/f.####.exr", "clean_plate": "1", "output": "/o.####.exr"}

HOLDER = """
import sys, time
from pathlib import Path
from host_bridge.files.lock import FileLock
FileLock(Path(sys.argv[1])).acquire() and print("held", flush=True)
time.sleep(60)
"""


def test_a_lock_ends_with_its_process(tmp_path):
    path = tmp_path / "a.lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"held\n"
    lock = FileLock(path)
    assert not lock.acquire()
    holder.kill()
    holder.wait()
    with lock:
        assert lock.acquire(timeout=5)
        assert not FileLock(path).acquire()
    assert FileLock(path).acquire()


def test_a_message_becomes_options():
    options = options_from_json({**STATED, "layers": ["fg"], "knobs": {"mix": 0.5}, "plate_offset": 2})
    assert (options.layers, options.knobs, options.plate_offset) == (("fg",), {"mix": 0.5}, 2)


@pytest.mark.parametrize(
    "values",
    [
        {"frames": "/f"},
        {**STATED, "frames": 3},
        {**STATED, "frame": "x"},
        {**STATED, "overwrite": 1},
        {**STATED, "layers": "fg"},
    ],
)
def test_a_message_that_cannot_be_is_refused(values):
    with pytest.raises(BridgeError) as caught:
        options_from_json(values)
    assert caught.value.reason == "BAD_REQUEST"
