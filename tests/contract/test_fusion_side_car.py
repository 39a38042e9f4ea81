"""The Fuse and a live side-car: found, started, shared, gone, too old, or not there at all."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from eventually import eventually
from fake_fusion import FUSE, Comp
from side_car import REPOSITORY, environment, journal

from host_bridge.cancellation import Cancellation
from host_bridge.link import session
from host_bridge.link.server import serve_link

SIDE_CAR = [
    sys.executable,
    "-c",
    f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); from host_bridge.cli import main; main()",
    "link",
    "--idle-stop",
    "20",
]
"""As `platekey install` leaves it, but for the interpreter's path: the Fuse keeps PYTHONPATH from it."""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills and signals as POSIX has them")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """PlateKey's folder, installed, with fake engines; whatever was started there ends with the test."""
    folder = tmp_path / "hö me"
    scenario(monkeypatch, tmp_path)
    monkeypatch.delenv("PLATEKEY_SIDE_CAR", raising=False)
    folder.mkdir()
    (folder / "host.json").write_text(json.dumps({"version": "0.1.0", "side_car": SIDE_CAR}))
    yield folder
    for state in (folder / "run").glob("*.json"):
        kill(json.loads(state.read_text()).get("pid"))


def scenario(monkeypatch, tmp_path, **facts):
    for name, value in environment(tmp_path / "hö me", journal=str(tmp_path / "journal"), **facts).items():
        monkeypatch.setenv(name, value)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, TypeError):
        return


def node(text=""):
    made = Comp(text or FUSE.read_text(encoding="utf-8")).connect(
        "Frame", lambda time: np.full((4, 6, 4), time, np.float32)
    )
    return made.set(Space=1, PlateFrame=5)


def link_state(home):
    return json.loads((home / "run" / "link.json").read_text())


def leftovers(home):
    return list((home / "exchange").iterdir())


def test_the_first_frame_starts_the_side_car_and_the_next_node_shares_it(home, tmp_path):
    seen = node().render(10.0)
    assert seen.pixels is None, "the fake engine's frames are no pictures, and are not shown"
    assert "keyed.0010.exr cannot be read" in seen.status
    assert seen.status.endswith("Press 'Try again'.")
    assert seen.progress, "the engine's stages move the progress bar"
    first = link_state(home)["pid"]
    node().render(11.0)
    assert link_state(home)["pid"] == first
    assert journal(tmp_path / "journal", "frame") == ["frame 10", "frame 11"]
    assert leftovers(home) == []


def test_another_command_can_be_stated(home, monkeypatch):
    (home / "host.json").unlink()
    monkeypatch.setenv("PLATEKEY_SIDE_CAR", shlex.join(SIDE_CAR))
    assert "cannot be read" in node().render(10.0).status


@pytest.mark.parametrize(
    ("side_car", "words"),
    [
        (
            ["/no/such/platekey", "link"],
            "/no/such/platekey ended with 127. Install PlateKey, then run 'platekey install'",
        ),
        ([sys.executable, "-c", "raise SystemExit(3)"], "ended with 3."),
    ],
)
def test_a_side_car_that_cannot_be_started_is_one_sentence_at_once(home, side_car, words):
    (home / "host.json").write_text(json.dumps({"side_car": side_car}))
    began = time.monotonic()
    seen = node().render(10.0)
    assert seen.pixels is None
    assert words in seen.status
    assert time.monotonic() - began < 25, "it does not wait the 30 seconds that a side-car may take to start"
    assert leftovers(home) == []


def test_an_old_side_car_is_told_from_a_broken_one(home, monkeypatch):
    monkeypatch.setattr(session, "LINK_VERSION", 2)
    end = Cancellation()
    thread = threading.Thread(target=serve_link, args=(60.0, end))
    thread.start()
    eventually((home / "run" / "link.json").exists)
    seen = node().render(10.0)
    end.cancel()
    thread.join(10)
    assert seen.status.startswith("This node speaks link 1, the running side-car speaks 2.")
    assert "Install the same PlateKey for both" in seen.status


def test_what_a_crashed_host_left_is_swept_by_the_next_side_car(home, tmp_path):
    kept, left, elsewhere = home / "exchange" / "1-1", home / "exchange" / "2-1", tmp_path / "shots"
    for folder in (kept, left, elsewhere):
        folder.mkdir(parents=True)
        (folder / "frame.0010.exr").write_text("a frame")
    (home / "exchange" / "3-1").symlink_to(elsewhere, target_is_directory=True)
    a_week_ago = time.time() - 7 * 86400
    os.utime(left, (a_week_ago, a_week_ago))
    os.utime(elsewhere, (a_week_ago, a_week_ago))
    end = Cancellation()
    thread = threading.Thread(target=serve_link, args=(60.0, end))
    thread.start()
    eventually((home / "run" / "link.json").exists)
    end.cancel()
    thread.join(10)
    assert not left.exists()
    assert (kept / "frame.0010.exr").exists()
    assert (elsewhere / "frame.0010.exr").exists()


def test_a_stranger_on_the_side_cars_port_is_not_waited_for_long(home):
    text = FUSE.read_text(encoding="utf-8")
    hasty = text.replace("POLL_SECONDS = 30, 10, 0.1", "POLL_SECONDS = 30, 0.5, 0.1")
    assert hasty != text
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        (home / "run").mkdir()
        state = {"port": stranger.getsockname()[1], "token": "x", "pid": None}
        (home / "run" / "link.json").write_text(json.dumps(state))
        seen = node(hasty).render(10.0)
    assert "another program has its port" in seen.status


def test_cancel_reaches_the_engine_at_once_and_leaves_nothing(home, monkeypatch, tmp_path):
    scenario(monkeypatch, tmp_path, delay=120.0)
    keyer = node()
    keyer.host.given_up = lambda: len(keyer.host.shares) >= 2
    began = time.monotonic()
    seen = keyer.render(10.0)
    assert (seen.pixels, seen.console, seen.status) == (None, [], "")
    assert time.monotonic() - began < 100
    assert leftovers(home) == []
    assert journal(tmp_path / "journal", "frame") == []
    assert link_state(home)["pid"], "the side-car goes on for the next frame"


def test_a_side_car_that_dies_over_a_frame_is_one_sentence(home, monkeypatch, tmp_path):
    scenario(monkeypatch, tmp_path, delay=120.0)
    keyer = node()
    killed = []

    def shot_down():
        if keyer.host.shares and not killed:
            killed.append(link_state(home)["pid"])
            kill(killed[0])
        return False

    keyer.host.given_up = shot_down
    seen = keyer.render(10.0)
    assert killed
    assert seen.pixels is None
    assert seen.status == "PlateKey's side-car has gone away. Press 'Try again'; finished frames are kept."


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"start_failure": "ImportError: libcudart.so.12 is missing"}, "ImportError: libcudart.so.12 is missing"),
        ({"failing": {"10": "REGISTRATION_FAILED"}}, "frame.0010.exr is no good. Do something about it."),
        ({"deadly": {"10": 9}}, "Frame 10: the engine died while it worked on it, and so did a fresh one."),
    ],
)
def test_what_the_engine_cannot_do_is_said_and_no_picture_is_shown(home, monkeypatch, tmp_path, facts, words):
    scenario(monkeypatch, tmp_path, **facts)
    seen = node().render(10.0)
    assert seen.pixels is None
    assert words in seen.status
    assert seen.console == [seen.status]
    assert leftovers(home) == []


def test_two_nodes_at_once_each_in_a_thread_of_its_own_share_no_folder(home, tmp_path):
    nodes = [node() for _ in range(3)]
    seen = {}
    threads = [
        threading.Thread(target=lambda n=n, made=made: seen.update({n: made.render(20.0 + n)}))
        for n, made in enumerate(nodes)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert {("cannot be read" in result.status) for result in seen.values()} == {True}
    assert sorted(journal(tmp_path / "journal", "frame")) == ["frame 20", "frame 21", "frame 22"]
    assert leftovers(home) == []


ONE_FRAME = """
import sys
import numpy as np
from fake_fusion import Comp

node = Comp().connect("Frame", lambda time: np.full((4, 6, 4), time, np.float32)).set(Space=1, PlateFrame=5)
print(node.render(float(sys.argv[1])).status)
"""


def test_two_fusions_at_once_start_one_side_car_and_share_no_folder(home, tmp_path):
    support = REPOSITORY / "tests" / "support"
    here = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (support, REPOSITORY)))}
    line = [sys.executable, "-c", ONE_FRAME]
    fusions = [subprocess.Popen([*line, str(n)], env=here, stdout=subprocess.PIPE, text=True) for n in (30, 31)]
    told = [fusion.communicate(timeout=120)[0] for fusion in fusions]
    assert all("cannot be read" in words for words in told), told
    assert sorted(journal(tmp_path / "journal", "frame")) == ["frame 30", "frame 31"]
    assert len(journal(tmp_path / "journal", "started")) == 1
    assert leftovers(home) == []
