"""A temporary folder that is missing or full: the artist is told, by name, where to make room."""

import tempfile

import numpy as np
import pytest
from exr_files import source_of

from engine.errors import EngineError
from engine.pipeline.decode import decode, probe
from engine.pipeline.encode import encode
from engine.values import Frame, Layers, Window

WINDOW = Window(0, 0, 200, 200)
LAYERS = Layers({"R": np.random.default_rng(0).random(WINDOW.size, np.float32)}, half=False)


@pytest.fixture(scope="module")
def picture():
    channels = dict.fromkeys("RGB", LAYERS.channels["R"])
    return source_of(encode(Layers(channels, half=False), Frame(WINDOW, WINDOW), {}))


@pytest.fixture(params=["decode", "probe", "encode"])
def use(request, picture):
    """What passes through the folder."""
    return {
        "decode": lambda: decode(picture),
        "probe": lambda: probe(picture),
        "encode": lambda: encode(LAYERS, Frame(WINDOW, WINDOW), {}),
    }[request.param]


@pytest.fixture
def no_room(tmp_path, monkeypatch):
    """Files of this process end after 16 KiB, as they do where a disk is full."""
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16 << 10, before[1]))
    yield tmp_path
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def check(use, folder):
    with pytest.raises(EngineError) as caught:
        use()
    assert caught.value.reason == "LIMIT_EXCEEDED"
    assert str(folder) in caught.value.message
    assert "Free space" in caught.value.next_step


def test_a_full_temporary_folder_is_named_and_left_empty(use, no_room):
    check(use, no_room)
    assert not list(no_room.iterdir())


def test_a_missing_temporary_folder_is_named(use, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    check(use, tmp_path / "gone")


def test_no_temporary_folder_at_all_is_said(use, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path / "gone")])
    check(use, tmp_path / "gone")
