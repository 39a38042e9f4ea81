"""The frame cache: hits, damage, bounds."""

import hashlib
import os
import shutil
from pathlib import Path

from host_bridge.files.cache import FrameCache
from host_bridge.files.partfile import PartFile

KEYS = [letter * 64 for letter in "abc"]


def put(cache, folder, key, data):
    source = folder / "result.exr"
    source.write_bytes(data)
    cache.put(key, hashlib.sha256(data).hexdigest(), source)


def fetch(cache, folder, key):
    part = PartFile(folder / "part", folder / "final.exr")
    return part.path.read_bytes() if cache.copy_to(key, part) else None


def test_what_goes_in_comes_out(tmp_path):
    store = tmp_path / "cache"
    store.mkdir()
    cache = FrameCache(store, 1000)
    put(cache, tmp_path, KEYS[0], b"pixels")

    assert fetch(cache, tmp_path, KEYS[0]) == b"pixels"
    assert fetch(cache, tmp_path / "..", KEYS[1]) is None


def test_a_damaged_file_is_a_miss_and_leaves(tmp_path):
    store = tmp_path / "cache"
    store.mkdir()
    cache = FrameCache(store, 1000)
    put(cache, tmp_path, KEYS[0], b"pixels")
    (cached,) = store.iterdir()
    cached.write_bytes(b"pixelz")

    assert fetch(cache, tmp_path, KEYS[0]) is None
    assert list(store.iterdir()) == []
    assert not (tmp_path / "part").exists()


def test_the_least_recently_used_leaves_first(tmp_path):
    store = tmp_path / "cache"
    store.mkdir()
    cache = FrameCache(store, 250)
    for second, key in enumerate(KEYS[:2]):
        put(cache, tmp_path, key, key[:1].encode() * 100)
        os.utime(next(store.glob(f"{key}.*")), (second, second))
    assert fetch(cache, tmp_path, KEYS[0]) is not None
    (tmp_path / "part").unlink()

    put(cache, tmp_path, KEYS[2], b"c" * 100)

    assert {path.name[0] for path in store.iterdir()} == {"a", "c"}
    assert cache.state().size == 200


def test_a_limit_of_nothing_turns_the_cache_off(tmp_path):
    store = tmp_path / "cache"
    store.mkdir()
    put(FrameCache(store, 0), tmp_path, KEYS[0], b"pixels")
    assert list(store.iterdir()) == []

    put(FrameCache(store, 1000), tmp_path, KEYS[0], b"pixels")
    assert fetch(FrameCache(store, 0), tmp_path, KEYS[0]) is None


def test_a_cache_folder_that_is_removed_or_replaced_mid_job_harms_nothing(tmp_path):
    store = tmp_path / "cache"
    store.mkdir()
    cache = FrameCache(store, 1000)
    put(cache, tmp_path, KEYS[0], b"pixels")
    shutil.rmtree(store)
    put(cache, tmp_path, KEYS[1], b"pixels")
    assert not store.exists()
    store.write_bytes(b"no folder")
    put(cache, tmp_path, KEYS[2], b"pixels")
    assert store.read_bytes() == b"no folder"


def test_a_cache_folder_that_goes_away_before_it_is_listed_harms_nothing(tmp_path, monkeypatch):
    store = tmp_path / "cache"
    store.mkdir()
    monkeypatch.setattr(Path, "iterdir", lambda folder: os.scandir(folder / "gone"))
    put(FrameCache(store, 1000), tmp_path, KEYS[0], b"pixels")
    assert [path.suffix for path in store.glob("*")] == [".exr"]


def test_the_folder_is_listed_once_a_64th_of_the_limit_and_by_every_new_job(tmp_path, monkeypatch):
    store = tmp_path / "cache"
    store.mkdir()
    listed, iterdir = [], Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda folder: listed.append(folder) or iterdir(folder))
    cache = FrameCache(store, 6400)
    counts = []
    for number in range(6):
        put(cache, tmp_path, f"{number:064}", bytes(40))
        counts.append(len(listed))
    assert counts == [1, 1, 1, 2, 2, 2]
    put(FrameCache(store, 6400), tmp_path, KEYS[0], b"x")
    assert len(listed) == 3
