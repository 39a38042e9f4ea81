"""Build a zip for each host, which installs without the repository: ``python packaging/build_host_zips.py [FOLDER]``.

The zips hold what ``platekey install`` writes: Nuke's, Fusion's and Resolve's are unpacked in the host's own folder, as
their ``INSTALL.txt`` says; Blender's is an extension that Blender installs itself. The same sources give the same bytes
on every machine: fixed times, sorted names, and no compression, whose output differs between builds of zlib.
"""

from __future__ import annotations

import argparse
import sys
import zipfile
from pathlib import Path, PurePosixPath

import host_bridge
from host_bridge.install.hosts import HOSTS, Host
from host_bridge.install.payload import payload

ROOT = Path(__file__).resolve().parent.parent

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold."""

_MODE = 0o100644 << 16
_UNIX = 3

_ABOUT = """PlateKey {version} for {title}

1. Install PlateKey itself: pip install "platekey[engine]". The node starts it; this zip does not hold it.
2. Unpack this zip in {title}'s own folder:
{folders}
3. {hook}{next_step}

Shorter: 'platekey install {name}' does the same, and 'platekey uninstall {name}' takes it away again.
"""

_HOOK = """Add this line to {file} there; make the file where there is none:
     {line}
   """

_FOLDERS = {
    "nuke": ("all systems  ~/.nuke",),
    "fusion": (
        "Linux    ~/.fusion/BlackmagicDesign/Fusion",
        "macOS    ~/Library/Application Support/Blackmagic Design/Fusion",
        "Windows  %APPDATA%\\Blackmagic Design\\Fusion",
    ),
    "resolve": (
        "Linux    ~/.local/share/DaVinciResolve/Fusion",
        "macOS    ~/Library/Application Support/Blackmagic Design/DaVinci Resolve/Fusion",
        "Windows  %APPDATA%\\Blackmagic Design\\DaVinci Resolve\\Support\\Fusion",
    ),
}


def contents(host: Host) -> dict[PurePosixPath, bytes]:
    """What a host's zip holds, by name in it."""
    files = payload(host)
    if host.package:
        return {place.relative_to(host.package): content for place, content in files.items()}
    return {**files, PurePosixPath("INSTALL.txt"): _about(host).encode()}


def build(host: Host, folder: Path) -> Path:
    """Write a host's zip and return its path."""
    path = folder / f"platekey-{host.name}-{host_bridge.__version__}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(contents(host).items()):
            entry = zipfile.ZipInfo(name.as_posix(), _EPOCH)
            entry.create_system, entry.external_attr = _UNIX, _MODE
            archive.writestr(entry, content)
    return path


def _about(host: Host) -> str:
    folders = "\n".join(f"     {line}" for line in _FOLDERS[host.name])
    hook = _HOOK.format(file=host.hook.file, line=host.hook.line) if host.hook else ""
    return _ABOUT.format(
        version=host_bridge.__version__,
        title=host.title,
        name=host.name,
        folders=folders,
        hook=hook,
        next_step=host.next_step,
    )


def main() -> None:
    """Build all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "dist")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for host in HOSTS.values():
        sys.stdout.write(f"{build(host, folder)}\n")


if __name__ == "__main__":
    main()
