"""What an artist reads: on a terminal, in a log, and what a program reads."""

import io
import json
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from host_bridge.cli.display import BarDisplay, JsonDisplay, PlainDisplay
from host_bridge.cli.figures import frame_figures, worst_figures
from host_bridge.errors import BridgeError
from host_bridge.events import FrameLost, FrameReady, JobStarted, Notice, StageBegan
from host_bridge.outcome import Outcome

LOST = BridgeError("IMAGE_UNREADABLE", "a.2.exr is truncated.", "Render it again.")
REPORT = {
    "warnings": ["Little of the plate [matches]."],
    "inliers": 40,
    "residual_p95_px": 0.314,
    "valid_share": 0.992,
}
EVENTS = [
    JobStarted((1, 2), "Chip"),
    StageBegan(1, "decode", 0.0),
    FrameReady(1, Path("out.1.exr"), "made", REPORT),
    FrameLost(2, LOST),
    Notice("The job goes on elsewhere."),
]
OUTCOME = Outcome(Counter(made=1), {2: LOST}, {1: REPORT})
WORDS = [
    "1: warning: Little of the plate [matches].",
    "2: failed: a.2.exr is truncated.",
    "The job goes on elsewhere.",
    "1 made.",
    "At worst: registered to 0.31 px (frame 1), plate covers 99.2 % (frame 1).",
    "Failed: 2",
    "  2: a.2.exr is truncated. Render it again.",
]


def play(display):
    with display:
        for event in EVENTS:
            display.show(event)
        display.conclude(OUTCOME)


def test_a_log_gets_plain_lines(capsys):
    play(PlainDisplay())
    out, lines = capsys.readouterr()
    assert out == ""
    assert [word for word in WORDS if word not in lines] == []
    assert "decode" not in lines
    assert "1: made: out.1.exr (registered to 0.31 px, plate covers 99.2 %)" in lines


def test_a_terminal_gets_a_bar_and_what_matters_above_it():
    screen = io.StringIO()
    play(BarDisplay(Console(file=screen, force_terminal=True, width=120)))
    assert [word for word in WORDS if word not in screen.getvalue()] == []
    assert "2/2" in screen.getvalue()


def test_a_program_gets_json_lines(capsys):
    play(JsonDisplay())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["started", "stage", "done", "failed", "notice", "finished"]
    assert lines[3]["error"] == {**LOST.as_json(), "facts": {}}
    assert lines[-1] == {"event": "finished", "delivered": {"made": 1}, "failed": [2], "exit_code": 1}


@pytest.mark.parametrize("origin", ["made", "cache", "fresh"])
def test_every_origin_has_words(origin, capsys):
    PlainDisplay().conclude(Outcome(Counter({origin: 3})))
    assert capsys.readouterr().err.startswith("3 ")


def test_the_worst_figures_name_their_own_frames():
    reports = {7: {"inliers": 9, "residual_p95_px": 0.5, "valid_share": 1.0}, 8: {"inliers": 9, "valid_share": 0.25}}
    assert worst_figures(reports) == "At worst: registered to 0.50 px (frame 7), plate covers 25.0 % (frame 8)."
    assert worst_figures({3: {"locked_off": True}}) == "At worst: plate covers 0.0 % (frame 3)."
    assert worst_figures({}) == frame_figures({}) == ""
