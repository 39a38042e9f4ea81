"""A node asks for an inspection over the link: its answer, its progress, its lines, and how it ends early."""

import pytest
from side_car import environment, link_served, write_footage

from plugin.core.inspection import inspect, inspection_text
from plugin.core.link import LinkClient, LinkError


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name, value in environment(tmp_path / "home", journal=str(tmp_path / "journal")).items():
        monkeypatch.setenv(name, value)
    with link_served(tmp_path / "home"):
        yield tmp_path / "home"


@pytest.fixture
def options(tmp_path):
    """Those of a run: what only a render needs is among them."""
    frames = write_footage(tmp_path / "shot", range(1, 9))
    return {"frames": frames, "clean_plate": "1", "output": str(tmp_path / "k.####.exr"), "layers": ["shadow"]}


def ended(steps):
    """What a generator returns, and what it yielded."""
    answers = []

    def follow():
        answers.append((yield from steps))

    told = list(follow())
    return answers[0], told


def test_an_inspection_comes_back_with_its_progress(home, options):
    with LinkClient(home=home) as link:
        found, told = ended(inspect(link, options, [1, 2, 3, 4, 6, 7, 8]))
    assert found["lines"][0]["figure"] == "frames [2, 3, 4, 7, 8], 7 looked through"
    assert any(state.text == "Measuring" and state.share == 0.5 for state in told)


def test_the_answer_is_lines_of_the_nodes_block():
    line = {"name": "focus", "verdict": "bad", "figure": "a blur of 2.0 px", "value": 2.0, "tip": "Lock focus."}
    fine = {"name": "grain", "verdict": "good", "figure": "1 %", "value": 0.01, "tip": ""}
    finding = {"verdict": "watch", "text": "The lens zooms.", "tip": "Take another."}
    found = {"verdict": "bad", "lines": [line, fine], "findings": [finding], "missing": "1004"}
    assert [text.split(maxsplit=1) for text in inspection_text(found).splitlines()] == [
        ["Watch", "missing on disk: 1004"],
        ["Bad", "focus: a blur of 2.0 px."],
        ["Do", "Lock focus."],
        ["Watch", "The lens zooms."],
        ["Do", "Take another."],
        ["Good", "grain"],
        ["Plate", "This plate will not give a clean matte as it is."],
    ]


def test_an_inspection_can_be_cancelled(home, options, monkeypatch, tmp_path):
    slow = environment(tmp_path / "home", journal=str(tmp_path / "journal"), delay=5.0)
    monkeypatch.setenv("FAKE_ENGINE", slow["FAKE_ENGINE"])
    looks = iter([False, False, False])
    with LinkClient(home=home) as link, pytest.raises(LinkError) as caught:
        ended(inspect(link, options, range(1, 9), cancelled=lambda: next(looks, True)))
    assert caught.value.reason == "CANCELLED"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"clean_plate": ""}, "clean_plate is missing"),
        ({"frames": "f.####.exr"}, "no absolute path"),
        ({"measured": 0}, "measured cannot be 0"),
        ({"colour": "red"}, "Unknown field colour"),
    ],
)
def test_what_is_wrong_with_a_call_is_said(home, options, changes, said):
    call = {"frames": options["frames"], "clean_plate": "1", **changes}
    with LinkClient(home=home) as link, pytest.raises(LinkError, match=said):
        link.call("inspect", **call)
