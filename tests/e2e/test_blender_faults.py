"""Blender's render where something goes wrong on the way: no stale frame, no black one, and a process that says so."""

import os
import signal
import time

import pytest
from blender_host import FIRST, LAST, VERSIONS, Station, answer_pixel, finished, step

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills and signals as POSIX has them")

LACKING = 1005


@pytest.fixture(params=[("4.5", False), ("5.0", True)], ids=["4.5-files", "5.0-exported"])
def station(request, tmp_path):
    """Each fault once with files sent as they are, and once with files that Blender exports."""
    version, exported = request.param
    yield from opened(tmp_path, version, exported)


def opened(folder, version, exported):
    place = Station(folder, version)
    place.exported = exported
    yield place
    place.close()


def rendering(station, out="", **node):
    return [*station.steps(station.exported, **node), step("render", to=str(station.out / out))]


def wanted(last=LAST, first=FIRST + 1):
    return {number: answer_pixel(number) for number in range(first, last + 1)}


@pytest.fixture(params=[(version, exported) for version in VERSIONS for exported in (False, True)])
def healthy(request, tmp_path):
    yield from opened(tmp_path, *request.param)


def test_a_render_makes_what_it_needs_once(healthy):
    changed = str(healthy.footage / f"f.{LACKING}.exr")
    done = healthy.blender.run(
        *rendering(healthy),
        step("render", to=str(healthy.out / "again")),
        step("python", code=f"import os; os.utime({changed!r}, (2, 2))"),
        step("render", to=str(healthy.out / "touched")),
        step("python", code="tree.nodes['PlateKey'].node_tree.platekey.edge_shift = 2.0"),
        step("render", to=str(healthy.out / "shifted"), last=FIRST + 2),
    )
    assert done.code == 0, done.printed
    assert healthy.rendered() == healthy.rendered("again") == healthy.rendered("touched") == wanted()
    assert healthy.rendered("shifted") == wanted(FIRST + 2)
    first, then = list(range(FIRST + 1, LAST + 1)), [FIRST + 1, FIRST + 2]
    assert sorted(healthy.engine_frames()) == sorted(first + then), "a touched file holds the same pixels"
    assert healthy.leftovers() == []


def test_an_engine_that_dies_over_a_frame_is_replaced(station):
    station.scenario(deadly={str(LACKING): 1})
    done = station.blender.run(*rendering(station))
    assert done.code == 0, done.printed
    assert station.rendered() == wanted()


@pytest.mark.parametrize(
    ("scenario", "words", "last"),
    [
        ({"deadly": {str(LACKING): 9}}, f"Frame {LACKING}: the engine died", LACKING - 1),
        ({"failing": {str(LACKING): "IMAGE_UNREADABLE"}}, "is no good. Do something about it.", LACKING - 1),
        ({"start_failure": "no driver"}, "no driver", FIRST),
    ],
    ids=["deadly", "failing", "no engine"],
)
def test_a_frame_that_cannot_be_made_is_not_written(station, scenario, words, last):
    station.scenario(**scenario)
    done = station.blender.run(*rendering(station))
    assert done.code == 1
    assert words in done.printed
    assert "Traceback" not in done.printed
    assert station.rendered() == wanted(last)
    assert station.leftovers() == []


def test_a_frame_whose_footage_is_missing_is_not_written(station):
    (station.footage / f"f.{LACKING}.exr").unlink()
    done = station.blender.run(*rendering(station))
    assert done.code == 1
    assert str(LACKING) in done.printed.split("The render stops. ")[-1]
    assert station.rendered() == wanted(LACKING - 1)


UNFORESEEN = "PlateKey failed in a way that it does not foresee."
FULL_DISK = """
import plugin.core.manifest
def full(*_):
    raise OSError(28, "No space left on device")
plugin.core.manifest._write = full
"""


@pytest.mark.parametrize(
    ("station", "broken", "words"),
    [
        (("4.5", False), "import plugin.blender.session as s; s.make_plan = lambda *_: 1 / 0", UNFORESEEN),
        (("5.0", True), "import plugin.blender.take as t; t.Take.require = lambda *_: 1 / 0", UNFORESEEN),
        (("5.0", True), FULL_DISK, "cannot be written: No space left on device."),
    ],
    indirect=["station"],
    ids=["planning", "making", "full disk"],
)
def test_what_nobody_foresaw_and_a_full_disk_end_the_render_too(station, broken, words):
    done = station.blender.run(step("python", code=broken), *rendering(station))
    assert done.code == 1
    assert words in done.printed.split("The render stops. ")[-1]
    assert ("ZeroDivisionError" in done.printed) == (words == UNFORESEEN)
    assert station.rendered() == {}


def test_ctrl_c_leaves_before_the_frame_is_written(station):
    station.scenario(delay=5.0)
    process = station.blender.start(*rendering(station))
    end = time.monotonic() + 100
    while not ((station.results.exists() and list(station.results.rglob("*.node.json"))) or station.engine_frames()):
        assert time.monotonic() < end
        assert process.poll() is None, finished(process).printed
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    done = finished(process)
    assert done.code == 130, done.printed
    assert station.rendered().keys() <= {FIRST + 1}
    assert station.leftovers() == []


def test_in_a_window_the_render_ends_and_the_output_path_comes_back(station):
    station.scenario(failing={str(LACKING): "IMAGE_UNREADABLE"})
    done = station.blender.run(
        step("python", code="import plugin.blender.rendering as r; r.has_window = lambda: True"),
        *rendering(station),
        step(
            "python",
            code="result = [scene.render.filepath, tree.nodes['PlateKey'].node_tree.nodes['Results'].image.source]",
        ),
        step("lines"),
    )
    assert done.code == 0, done.printed
    assert f"PlateKey has no result of frame {LACKING}" in done.results[-3]
    assert station.rendered() == wanted(LACKING - 1)
    assert done.results[-2] == [str(station.out / "r.####"), "FILE"], "the slate is shown"
    assert done.results[-1][0].startswith("Error")
