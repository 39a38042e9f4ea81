"""What Blender adds to the engine's time: ``python tests/bench/blender_host.py [4.5|5.0]``, 1080p, without a window.

One render of several frames through the node, less the same render of the footage alone, less the engine's own seconds
as its reports tell them, a frame. Of that:

export: the nested render, its file in 32-bit float, its rename; a frame's export overlaps the engine's work on another
side-car: it hashes the files, sends and receives, and writes the result
rest: Blender reads and hashes the graph, and reads the result in place of the footage

Wall seconds mean something on an idle machine only. CPU seconds, of Blender and the side-car together and less those
for the footage alone, hardly change with the load; one thread at a time spends them, so they bound the idle wall time.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "support"), str(Path(__file__).parents[2])]

import blender_host
from blender_host import Blender, environment, step, stop_all
from exr_files import write
from scenes import figure, shot, with_grain

blender_host.SECONDS = 1800.0
"""A test gives up sooner; a busy machine may take its time here."""

SIZE = (1080, 1920)
FIRST, FRAMES = 1001, 6
"""The first frame starts the engine, and is not counted."""

DIRECT_LIMIT = 0.3
"""Seconds a frame that the host may add where files are sent as they are."""

TIMED = """
import json, os, time
import plugin.blender.export as export
from plugin.blender import board
spent = {}
make, delivered = export.Exporter.make, board.delivered
def timed(self, frame):
    began, busy = time.perf_counter(), time.process_time()
    make(self, frame)
    spent["export_wall"] += time.perf_counter() - began
    spent["export"] += time.process_time() - busy
def counted(identity, frame):
    spent["engine"] += sum(frame.report["seconds"].values())
    delivered(identity, frame)
export.Exporter.make, board.delivered = timed, counted
def side_car():
    # Its CPU seconds, as Linux counts them.
    state = os.path.join(os.environ["PLATEKEY_HOME"], "run", "link.json")
    if not os.path.exists(state):
        return 0.0
    fields = open("/proc/%d/stat" % json.load(open(state))["pid"]).read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
for scene.frame_start, scene.frame_end in ((FIRST, FIRST), (FIRST + 1, FIRST + FRAMES - 1)):
    spent.update(export=0.0, export_wall=0.0, engine=0.0)
    began, blender, car = time.perf_counter(), time.process_time(), side_car()
    bpy.ops.render.render(animation=True)
    spent.update(wall=time.perf_counter() - began, blender=time.process_time() - blender, side_car=side_car() - car)
result = spent
"""


def main() -> None:
    """Time both ways and the footage alone, and print the medians."""
    version = sys.argv[1] if len(sys.argv) > 1 else "4.5"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_shot(folder)
        blender = Blender(version, {**environment(folder / "home"), "PLATEKEY_CACHE_GIB": "0"})
        try:
            alone = _timed(blender, folder, node=False)
            for way, exported in (("files as they are", False), ("exported", True)):
                _tell(way, _timed(blender, folder, exported=exported), alone)
        finally:
            stop_all(folder / "home")


def _write_shot(folder: Path) -> None:
    plate, alpha = shot(SIZE, seed=3), figure(SIZE, 0.2)[..., None]
    subject = shot(SIZE, seed=99)
    for number in range(FIRST, FIRST + FRAMES):
        frame = with_grain(alpha * subject + (1 - alpha) * plate, seed=number)
        write(folder / f"frame.{number}.exr", frame, depth="half", attributes={"compression": "zip"})
    write(folder / "plate.exr", with_grain(plate, seed=1), depth="half", attributes={"compression": "zip"})


def _timed(blender: Blender, folder: Path, node: bool = True, exported: bool = False) -> dict[str, float]:
    footage = {"path": str(folder / f"frame.{FIRST}.exr"), "start": FIRST, "length": FRAMES, "offset": FIRST - 1}
    steps = [step("shot", size=SIZE[::-1], first=FIRST, last=FIRST), step("footage", name="Footage", **footage)]
    steps.append(step("footage", name="Plate", path=str(folder / "plate.exr"), source="FILE"))
    if exported:
        steps.append(step("exposure", name="Exposure", source="Footage"))
    inputs = {"Frame": "Exposure" if exported else "Footage", "Clean Plate": "Plate"}
    if node:
        steps.append(step("platekey", folder=str(folder / "results"), quality="draft", inputs=inputs))
    else:
        steps.append(step("link", source="Footage", socket=0, target="", target_socket=0))
    to = f"scene.render.filepath = {str(folder / 'out' / 'r.####')!r}\n"
    done = blender.run(*steps, step("python", code=to + f"FIRST, FRAMES = {FIRST}, {FRAMES}\n" + TIMED))
    if done.code != 0:
        raise SystemExit(done.printed)
    return done.results[-1]


def _tell(way: str, spent: dict[str, float], alone: dict[str, float]) -> None:
    frame = {name: seconds / (FRAMES - 1) for name, seconds in spent.items()}
    footage = {name: seconds / (FRAMES - 1) for name, seconds in alone.items()}
    host = frame["wall"] - footage["wall"] - frame["engine"]
    rest = frame["blender"] - footage["blender"] - frame["export"]
    busy = frame["export"] + frame["side_car"] + rest
    print(f"{way}: host {busy:.3f} CPU s a frame, {host:.3f} wall, beside the engine's {frame['engine']:.2f} wall")
    stages = {"export": frame["export"], "side-car": frame["side_car"], "rest": rest}
    told = ", ".join(f"{name} {seconds:.3f}" for name, seconds in stages.items())
    print(f"  CPU: {told}; an export takes {frame['export_wall']:.3f} wall")
    if way == "files as they are":
        print(f"  limit {DIRECT_LIMIT} s of CPU: {'kept' if busy <= DIRECT_LIMIT else 'MISSED'}")


if __name__ == "__main__":
    main()
