"""Installing and uninstalling nodes: whole cycles in empty homes, and everything that lies in the way."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import host_bridge
from host_bridge.cli import app
from host_bridge.errors import BridgeError
from host_bridge.install.hosts import HOSTS, Hook, Host, Part
from host_bridge.install.installation import Installation
from host_bridge.install.machine import Machine
from host_bridge.install.payload import payload
from host_bridge.install.receipt import receipt_of, receipts
from host_bridge.install.removal import Removal

BLENDERS = {
    "linux": ".config/blender",
    "darwin": "Library/Application Support/Blender",
    "win32": "AppData/Roaming/Blender Foundation/Blender",
}

LINE = 'import host; host.add("./PlateKey")'
HOST = Host(
    name="nuke",
    title="Host",
    folders=lambda machine: [machine.home / ".host"],
    parts=(Part("__init__.py", "PlateKey/platekey/__init__.py"), Part("core", "PlateKey/platekey/core")),
    next_step="Start it.",
    hook=Hook("init.py", "import host\nhost.add('./PlateKey')\n", LINE),
)


def tree(folder):
    """Every file with its bytes, every folder with None."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "zoë's home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("PLATEKEY_HOME", raising=False)
    return folder


@pytest.fixture
def folder(home):
    return home / ".host"


def run(*arguments):
    return CliRunner().invoke(app, list(arguments))


def writes_until_it_fails(count):
    left = iter(range(count))

    def write(path, content):
        if next(left, None) is None:
            raise OSError(4, "Interrupted", str(path))
        path.write_bytes(content)

    return write


def use(name, home, folder):
    """Start the host's Python on what was installed, where that needs no host, and leave compiled files everywhere."""
    fusion = ["-c", f"import sys; sys.path.insert(0, {str(folder / 'PlateKey')!r}); import platekey.fusion.process"]
    ways = {"nuke": ["-m", "fake_nuke", "-t", str(home / "check.py")], "fusion": fusion, "resolve": fusion}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[1] / "support")
    for arguments in (["-m", "compileall", "-q", str(folder)], ways.get(name, ["-c", ""])):
        subprocess.run([sys.executable, *arguments], check=True, timeout=60, env=environment, cwd=home)
    assert list(folder.rglob("*.pyc"))


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
@pytest.mark.parametrize("name", HOSTS)
def test_a_cycle_in_an_empty_home_leaves_nothing(home, monkeypatch, name, system):
    machine = Machine(system, home, {})
    monkeypatch.setattr(Machine, "this", classmethod(lambda cls: machine))
    (home / "check.py").write_text("import nuke, platekey.nuke.driver", encoding="utf-8")
    if name == "blender":
        for version in ("4.5", "5.0"):
            (home / BLENDERS[system] / version).mkdir(parents=True)
    before = tree(home)
    done = run("install", name)
    assert done.exit_code == 0, done.output
    assert HOSTS[name].next_step in done.output
    assert json.loads((home / ".platekey" / "host.json").read_text())["side_car"][1:] == [
        "-m",
        "host_bridge.cli",
        "link",
    ]
    for folder in HOSTS[name].folders(machine):
        assert all((folder / place).read_bytes() == content for place, content in payload(HOSTS[name]).items())
        use(name, home, folder)
    assert run("uninstall", name, "--purge").exit_code == 0
    assert tree(home) == before


def test_dry_runs_say_all_and_do_nothing(home):
    told = run("install", "fusion", "--dry-run")
    assert told.exit_code == 0
    assert str(home / ".fusion/BlackmagicDesign/Fusion/Fuses/PlateKey.fuse") in told.output
    assert tree(home) == {}
    run("install", "fusion")
    before = tree(home)
    told = run("uninstall", "fusion", "--dry-run", "--purge")
    assert "would remove" in told.output
    assert tree(home) == before


def test_a_named_folder_is_used_and_uninstalled_by_its_name(home, tmp_path):
    there = tmp_path / "studio share"
    assert run("install", "fusion", "--path", str(there)).exit_code == 0
    assert run("install", "fusion").exit_code == 0
    assert len(receipts("fusion")) == 2
    run("uninstall", "fusion", "--path", str(there))
    assert not there.exists()
    assert (home / ".platekey" / "host.json").is_file()
    run("uninstall", "fusion")
    assert tree(home) == {}
    assert "not installed for Fusion" in run("uninstall", "fusion").output


def test_the_last_host_takes_the_side_cars_command_along(home):
    run("install", "fusion")
    run("install", "resolve")
    run("uninstall", "fusion")
    assert (home / ".platekey" / "host.json").is_file()
    assert "still installed for DaVinci Resolve" in run("uninstall", "fusion", "--purge").output
    run("uninstall", "resolve")
    assert tree(home) == {}


def test_purge_takes_only_what_platekey_writes(home):
    run("install", "fusion")
    own = home / ".platekey"
    for path in ("cache/k.h.exr", "log/engine-auto-1.log", "run/engine.lock", "cache/holiday.jpg"):
        (own / path).parent.mkdir(exist_ok=True)
        (own / path).write_text("x", encoding="utf-8")
    assert run("uninstall", "fusion", "--purge").exit_code == 0
    assert sorted(tree(home)) == [".platekey", ".platekey/cache", ".platekey/cache/holiday.jpg"]


class TestStartUpScript:
    """A host that scans no folders reads a script of the user's."""

    def test_where_there_is_none_it_is_made_and_removed(self, home, folder):
        Installation(HOST, folder).apply()
        assert "PlateKey" in (folder / "init.py").read_text(encoding="utf-8")
        Removal(receipt_of("nuke", folder)).apply()
        assert not folder.exists()

    def test_the_users_own_is_not_touched_unasked(self, folder):
        folder.mkdir()
        (folder / "init.py").write_bytes(b"import studio\n")
        installation = Installation(HOST, folder)
        installation.apply()
        assert (folder / "init.py").read_bytes() == b"import studio\n"
        assert LINE in installation.advice[0]
        Removal(receipt_of("nuke", folder)).apply()
        assert tree(folder) == {"init.py": b"import studio\n"}

    @pytest.mark.parametrize("script", [b"", b"import studio\n", b"import studio", b"# caf\xe9\r\nx = 1\r\n"])
    def test_asked_for_a_line_is_added_and_taken_out_to_the_byte(self, folder, script):
        folder.mkdir()
        (folder / "init.py").write_bytes(script)
        Installation(HOST, folder, edit=True).apply()
        edited = (folder / "init.py").read_bytes()
        assert edited.startswith(script)
        assert edited.endswith(LINE.encode() + b"\n")
        Installation(HOST, folder).apply()
        assert (folder / "init.py").read_bytes() == edited, "once is enough"
        Removal(receipt_of("nuke", folder)).apply()
        assert tree(folder) == {"init.py": script}

    def test_a_line_that_is_there_is_left_alone(self, folder):
        folder.mkdir()
        (folder / "init.py").write_text(LINE, encoding="utf-8")
        installation = Installation(HOST, folder, edit=True)
        assert (installation.edited, installation.advice) == (None, [])

    def test_a_link_stays_a_link(self, folder, tmp_path):
        folder.mkdir()
        (tmp_path / "dotfiles.py").write_bytes(b"import studio\n")
        (folder / "init.py").symlink_to(tmp_path / "dotfiles.py")
        Installation(HOST, folder, edit=True).apply()
        Removal(receipt_of("nuke", folder)).apply()
        assert (folder / "init.py").is_symlink()
        assert (tmp_path / "dotfiles.py").read_bytes() == b"import studio\n"

    def test_a_line_that_the_user_rewrote_stays_and_is_named(self, folder):
        folder.mkdir()
        script = folder / "init.py"
        script.write_bytes(b"import studio\n")
        Installation(HOST, folder, edit=True).apply()
        script.write_bytes(b"import studio\nhost.add('./PlateKey', 'mine')\n")
        removal = Removal(receipt_of("nuke", folder))
        assert removal.kept == [script]
        removal.apply()
        assert tree(folder) == {"init.py": b"import studio\nhost.add('./PlateKey', 'mine')\n"}


class TestInTheWay:
    def test_a_strangers_file_stops_it_before_anything_is_written(self, home, folder):
        stranger = folder / "PlateKey" / "platekey" / "core" / "link.py"
        stranger.parent.mkdir(parents=True)
        stranger.write_text("mine", encoding="utf-8")
        before = tree(home)
        with pytest.raises(BridgeError, match=r"link\.py is not PlateKey's; nothing was installed") as caught:
            Installation(HOST, folder)
        assert caught.value.reason == "OUTPUT_EXISTS"
        assert tree(home) == before

    def test_the_same_file_put_there_by_hand_is_taken_over(self, folder):
        Installation(HOST, folder).apply()
        receipt_of("nuke", folder).discard()
        Installation(HOST, folder).apply()
        Removal(receipt_of("nuke", folder)).apply()
        assert [name for name, content in tree(folder).items() if content is not None] == []

    def test_a_folder_or_a_link_under_a_files_name_is_no_place_to_write(self, folder, tmp_path):
        (folder / "PlateKey" / "platekey" / "__init__.py").mkdir(parents=True)
        with pytest.raises(BridgeError, match="is no plain file"):
            Installation(HOST, folder)
        (folder / "PlateKey" / "platekey" / "__init__.py").rmdir()
        (folder / "PlateKey" / "platekey" / "__init__.py").symlink_to(tmp_path / "nowhere")
        with pytest.raises(BridgeError, match="is no plain file"):
            Installation(HOST, folder)

    def test_a_file_changed_since_stops_an_update_and_survives_the_removal(self, folder):
        Installation(HOST, folder).apply()
        changed = folder / "PlateKey" / "platekey" / "core" / "link.py"
        changed.write_text("patched", encoding="utf-8")
        with pytest.raises(BridgeError, match=r"link\.py was changed since"):
            Installation(HOST, folder)
        removal = Removal(receipt_of("nuke", folder))
        assert removal.kept == [changed]
        removal.apply()
        assert {name for name, content in tree(folder).items() if content} == {"PlateKey/platekey/core/link.py"}

    def test_the_users_files_beside_ours_stay(self, folder):
        Installation(HOST, folder).apply()
        note = folder / "PlateKey" / "note.txt"
        note.write_text("mine", encoding="utf-8")
        Removal(receipt_of("nuke", folder)).apply()
        assert {name for name, content in tree(folder).items() if content} == {"PlateKey/note.txt"}

    def test_an_update_replaces_and_removes_what_is_no_longer_part(self, folder, monkeypatch):
        Installation(HOST, folder).apply()
        smaller = Host(**{**vars(HOST), "parts": (Part("__init__.py", "PlateKey/platekey/__init__.py"),)})
        monkeypatch.setattr(host_bridge, "__version__", "0.2.0")
        Installation(smaller, folder).apply()
        assert not (folder / "PlateKey" / "platekey" / "core" / "link.py").exists()
        assert receipt_of("nuke", folder).version == "0.2.0"
        Removal(receipt_of("nuke", folder)).apply()
        assert not folder.exists()

    def test_an_update_that_was_interrupted_can_be_repeated_or_removed(self, folder, monkeypatch):
        Installation(HOST, folder).apply()
        newer = Installation(HOST, folder)
        newer.files = {path: content + b"# newer\n" for path, content in newer.files.items()}
        with monkeypatch.context() as patch:
            patch.setattr("host_bridge.install.installation._write", writes_until_it_fails(5))
            with pytest.raises(BridgeError, match="Interrupted"):
                newer.apply()
        Installation(HOST, folder)
        removal = Removal(receipt_of("nuke", folder))
        assert removal.kept == []
        removal.apply()
        assert not folder.exists()

    def test_a_file_where_a_folder_should_be_is_one_sentence(self, home):
        (home / ".fusion").write_text("", encoding="utf-8")
        done = run("install", "fusion")
        assert done.exit_code == 4
        assert "cannot be written to" in done.output
        assert tree(home) == {".fusion": b""}

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is read-only to root")
    def test_a_read_only_folder_is_one_sentence(self, home):
        (home / ".fusion").mkdir(mode=0o500)
        assert run("install", "fusion").exit_code == 4

    def test_a_disk_that_fills_up_half_way_leaves_nothing(self, home, folder, monkeypatch):
        monkeypatch.setattr("host_bridge.install.installation._write", writes_until_it_fails(5))
        with pytest.raises(BridgeError, match="Interrupted") as caught:
            Installation(HOST, folder).apply()
        assert caught.value.reason == "OUTPUT_NOT_WRITABLE"
        assert tree(home) == {}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"host": "nuke"}', '{"host": "nuke", "other": 1}'])
def test_a_damaged_receipt_is_none(folder, text):
    Installation(HOST, folder).apply()
    (receipt,) = (folder.parent / ".platekey" / "hosts").iterdir()
    receipt.write_text(text, encoding="utf-8")
    assert receipt_of("nuke", folder) is None
    assert receipts() == []
