"""Seconds and peak memory of each stage: python tests/bench/stages.py [--size 1080x1920] [--runs 5]; 4K: 2160x4096.

Frame and plate are hand-held views of one procedural set with a subject, half EXR. The first run (loading, caches) is
not counted, unless it is the only one (`--runs 0`). Medians and spread; compare two builds in one sitting on an idle
machine, by ratio. Seconds of processors are what other programs take least from. Memory is the process's own peak in
the stage, with all that it held before; read where Linux tells it, else that of the whole run.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
import time
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


class Meter:
    """Peak memory and seconds of processors, stage by stage."""

    def __init__(self) -> None:
        self.gigabytes: dict[str, float] = defaultdict(float)
        self.processors: dict[str, list[float]] = defaultdict(list)
        self._stage, self._began = "", 0.0

    def begin(self, stage: str) -> None:
        """Close the stage before, and begin one; the empty name begins none."""
        if self._stage:
            self.gigabytes[self._stage] = max(self.gigabytes[self._stage], peak())
            self.processors[self._stage].append(time.process_time() - self._began)
        if RESET.exists():
            RESET.write_text("5")
        self._stage, self._began = stage, time.process_time()


RESET = Path("/proc/self/clear_refs")
"""Takes a 5 and forgets the peak (Linux, proc(5))."""


def peak() -> float:
    """GB, of this process, since the last reset."""
    if not RESET.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e6


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
    meter = Meter()
    with tempfile.TemporaryDirectory() as folder:
        frame = shot(Path(folder), (height, width), not options.locked)
        for run in range(options.runs + 1):
            meter = meter if run > 1 else Meter()
            report = matte_frame(job, frame, session, meter.begin, lambda: False)[1]
            meter.begin("")
            for stage, spent in report.seconds.items() if run or not options.runs else ():
                seconds[stage].append(spent)
    print(f"{width}x{height}, {options.device}, {torch.get_num_threads()} threads, {options.runs} runs")
    for stage, spent in seconds.items():
        print(
            f"{stage:14}{statistics.median(spent):8.3f} s   {min(spent):.3f} to {max(spent):.3f}   of processors "
            f"{statistics.median(meter.processors[stage]):.3f} s   {meter.gigabytes[stage]:.2f} GB"
        )
    print(f"{'total':14}{statistics.median(map(sum, zip(*seconds.values(), strict=True))):8.3f} s")


if __name__ == "__main__":
    main()
