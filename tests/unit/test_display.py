"""What an artist reads: on a terminal, in a log, and what a program reads."""

import io
import json
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from host_bridge.cli.display import BarDisplay, JsonDisplay, PlainDisplay
from host_bridge.errors import BridgeError
from host_bridge.events import FrameLost, FrameReady, JobStarted, Notice, StageBegan
from host_bridge.outcome import Outcome

LOST = BridgeError("IMAGE_UNREADABLE", "a.2.exr is truncated.", "Render it again.")
EVENTS = [
    JobStarted((1, 2), "Chip"),
    StageBegan(1, "decode", 0.0),
    FrameReady(1, Path("out.1.exr"), "made", {"warnings": ["Little of the plate [matches]."]}),
    FrameLost(2, LOST),
    Notice("The job goes on elsewhere."),
]
OUTCOME = Outcome(Counter(made=1), {2: LOST})
WORDS = [
    "1: warning: Little of the plate [matches].",
    "2: failed: a.2.exr is truncated.",
    "The job goes on elsewhere.",
    "1 made.",
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
