"""``platekey`` in real processes: start, share, cancel, kill, resume, and every way out."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from side_car import command, environment, journal, platekey, write_footage

import host_bridge

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills and signals as POSIX has them")


class Station:
    """An artist's machine: footage, an output folder, PlateKey's own folder."""

    def __init__(self, folder):
        self.folder = folder
        self.out = folder / "öut"
        self.out.mkdir()
        self.footage = write_footage(folder / "my shöt", range(1001, 1007))
        self.home = folder / "hö me"
        self.journal = folder / "journal"
        self.env = self.environment()

    def environment(self, **scenario):
        self.env = environment(self.home, journal=str(self.journal), **scenario)
        return self.env

    def arguments(self, *more):
        return ["matte", self.footage, "--clean-plate", "1006", "-o", str(self.out / "key.####.exr"), *more]

    def matte(self, *more):
        return platekey(self.env, *self.arguments(*more))

    def events(self, *more):
        """Run with --json; returns the process and its events."""
        done = self.matte("--json", *more)
        return done, [json.loads(line) for line in done.stdout.splitlines()]

    def delivered(self):
        return sorted(path.name for path in self.out.glob("*.exr"))

    def leftovers(self):
        return list(self.out.rglob("*.part"))

    def names_its_log(self, sentence):
        return any(str(log) in sentence for log in (self.home / "log").glob("engine-*.log"))

    def engine_pids(self):
        return [json.loads(path.read_text())["pid"] for path in (self.home / "run").glob("engine-*.json")]


@pytest.fixture
def station(tmp_path):
    place = Station(tmp_path)
    yield place
    for pid in place.engine_pids():
        kill(pid)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def wait_for(condition, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def test_first_run_makes_second_run_finds(station):
    first, second = station.matte(), station.matte()

    assert (first.returncode, second.returncode) == (0, 0)
    assert "6 made." in first.stderr
    assert "6 up to date." in second.stderr
    assert len(station.delivered()) == 6
    assert journal(station.journal, "started") == ["started"]


def test_status_and_stop(station):
    station.matte("--frames", "1001")
    status = json.loads(platekey(station.env, "status", "--json").stdout)
    assert [engine["device"] for engine in status["engines"]] == ["cpu"]
    assert status["cache"]["files"] == 1

    assert "stopping" in platekey(station.env, "stop").stdout
    wait_for(lambda: not station.engine_pids())
    assert "no engine is running" in platekey(station.env, "status").stdout


def test_side_cars_at_once_share_one_engine(station):
    ranges = ["1001-1002", "1003-1004", "1005-1006"]
    with ThreadPoolExecutor() as pool:
        runs = list(pool.map(lambda frames: station.matte("--frames", frames), ranges))

    assert [run.returncode for run in runs] == [0, 0, 0], [run.stderr for run in runs]
    assert len(station.delivered()) == 6
    assert journal(station.journal, "started") == ["started"]


def test_an_engine_of_another_installation_is_neither_used_nor_stopped(station):
    station.matte("--frames", "1001")
    (theirs,) = station.engine_pids()
    station.env["PLATEKEY_ENGINE_COMMAND"] += " --port 0"

    assert station.matte("--frames", "1002").returncode == 0

    pids = station.engine_pids()
    assert len(pids) == 2
    assert theirs in pids
    os.kill(theirs, 0)


def test_ctrl_c_cancels_cleanly_and_the_next_run_goes_on(station):
    station.environment(delay=0.5)
    process = subprocess.Popen(command(*station.arguments()), env=station.env, stderr=subprocess.PIPE, text=True)
    wait_for(station.delivered)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)

    assert process.returncode == 130
    assert "cancelled" in errors
    assert "Traceback" not in errors
    assert station.leftovers() == []
    kept = len(station.delivered())
    assert 0 < kept < 6

    done, events = station.events()
    assert done.returncode == 0
    assert events[-1]["delivered"] == {"fresh": kept, "made": 6 - kept}


def test_a_killed_side_car_leaves_whole_files_only_and_the_next_run_goes_on(station):
    station.environment(delay=0.4)
    process = subprocess.Popen(command(*station.arguments()), env=station.env, stderr=subprocess.DEVNULL)
    wait_for(lambda: len(station.delivered()) >= 2)
    process.kill()
    process.wait()
    kept = station.delivered()

    done, events = station.events()

    assert done.returncode == 0
    assert events[-1]["delivered"]["fresh"] >= len(kept)
    assert len({(station.out / name).stat().st_size for name in station.delivered()}) == 1


def test_an_engine_killed_over_a_frame_is_replaced_once(station):
    station.environment(deadly={"1003": 1})
    done, events = station.events()

    assert done.returncode == 0, done.stdout
    assert events[-1]["delivered"] == {"made": 6}
    assert len(journal(station.journal, "started")) == 2
    assert station.leftovers() == []


def test_a_frame_that_kills_two_engines_has_failed_and_the_others_are_there(station):
    station.environment(deadly={"1003": 9})
    done, events = station.events()

    assert done.returncode == 1
    failed = [event for event in events if event["event"] == "failed"]
    assert [(event["frame"], event["error"]["reason"]) for event in failed] == [(1003, "ENGINE_LOST")]
    assert station.names_its_log(failed[0]["error"]["next_step"])
    assert len(station.delivered()) == 5
    assert journal(station.journal, "death") == ["death 1003"] * 2
    assert station.leftovers() == []


def test_engines_that_always_die_end_the_job(station):
    station.environment(deadly={str(number): 9 for number in range(1001, 1007)})
    done, events = station.events()

    assert done.returncode == 3
    assert events[-1]["failed"] == list(range(1001, 1007))
    assert all(station.names_its_log(event["error"]["next_step"]) for event in events if event["event"] == "failed")
    assert len(journal(station.journal, "started")) == 3


def test_an_engine_that_cannot_start_shows_the_end_of_its_log(station):
    station.environment(start_failure="ImportError: libcudart.so.12 is missing")
    done = station.matte()
    assert done.returncode == 3
    assert done.stderr.startswith("Error: ImportError: libcudart.so.12 is missing\nThe engine ended with exit code 7.")
    assert "Traceback" not in done.stderr


def test_no_engine_at_a_named_address(station):
    done = platekey({**station.env, "PLATEKEY_TOKEN": "x"}, *station.arguments("--engine", "127.0.0.1:1"))
    assert done.returncode == 3
    assert "No engine answers at 127.0.0.1:1" in done.stderr


def test_a_wrong_token(station):
    station.matte("--frames", "1001")
    (state,) = (station.home / "run").glob("engine-*.json")
    token = station.folder / "token"
    token.write_text("guess")
    done = station.matte("--engine", json.loads(state.read_text())["address"], "--token-file", str(token))
    assert done.returncode == 5
    assert f"refused the token from {token}." in done.stderr
    assert json.loads(state.read_text())["address"] in done.stderr

    token.write_text("secret\n")
    done = station.matte("--engine", json.loads(state.read_text())["address"], "--token-file", str(token))
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["--frames", "1001-1010"], 2, "missing 1007-1010"),
        (["--frames", "x"], 2, "no range of whole frames"),
        (["--frames", "1002.5"], 2, "no range of whole frames"),
        (["--frames", ""], 2, "it is empty"),
        (["--layers", "depth"], 2, "no layer named depth"),
        (["--edge-shift", "99"], 2, "edge-shift"),
        (["--depth", "quarter"], 2, "quarter"),
        (["--garbage", "/no/such/roto.####.exr"], 2, "/no/such"),
        (["--ocio", "/no/such/config.ocio"], 2, "config.ocio"),
        (["--plate-offset", "3"], 2, "plate sequence"),
        (["-o", "/no/such/folder/key.####.exr"], 4, "does not exist"),
        (["--device", "cuda:9"], 3, "cuda:9"),
    ],
)
def test_bad_input(station, more, code, words):
    done = station.matte(*more)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_platekey_did_not_write_is_not_replaced_unasked(station):
    (station.out / "key.1002.exr").write_text("somebody's work")
    refused = station.matte()
    assert refused.returncode == 4
    assert "--overwrite" in refused.stderr
    assert station.delivered() == ["key.1002.exr"]

    assert station.matte("--overwrite").returncode == 0
    assert len(station.delivered()) == 6


def test_a_disk_that_takes_no_more_ends_the_job_with_what_is_done_kept(station):
    station.matte("--frames", "1001")
    limit = (
        "import resource, os, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000,) * 2);"
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", limit, *command(*station.arguments())],
        env={**station.env, "PLATEKEY_CACHE_GIB": "0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    assert "File too large" in done.stderr
    assert station.delivered() == ["key.1001.exr"]
    assert station.leftovers() == []


def test_doctor_passes_here_and_says_what_to_do_where_it_does_not(station):
    well = platekey(station.env, "doctor", "--json")
    checks = {check["name"]: check for check in json.loads(well.stdout)}
    assert checks.keys() == {"python", "home", "disk", "ports", "torch", "engine", "device", "weights", "ocio"}
    assert well.returncode == 0, checks
    assert checks["weights"]["found"] == "platenet aaaaaaaaaaaa, 3.1 MB; a job that loads them checks the hash"

    platekey(station.env, "stop")
    wait_for(lambda: not station.engine_pids())
    station.environment(weights_size=0)
    ill = platekey(station.env, "doctor")
    assert ill.returncode == 1
    assert "FAIL  weights    missing: platenet" in ill.stdout
    assert "Install platekey again" in ill.stdout


def test_an_unwritable_home_is_one_clear_error(station):
    (station.folder / "file").write_text("")
    done = platekey({**station.env, "PLATEKEY_HOME": str(station.folder / "file")}, *station.arguments())
    assert done.returncode == 4
    assert "PLATEKEY_HOME" in done.stderr
    assert "Traceback" not in done.stderr


def test_knobs_for_hosts(station):
    knobs = json.loads(platekey(station.env, "knobs", "--json").stdout)
    assert {"model", "edge_shift", "residual_gain"} <= {knob["name"] for knob in knobs}

    lines = {line.split()[0]: line for line in platekey(station.env, "knobs").stdout.splitlines()}
    assert "-20 to 20 px" in lines["edge_shift"]
    assert "off|auto|locked" in lines["registration"]
    assert [name for name, line in lines.items() if "(in the host only)" in line] == ["residual_gain"]


def test_the_version_is_told(station):
    done = platekey(station.env, "--version")
    assert (done.returncode, done.stdout) == (0, f"PlateKey {host_bridge.__version__}\n")
