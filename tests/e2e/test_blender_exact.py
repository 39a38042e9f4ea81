"""Blender's render with the real side-car and the real engine: the pixels are the command line's, bit for bit."""

import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from blender_host import VERSIONS, Blender, environment, finished, step, stop_all
from exr_files import read, write
from scenes import figure, shot, with_grain
from side_car import platekey

SIZE = (136, 240)
FIRST, LAST = 1001, 1024
"""The subject enters after the first frame, which is the clean plate."""

SPACE = "Linear Rec.709"


class Shot:
    """Footage on disk, one Blender, and one engine for everything, without a cache of frames."""

    def __init__(self, folder: Path, version: str) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.blender = Blender(version, {**environment(self.home), "PLATEKEY_CACHE_GIB": "0"})
        plate, subject, alpha = shot(SIZE, seed=3), shot(SIZE, seed=99), figure(SIZE, 0.2)[..., None]
        plate[10:14, 10:14] *= 200.0
        for number in range(FIRST, LAST + 1):
            here = np.roll(alpha, 4 * (number - FIRST) - 60, axis=1) if number > FIRST else np.zeros_like(alpha)
            frame = with_grain(here * np.roll(subject, number, axis=1) + (1 - here) * plate, seed=number)
            frame[0, 0], frame[0, 1] = -0.125, 500.0
            write(folder / f"frame.{number}.exr", frame)

    def steps(self, name: str, above: list, last: int, **node: object) -> list:
        """A render of frames through the node."""
        path = str(self.folder / f"frame.{FIRST}.exr")
        counted = {"start": FIRST, "length": LAST - FIRST + 1, "offset": FIRST - 1}
        return [
            step("shot", size=SIZE[::-1], first=FIRST, last=last),
            step("footage", name="Footage", path=path, **counted),
            *above,
            step("platekey", **{"folder": str(self.folder / name / "results"), "clean_frame": FIRST, **node}),
            step("render", to=str(self.folder / name)),
        ]

    def keyed(self, name: str, above: list, last: int, **node: object) -> Path:
        """Render frames through the node; returns the node's folder."""
        done = self.blender.run(*self.steps(name, above, last, **node))
        assert (done.code, done.results and done.results[-1]) == (0, ""), done.printed
        return next((self.folder / name / "results").iterdir())

    def kill_engines(self) -> None:
        """Kill what computes now."""
        for state in (self.home / "run").glob("engine-*.json"):
            with suppress(OSError, ValueError):
                os.kill(json.loads(state.read_text(encoding="utf-8"))["pid"], signal.SIGKILL)

    def command_line(self, frames: Path, name: str, last: int, *more: str) -> None:
        """Key files at a shell, in the colour configuration of this Blender."""
        out = self.folder / name
        out.mkdir()
        (config,) = (self.home / "color").glob("*.ocioz")
        options = ["--clean-plate", str(FIRST), "--frames", f"{FIRST}-{last}", "-o", str(out / "key.####.exr"), *more]
        colour = ["--ocio", str(config), "--colorspace", SPACE, "--output-colorspace", SPACE]
        done = platekey(self.blender.environment, "matte", str(frames), *options, *colour)
        assert done.returncode == 0, done.stderr

    def file(self, name: str, number: int) -> Path:
        """A frame as Blender or the command line wrote it."""
        return next((self.folder / name).glob(f"*.{number}.exr"))


@pytest.fixture(scope="module", params=VERSIONS)
def station(request, tmp_path_factory):
    place = Shot(tmp_path_factory.mktemp("exact"), request.param)
    yield place
    stop_all(place.home)


def layer(path, name=""):
    """The channels of a layer of a file, in its order."""
    spec, pixels = read(path)
    kept = [index for index, channel in enumerate(spec.channelnames) if channel.rpartition(".")[0] == name]
    return pixels[..., kept]


def assert_same_pixels(first, second):
    assert first.shape == second.shape
    assert first.tobytes() == second.tobytes()


@pytest.mark.slow
@pytest.mark.timeout(600)  # twice 24 frames; half a minute where nobody else computes
def test_a_graph_above_the_node_is_keyed_as_the_command_line_keys_its_export(station):
    above = [step("exposure", name="Exposure", source="Footage")]
    node = station.keyed("graph", above, LAST, inputs={"Frame": "Exposure"})
    (exchange,) = node.glob("in-*")
    exported = layer(exchange / f"frames.00{LAST}.exr")
    assert (exported[..., :3] == 2 * layer(station.folder / f"frame.{LAST}.exr")).all(), "32-bit, beyond 0..1"

    station.command_line(exchange / "frames.######.exr", "graph at a shell", LAST, "--layers", "shadow")

    for number in range(FIRST, LAST + 1):
        assert_same_pixels(layer(station.file("graph", number)), layer(station.file("graph at a shell", number)))
    keyed = layer(station.file("graph", LAST))
    assert 0.05 < keyed[..., 3].mean() < 0.5
    assert keyed[..., :3].max() > 1


@pytest.mark.slow
def test_plain_files_are_keyed_as_the_command_line_keys_them(station):
    last = FIRST + 2
    mattes = {"Frame": "Footage", "Clean Plate": "Plate"}
    above = [step("footage", name="Plate", path=str(station.folder / f"frame.{FIRST}.exr"), source="FILE")]
    node = station.keyed("files", above, last, inputs=mattes, out="Uncertainty", despill=0.5, temporal_window=1)
    assert not list(node.glob("in-*")), "nothing was exported"

    knobs = ["--layers", "uncertainty", "--despill", "0.5", "--temporal-window", "1"]
    station.command_line(station.folder / "frame.####.exr", "files at a shell", last, *knobs)

    for number in range(FIRST, last + 1):
        shown, made = (
            layer(station.file("files", number)),
            layer(station.file("files at a shell", number), "uncertainty"),
        )
        assert_same_pixels(shown[..., :1], made)
    assert layer(station.file("files", last))[..., 0].max() > 0


@pytest.mark.slow
def test_a_garbage_matte_of_the_graph_reaches_the_engine(station):
    box = step("box", name="Box", centre=(0.75, 0.5), size=(0.5, 1.0))
    above = [box]
    station.keyed("garbage", above, FIRST, out="Alpha", inputs={"Frame": "Footage", "Garbage Matte": ["Box", 0]})
    alpha = layer(station.file("garbage", FIRST))[..., 0]
    assert (alpha[:, SIZE[1] // 2 + 1 :] == 0).all()


@pytest.mark.slow
def test_a_plate_of_another_format_is_one_sentence(station):
    small = station.folder / "small.exr"
    write(small, shot((68, 120), seed=3))
    done = station.blender.run(
        step("shot", size=SIZE[::-1], first=FIRST, last=FIRST),
        step("footage", name="Footage", path=str(station.folder / f"frame.{FIRST}.exr"), start=FIRST, offset=FIRST - 1),
        step("footage", name="Plate", path=str(small), source="FILE"),
        step("platekey", folder=str(station.folder / "other"), inputs={"Frame": "Footage", "Clean Plate": "Plate"}),
        step("process"),
        step("lines"),
    )
    assert done.code == 0, done.printed
    assert "120" in done.results[-2]
    assert "240" in done.results[-2]
    assert done.results[-1][0].startswith("Error")


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills as POSIX has them")
@pytest.mark.parametrize("station", ["5.0"], indirect=True)
def test_when_every_engine_is_killed_the_render_ends_and_what_was_written_is_true(station):
    last = FIRST + 1
    station.keyed("whole", [], last, inputs={"Frame": "Footage"})
    process = station.blender.start(*station.steps("killed", [], LAST, inputs={"Frame": "Footage"}))
    while process.poll() is None:
        if list((station.folder / "killed").glob("*.exr")):
            station.kill_engines()
        time.sleep(0.05)
    done = finished(process)
    assert done.code == 1, done.printed
    assert "engine" in done.printed.split("The render stops. ")[-1], "it died over the frame, or before it could answer"
    written = sorted(int(path.suffixes[0][1:]) for path in (station.folder / "killed").glob("*.exr"))
    assert written == list(range(FIRST, written[-1] + 1)), "no frame is left out"
    assert written[-1] < LAST
    for number in [number for number in written if number <= last]:
        assert_same_pixels(layer(station.file("killed", number)), layer(station.file("whole", number)))
