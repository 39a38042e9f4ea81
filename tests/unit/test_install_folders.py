"""Where each host looks, on each system; what is installed for it."""

import re
from pathlib import Path

import pytest

from host_bridge.errors import BridgeError
from host_bridge.install.hosts import HOSTS
from host_bridge.install.machine import Machine
from host_bridge.install.payload import payload

HOME = Path("/users/zoë m")


def folders(host, system, home=HOME, **environment):
    return [path.relative_to(home).as_posix() for path in HOSTS[host].folders(Machine(system, home, environment))]


@pytest.mark.parametrize(
    ("host", "system", "folder"),
    [
        ("nuke", "linux", ".nuke"),
        ("nuke", "darwin", ".nuke"),
        ("nuke", "win32", ".nuke"),
        ("fusion", "linux", ".fusion/BlackmagicDesign/Fusion"),
        ("fusion", "darwin", "Library/Application Support/Blackmagic Design/Fusion"),
        ("fusion", "win32", "AppData/Roaming/Blackmagic Design/Fusion"),
        ("resolve", "linux", ".local/share/DaVinciResolve/Fusion"),
        ("resolve", "darwin", "Library/Application Support/Blackmagic Design/DaVinci Resolve/Fusion"),
        ("resolve", "win32", "AppData/Roaming/Blackmagic Design/DaVinci Resolve/Support/Fusion"),
    ],
)
def test_a_hosts_folder_is_where_its_maker_says(host, system, folder):
    assert folders(host, system) == [folder]


def test_windows_variables_move_folders():
    roaming = HOME / "profile" / "Roaming"
    assert folders("fusion", "win32", APPDATA=str(roaming)) == ["profile/Roaming/Blackmagic Design/Fusion"]
    assert folders("nuke", "win32", HOME=str(HOME / "unix")) == ["unix/.nuke"]
    assert folders("nuke", "linux", HOME="/elsewhere") == [".nuke"]


@pytest.mark.parametrize(
    ("system", "base"),
    [
        ("linux", ".config/blender"),
        ("darwin", "Library/Application Support/Blender"),
        ("win32", "AppData/Roaming/Blender Foundation/Blender"),
    ],
)
def test_every_blender_that_was_started_and_is_new_enough(tmp_path, system, base):
    for name in ("3.6", "4.2", "4.5", "5.0", "5.10", "4.5 backup", "beta"):
        (tmp_path / base / name).mkdir(parents=True)
    (tmp_path / base / "6.0").touch()
    assert folders("blender", system, tmp_path) == [f"{base}/{version}" for version in ("4.5", "5.0", "5.10")]


def test_blenders_own_variables_count(tmp_path):
    (tmp_path / "xdg" / "blender" / "5.0").mkdir(parents=True)
    assert folders("blender", "linux", tmp_path, XDG_CONFIG_HOME=str(tmp_path / "xdg")) == ["xdg/blender/5.0"]
    assert folders("blender", "linux", tmp_path, BLENDER_USER_RESOURCES=str(tmp_path / "own")) == ["own"]


def test_no_blender_is_one_sentence_and_makes_no_folder(tmp_path):
    with pytest.raises(BridgeError, match=r"4\.5 or newer has left no settings in .*blender") as caught:
        folders("blender", "linux", tmp_path)
    assert "Start Blender once" in caught.value.next_step
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("host", HOSTS)
def test_a_payload_is_whole_and_free_of_leftovers(host):
    files = payload(HOSTS[host])
    assert files
    assert all(content or path.name == "__init__.py" for path, content in files.items())
    assert not [path for path in files if re.search(r"__pycache__|\.pyc$|\.part$", str(path)) or path.is_absolute()]
    assert not [path for path in files if ".." in path.parts]


def test_a_payload_that_is_not_there_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setattr("host_bridge.install.payload._PLUGIN", tmp_path)
    with pytest.raises(BridgeError, match=r"lacks fusion/PlateKey\.fuse"):
        payload(HOSTS["fusion"])
