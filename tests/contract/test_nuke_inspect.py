"""The button *Inspect plate* of the Nuke node, against a real side-car with a fake engine."""

import pytest
from fake_nuke import session
from nuke_station import FIRST, footage, key_node, new_script, write_shot
from side_car import environment, link_served


@pytest.fixture
def key(tmp_path, monkeypatch):
    for name, value in environment(tmp_path / "home").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NUKE_TEMP_DIR", str(tmp_path / "exchange"))
    (tmp_path / "exchange").mkdir()
    write_shot(tmp_path / "shot")
    new_script(tmp_path / "comp")
    with link_served(tmp_path / "home"):
        yield key_node(footage(tmp_path / "shot"))


@pytest.mark.parametrize(("direct", "watched"), [(True, 5), (False, 5)], ids=["files", "exported"])
def test_the_node_says_whether_its_plate_can_work(key, tmp_path, direct, watched):
    key.group["direct"].setValue(direct)
    key.group["inspect_plate"].execute()
    assert session.running().messages == []
    told = str(key.value("status")).splitlines()
    assert f"registration: frames [1002, 1003, 1004, 1005, 1006], {watched} looked through." in told[0]
    assert told[1].split(maxsplit=1) == ["Do", "Stand further off."]
    assert "can work" in told[2]
    assert not list((tmp_path / "exchange").rglob("*.exr"))


def test_what_cannot_be_inspected_is_said(key):
    key.group.setInput(0, None)
    key.group["inspect_plate"].execute()
    (shown,) = session.running().messages
    assert "connected" in shown


@pytest.mark.parametrize("button", ["inspect_plate", "adapt_to_shot"])
def test_a_range_of_the_clean_plate_alone_is_one_sentence(key, button):
    key.group["range_first"].setValue(FIRST)
    key.group["range_last"].setValue(FIRST)
    key.group[button].execute()
    (shown,) = session.running().messages
    assert "its range holds no frame but the clean plate's." in shown
    assert "Widen the range" in str(key.value("status"))


def test_an_adapted_model_is_no_setting_whose_results_can_be_deleted(key, tmp_path):
    model = tmp_path / "comp" / "platekey" / str(key.value("platekey_id")) / "adapted.safetensors"
    model.parent.mkdir(parents=True)
    model.touch()
    key.group["clear_results"].execute()
    assert session.running().messages == []
    assert model.exists()
