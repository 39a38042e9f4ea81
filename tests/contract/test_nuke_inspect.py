"""The button *Inspect plate* of the Nuke node, against a real side-car with a fake engine."""

import pytest
from fake_nuke import session
from nuke_station import footage, key_node, new_script, write_shot
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
