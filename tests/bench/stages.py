"""Seconds a frame and a stage, and peak memory: python tests/bench/stages.py [--size 1080x1920] [--runs 5]

Frame and plate are hand-held views of one procedural set with a subject, half EXR. The first run (loading, caches) is
not counted. Medians and spread; compare two builds in one sitting on an idle machine, by ratio.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import torch

sys.path[:0] = [str(Path(__file__).parents[1] / "support"), str(Path(__file__).parents[2])]

import scenes
from exr_files import source, write

from engine.pipeline.matte_frame import matte_frame
from engine.pipeline.session import Session
from engine.settings import DEFAULT_LAYERS, FrameJob, Knobs, MatteJob


def shot(folder: Path, size: tuple[int, int], handheld: bool) -> FrameJob:
    """A frame with a subject and its clean plate, on disk."""
    move = scenes.camera_move(size) if handheld else None
    frame = scenes.with_grain(scenes.with_subject(scenes.shot(size, 3), 0.2), 1)
    clean = write(folder / "clean.exr", scenes.with_grain(scenes.shot(size, 3, move), 2), depth="half")
    return FrameJob(1, source(write(folder / "frame.exr", frame, depth="half")), source(clean))


def main() -> None:
    """Run and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", default="1080x1920", help="HEIGHTxWIDTH")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--locked", action="store_true", help="a camera that stands still")
    options = parser.parse_args()
    height, width = (int(part) for part in options.size.split("x"))
    job = MatteJob(Knobs(), DEFAULT_LAYERS, "platekey://studio", "lin_rec709", options.device)
    session = Session(options.device, 1 << 30)
    seconds: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        frame = shot(Path(folder), (height, width), not options.locked)
        for run in range(options.runs + 1):
            report = matte_frame(job, frame, session, lambda _: None, lambda: False)[1]
            for stage, spent in report.seconds.items() if run else ():
                seconds[stage].append(spent)
    print(f"{width}x{height}, {options.device}, {torch.get_num_threads()} threads, {options.runs} runs")
    for stage, spent in seconds.items():
        print(f"{stage:14}{statistics.median(spent):8.3f} s   {min(spent):.3f} to {max(spent):.3f}")
    print(f"{'total':14}{statistics.median(map(sum, zip(*seconds.values(), strict=True))):8.3f} s")
    print(f"peak memory   {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:8.2f} GB")


if __name__ == "__main__":
    main()
