"""The zips that install without the repository, and the wheel that `platekey install` takes its payload from."""

import runpy
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from host_bridge.install.hosts import HOSTS
from host_bridge.install.installation import Installation
from host_bridge.install.payload import payload

REPOSITORY = Path(__file__).parents[2]
SCRIPT = REPOSITORY / "packaging" / "build_host_zips.py"


@pytest.fixture(scope="module")
def zips(tmp_path_factory):
    """Path by host, built by the script as a command."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run([sys.executable, SCRIPT, folder], capture_output=True, text=True, timeout=60, check=True)
    return dict(zip(HOSTS, map(Path, done.stdout.splitlines()), strict=True))


def names_in(path):
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_the_same_sources_give_the_same_bytes(zips, tmp_path):
    build = runpy.run_path(str(SCRIPT))["build"]
    for name, path in zips.items():
        assert build(HOSTS[name], tmp_path).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", ["nuke", "fusion", "resolve"])
def test_a_zip_unpacked_is_what_the_installer_takes_for_its_own(zips, name, tmp_path, monkeypatch):
    monkeypatch.setenv("PLATEKEY_HOME", str(tmp_path / "own"))
    folder = tmp_path / "host's ö folder"
    with zipfile.ZipFile(zips[name]) as archive:
        archive.extractall(folder)
    about = (folder / "INSTALL.txt").read_text(encoding="utf-8")
    assert f"platekey install {name}" in about
    hook = HOSTS[name].hook
    assert not hook or hook.line in about
    assert names_in(zips[name]) == {path.as_posix() for path in payload(HOSTS[name])} | {"INSTALL.txt"}
    Installation(HOSTS[name], folder).apply()


def test_blenders_zip_is_an_extension(zips):
    names = names_in(zips["blender"])
    assert {"blender_manifest.toml", "__init__.py", "core/link.py", "core/knobs.json"} <= names
    assert not [name for name in names if name.startswith("extensions/")]


def test_no_zip_holds_compiled_or_hidden_files(zips):
    for path in zips.values():
        assert not [name for name in names_in(path) if "__pycache__" in name or "/." in name or name.startswith(".")]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, unpacked as pip would."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, capture_output=True, timeout=120, check=True)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


@pytest.mark.parametrize("name", HOSTS)
def test_the_wheel_alone_installs_the_same_files(wheel, name, tmp_path):
    script = (
        f"import sys; sys.path.insert(0, {str(wheel)!r}); import host_bridge; "
        f"assert host_bridge.__file__.startswith({str(wheel)!r}); from host_bridge.cli import main; main()"
    )
    environment = {"HOME": str(tmp_path / "home"), "PATH": "", "SYSTEMROOT": ""}
    there = tmp_path / "there"
    command = [sys.executable, "-c", script, "install", name, "--path", str(there)]
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=60, check=True)
    for place, content in payload(HOSTS[name]).items():
        assert (there / place).read_bytes() == content
