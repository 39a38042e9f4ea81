"""Nukes without windows, in processes of their own: the driver, farms, and machines without PlateKey."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import nuke
import pytest
from fake_nuke import session
from nuke_station import (
    FIRST,
    LAST,
    footage,
    key_node,
    new_script,
    picture,
    result,
    side_car_ends,
    side_car_environment,
    write_shot,
    writer,
)
from side_car import REPOSITORY, command

SUPPORT = Path(session.__file__).parents[1]
NUKE = [sys.executable, "-m", "fake_nuke"]


@pytest.fixture(scope="module")
def farm(tmp_path_factory):
    """A shot; a home with PlateKey installed in its ``.nuke``, one without; a side-car for both."""
    folder = tmp_path_factory.mktemp("färm")
    write_shot(folder / "shot")
    environment = {**os.environ, **side_car_environment(folder / "home"), "HOME": str(folder / "artist")}
    (folder / "artist").mkdir()
    (folder / "stranger").mkdir()
    subprocess.run(command("install", "nuke"), env=environment, check=True, capture_output=True)
    environment["PYTHONPATH"] = os.pathsep.join([str(SUPPORT), str(REPOSITORY)])
    before = dict(os.environ)
    os.environ.update(side_car_environment(folder / "home"))
    with side_car_ends(folder / "home"):
        yield folder, environment
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def comp(farm, tmp_path):
    """A saved script: Plate -> PlateKey1 -> Write1, not processed."""
    folder, _ = farm
    new_script(tmp_path / "comp")
    key = key_node(footage(folder / "shot"))
    out = writer(key.group, tmp_path / "out")
    out.setName("Write1")
    nuke.scriptSave()
    return tmp_path / "comp" / "comp.nk", key


def run(farm, *arguments, home="artist", **more):
    """A Nuke; its end, with what it printed."""
    folder, environment = farm
    environment = {**environment, "HOME": str(folder / home), **more}
    return subprocess.run(
        [*NUKE, *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=200, check=False
    )


def driver(farm, *arguments, **more):
    script = farm[0] / "artist" / ".nuke" / "PlateKey" / "platekey_nuke.py"
    return run(farm, "-t", script, *arguments, **more)


def rendered(tmp_path):
    return sorted(int(path.name[4:8]) for path in (tmp_path / "out").glob("*.exr"))


def test_the_driver_processes_and_renders_and_then_any_machine_can_render(farm, comp, tmp_path):
    script, key = comp
    done = driver(farm, "--script", script, "--write", "Write1", "--frames", "1001-1005x2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PlateKey1: 3 frames: 3 made." in done.stdout
    assert "PlateKey1: 3 of 3 frames" in done.stdout
    assert rendered(tmp_path) == [1001, 1003, 1005]

    first = picture(tmp_path / "out" / "out.1003.exr")
    assert all((first[name] == picture(result(key, 1003))[name]).all() for name in "RGBA")
    for path in (tmp_path / "out").iterdir():
        path.unlink()
    done = run(farm, "-F", "1003-1003", "-x", script, home="stranger")
    assert done.returncode == 0, done.stderr
    again = picture(tmp_path / "out" / "out.1003.exr")
    assert all((again[name] == first[name]).all() for name in "RGBA")


def test_a_machine_without_platekey_stops_at_a_frame_that_lacks(farm, comp, tmp_path):
    script, _ = comp
    assert driver(farm, "--script", script, "--frames", "1001-1002").returncode == 0
    done = run(farm, "-x", script, home="stranger")
    assert done.returncode != 0
    assert "key.1003.exr: No such file or directory" in done.stderr
    assert rendered(tmp_path) == [1001, 1002]


def test_a_machine_with_platekey_says_which_frames_lack(farm, comp):
    script, _ = comp
    assert driver(farm, "--script", script, "--frames", "1002,1004").returncode == 0
    done = run(farm, "-x", script)
    assert done.returncode != 0
    assert "PlateKey1: 4 of 6 frames are not processed (1001,1003,1005-1006)." in done.stderr


def test_a_script_opens_and_its_panel_works_without_platekey(farm, comp, tmp_path):
    script, _ = comp
    visit = tmp_path / "visit.py"
    lines = [
        "import nuke, sys",
        f"nuke.scriptOpen({str(script)!r})",
        "from fake_nuke.session import running",
        "running().gui = True",
        "group = nuke.toNode('PlateKey1')",
        "group.showControlPanel()",
        "group['edge_shift'].setValue(2)",
        "group['process_frame'].execute()",
        "print(running().messages)",
        f"nuke.scriptSave({str(tmp_path / 'again.nk')!r})",
    ]
    visit.write_text("\n".join(lines), encoding="utf-8")
    done = run(farm, "-t", visit, home="stranger")
    assert done.returncode == 0, done.stderr
    assert "PlateKey is not installed on this machine" in done.stdout
    assert "edge_shift 2" in (tmp_path / "again.nk").read_text(encoding="utf-8")


def test_two_workers_on_parts_of_a_shot_and_two_on_the_same_part(farm, comp, tmp_path):
    script, key = comp
    folder, environment = farm
    line = [*NUKE, "-t", str(folder / "artist" / ".nuke" / "PlateKey" / "platekey_nuke.py"), "--script", str(script)]
    parts = ("1001-1003", "1004-1006", "1001-1003")
    workers = [
        subprocess.Popen([*line, "--frames", part], env=environment, stdout=subprocess.PIPE, text=True)
        for part in parts
    ]
    told = [worker.communicate(timeout=300)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0], told
    assert all(result(key, frame).exists() for frame in range(FIRST, LAST + 1))
    assert list(result(key, FIRST).parent.rglob("*.part")) == []
    done = run(farm, "-x", script)
    assert done.returncode == 0, done.stderr
    assert len(rendered(tmp_path)) == LAST - FIRST + 1


def test_save_points_the_script_at_what_was_made(farm, comp):
    """A script saved where PlateKey is not installed still points at the results of its old settings."""
    script, key = comp
    changed = script.read_text(encoding="utf-8").replace(" hint_strength 1\n", " hint_strength 0.5\n")
    script.write_text(changed, encoding="utf-8")
    assert driver(farm, "--script", script, "--frames", "1003", "--save").returncode == 0
    assert key.points_at() not in script.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--frames", "1001-1010-2"], 2, "'1001-1010-2' is no range of frames."),
        (["--frames", "1005-1001"], 2, "is no range of frames."),
        (["--node", "Nobody"], 2, "There is no PlateKey named Nobody here. The script has PlateKey1."),
        (["--write", "Nothing"], 2, "The script has no node named Nothing."),
        (["--write", "Plate"], 2, "There is no PlateKey here."),
        (["--fames", "1"], 2, "unrecognized arguments"),
    ],
)
def test_what_the_driver_cannot_do(farm, comp, arguments, code, words):
    done = driver(farm, "--script", comp[0], *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert words in done.stdout + done.stderr


def test_exit_codes_for_a_farm(farm, comp, tmp_path):
    script, _ = comp
    (tmp_path / "comp" / "platekey").write_text("a file where the cache should be", encoding="utf-8")
    done = driver(farm, "--script", script, "--frames", "1003")
    assert done.returncode == 4, done.stdout
    assert "cannot be written" in done.stdout
    (tmp_path / "comp" / "platekey").unlink()
    elsewhere = {"PLATEKEY_SIDE_CAR": "/no/such/platekey link", "PLATEKEY_HOME": str(tmp_path / "nowhere")}
    done = driver(farm, "--script", script, "--frames", "1003", **elsewhere)
    assert done.returncode == 3, done.stdout
    assert "PlateKey's side-car cannot be started" in done.stdout
    done = driver(farm, "--script", tmp_path / "none.nk", "--frames", "1003")
    assert done.returncode == 2
    assert "cannot be opened" in done.stdout


def test_the_farm_template_runs_as_a_job(farm, comp, tmp_path):
    """Both steps, in their order, chunk by chunk, by Open Job Description's own runner."""
    folder, environment = farm
    script, _ = comp
    wrapper = tmp_path / "nuke"
    wrapper.write_text(f'#!/bin/sh\nexec {shlex.join(NUKE)} "$@"\n', encoding="utf-8")
    wrapper.chmod(0o755)
    installed = folder / "artist" / ".nuke" / "PlateKey"
    parameters = {
        "NukeScript": script,
        "CacheFolder": tmp_path / "comp" / "platekey",
        "Frames": "1001-1003",
        "FramesPerTask": 2,
        "Nuke": wrapper,
        "Driver": installed / "platekey_nuke.py",
    }
    stated = [word for name, value in parameters.items() for word in ("--job-param", f"{name}={value}")]
    parameters["CacheFolder"].mkdir()
    done = subprocess.run(
        [Path(sys.executable).with_name("openjd"), "run", installed / "platekey_farm.template.yaml",
         "--extensions", "TASK_CHUNKING", "--step", "Comp", "--run-dependencies", *map(str, stated)],
        env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    assert rendered(tmp_path) == [1001, 1002, 1003]


def test_the_smoke_script_for_owners_of_a_licence_runs(farm):
    """Here it only shows that the script itself is sound."""
    done = run(farm, "-t", REPOSITORY / "tests" / "manual" / "nuke_smoke.py", NUKE_TEMP_DIR=str(farm[0]))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("[smoke] OK") == 17
    assert "[smoke] 0 of 17 failed" in done.stdout


def test_the_smoke_script_fails_where_the_plugin_is_not_there(farm):
    done = run(farm, "-t", REPOSITORY / "tests" / "manual" / "nuke_smoke.py", home="stranger")
    assert done.returncode != 0
    assert "[smoke] FAIL the plugin is on Nuke's path" in done.stdout
