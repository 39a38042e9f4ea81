"""``platekey report`` in real processes, and its page in a real browser: it stands alone, and its slider works."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from browser import Browser
from exr_files import write
from side_car import platekey

from engine.pipeline.encode import encode
from engine.values import Frame, Layers, Window

SIZE = (96, 160)
RED, GREEN = (0.6, 0.02, 0.02), (0.02, 0.5, 0.02)


def delivered(number):
    """A green subject that fills the picture but for its rim, and moves on by a pixel a frame; it blinks once."""
    alpha = np.zeros(SIZE, np.float32)
    alpha[4:-4, number - 1000 : number - 1000 + 145] = number != 1005
    channels = {name: value * alpha for name, value in zip("RGB", GREEN, strict=True)} | {"A": alpha}
    channels |= {"uncertainty.Y": np.full(SIZE, 0.01, np.float32), "validity.Y": np.ones(SIZE, np.float32)}
    window = Window(0, 0, SIZE[1], SIZE[0])
    return encode(Layers(channels, True), Frame(window, window), {"platekey/colorspace": "ACEScg"})


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """PlateKey's own folder, with the one engine of these tests."""
    folder = tmp_path_factory.mktemp("home")
    env = {**os.environ, "PLATEKEY_HOME": str(folder), "OMP_NUM_THREADS": "1"}
    yield env
    subprocess.run([sys.executable, "-m", "host_bridge.cli", "stop"], env=env, check=False)


@pytest.fixture(scope="module")
def made(home, tmp_path_factory):
    """The folder of nine results, of the red footage behind them and of the page; and what the command printed."""
    folder = tmp_path_factory.mktemp("shot")
    for number in range(1001, 1010):
        (folder / f"k.{number}.exr").write_bytes(delivered(number))
        write(folder / f"f.{number}.exr", np.full((*SIZE, 3), RED, np.float32), depth="half")
    footage = ("--footage", str(folder / "f.####.exr"), "--colorspace", "ACEScg")
    to = ("-o", str(folder / "page.html"), "--title", "Nine <frames>", "--json")
    done = platekey(home, "report", str(folder / "k.####.exr"), *footage, *to)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    return Browser(tmp_path_factory.mktemp("browser"))


def test_the_command_says_which_frames_to_look_at_first(made):
    last = made[1][-1]
    assert (last["event"], last["frames"], last["first"][0], last["cuts"]) == ("finished", 9, 1005, [])
    assert made[1][0]["event"] == "progress"


def test_the_slider_shows_the_frame_or_the_result(made, browser):
    page = made[0] / "page.html"
    before, after = (browser.picture(page, f"cut={share}") for share in (100, 0))
    red, green = (
        (picture[..., channel] > 120) & (picture[..., 2] < 90) for picture, channel in ((before, 0), (after, 1))
    )
    # Large areas of the window, in either state; at one end there is none of the other.
    assert red.mean() > 0.05
    assert green.mean() > 0.05
    assert ((before[..., 1] > 120) & (before[..., 0] < 90)).mean() < 0.005
    assert ((after[..., 0] > 120) & (after[..., 1] < 90)).mean() < 0.005


def test_dragging_moves_the_line(made, browser, tmp_path):
    """The page with a hand on its first slider: what a drag or an arrow key does is an input event."""
    text = (made[0] / "page.html").read_text()
    drag = "const hand = document.querySelector('input'); hand.value = 20; hand.dispatchEvent(new Event('input'));"
    moved = tmp_path / "moved.html"
    moved.write_text(text.replace("</body>", f"<script>{drag}</script></body>"))
    cuts = re.findall(r'class="compare"(?: style="--cut: ?(\d+)%;?")?', browser.dom(moved))
    assert cuts == ["20"] + [""] * 8


def test_the_page_stands_alone_and_its_title_is_text(made, browser):
    text = browser.dom(made[0] / "page.html")
    assert "<title>Nine &lt;frames&gt;</title>" in text
    assert not re.findall(r'(?:src|href)="(?!data:|#)', text)


def test_a_missing_result_is_named(home, made):
    done = platekey(home, "report", str(made[0] / "k.####.exr"), "--frames", "1001-1020")
    assert done.returncode == 2
    assert "1010-1020" in done.stderr


def test_footage_is_no_result(home, made, tmp_path):
    done = platekey(home, "report", str(made[0] / "f.####.exr"), "-o", str(tmp_path / "page.html"))
    assert done.returncode == 2
    assert "no result of PlateKey" in done.stderr
    assert not list(tmp_path.iterdir())
