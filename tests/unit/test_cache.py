"""The frame cache: hits, damage, bounds."""

import hashlib
import os

from host_bridge.cache import FrameCache
from host_bridge.partfile import PartFile

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
