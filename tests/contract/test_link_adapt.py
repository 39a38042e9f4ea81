"""A node asks for its shot's own model over the link: what is sent, what comes back, and what the node says of it."""

import json

import pytest
from side_car import environment, link_served, write_footage

from plugin.core.adaptation import adapt, adaptation_text, base_model, model_name
from plugin.core.link import LinkClient, LinkError

IDENTITY = "ABCDEF0123456789"


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
    knobs = {"model": model_name(IDENTITY), "temporal_window": 2}
    return {"frames": frames, "clean_plate": "1", "output": str(tmp_path / "k.####.exr"), "layers": [], "knobs": knobs}


def ended(steps):
    answers = []

    def follow():
        answers.append((yield from steps))

    told = list(follow())
    return answers[0], told


def test_a_shot_is_adapted_from_the_model_that_shipped(home, options, tmp_path):
    file = tmp_path / "adapted.safetensors"
    with LinkClient(home=home) as link:
        found, told = ended(adapt(link, options, IDENTITY, str(file), range(1, 9)))
        again, _ = ended(adapt(link, options, IDENTITY, str(file), range(1, 9)))
    assert json.loads(file.read_text()) == [2, 3, 4, 5, 6, 7, 8]
    assert found["name"] == model_name(IDENTITY) == "shot-abcdef012345"
    assert adaptation_text(found).split(maxsplit=1) == ["Adapted", "From platenet: [2, 3, 4, 5, 6, 7, 8]."]
    assert again == found
    assert any(state.share == 0.5 for state in told)


def test_another_model_that_was_chosen_is_the_base():
    assert base_model("bgm2020", IDENTITY) == "bgm2020"


def test_it_can_be_cancelled(home, options, tmp_path):
    with LinkClient(home=home) as link, pytest.raises(LinkError) as caught:
        ended(adapt(link, options, IDENTITY, str(tmp_path / "a.safetensors"), range(1, 9), cancelled=lambda: True))
    assert caught.value.reason == "CANCELLED"
    assert "go on" in caught.value.next_step
    assert not (tmp_path / "a.safetensors").exists()
