"""What is installed for which host: files of the package ``plugin``, and their places in the host's own folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from host_bridge.install.folders import blender_folders, fusion_folders, nuke_folders, resolve_folders
from host_bridge.install.machine import Machine

Folders = Callable[[Machine], list[Path]]


@dataclass(frozen=True)
class Part:
    """A piece of the payload.

    Attributes:
        source: file or folder in the package ``plugin``; a folder goes with everything in it.
        target: its place in the host's folder; empty to leave a piece of another part out.
    """

    source: str
    target: str


@dataclass(frozen=True)
class Hook:
    """The line by which a host that scans no folders learns of ours.

    Attributes:
        file: start-up script in the host's folder.
        script: its text where there was none.
        line: what an existing script needs.
    """

    file: str
    script: str
    line: str


@dataclass(frozen=True)
class Host:
    """A host and what is installed for it.

    Attributes:
        name: as on the command line.
        title: as an artist knows it.
        folders: finds the host's own folders on a machine.
        parts: the payload.
        package: the payload's folder that the host itself takes as a package; empty where it takes none.
        next_step: how the artist gets at the node then.
        hook: where the host needs one.
    """

    name: str
    title: str
    folders: Folders
    parts: tuple[Part, ...]
    next_step: str
    hook: Hook | None = None
    package: str = ""


_EXTENSION = "extensions/user_default/platekey"
"""Blender's own repository of extensions that were not downloaded."""

_FUSION = (
    Part("fusion/PlateKey.fuse", "Fuses/PlateKey.fuse"),
    Part("fusion/PlateKey.setting", "Macros/PlateKey.setting"),
    Part("fusion/PlateKey_Process.py", "Scripts/Comp/PlateKey_Process.py"),
    Part("fusion/PlateKey_Ask.lua", "Scripts/Comp/PlateKey_Ask.lua"),
    Part("__init__.py", "PlateKey/platekey/__init__.py"),
    Part("core", "PlateKey/platekey/core"),
    Part("fusion", "PlateKey/platekey/fusion"),
    Part("fusion/fuse", ""),  # the sections that PlateKey.fuse and PlateKey_Ask.lua are assembled from
    Part("fusion/script", ""),
)

HOSTS: dict[str, Host] = {
    host.name: host
    for host in (
        Host(
            name="nuke",
            title="Nuke",
            folders=nuke_folders,
            parts=(
                Part("nuke/startup", "PlateKey"),
                Part("__init__.py", "PlateKey/platekey/__init__.py"),
                Part("core", "PlateKey/platekey/core"),
                Part("nuke", "PlateKey/platekey/nuke"),
            ),
            hook=Hook(
                file="init.py",
                script='import nuke\n\nnuke.pluginAddPath("./PlateKey")\n',
                line='import nuke; nuke.pluginAddPath("./PlateKey")  # PlateKey',
            ),
            next_step="Start Nuke again and press Tab over the node graph: PlateKey.",
        ),
        Host(
            name="fusion",
            title="Fusion Studio",
            folders=fusion_folders,
            parts=_FUSION,
            next_step="Start Fusion again: PlateKey is under Tools > Matte.",
        ),
        Host(
            name="resolve",
            title="DaVinci Resolve",
            folders=resolve_folders,
            parts=_FUSION,
            next_step="Start Resolve again: on the Fusion page, PlateKey is under Tools > Matte.",
        ),
        Host(
            name="blender",
            title="Blender",
            folders=blender_folders,
            parts=(
                Part("blender/extension", _EXTENSION),
                Part("blender/blender_manifest.toml", f"{_EXTENSION}/blender_manifest.toml"),
                Part("core", f"{_EXTENSION}/core"),
                Part("blender", f"{_EXTENSION}/blender"),
            ),
            package=_EXTENSION,
            next_step="Start Blender again and switch PlateKey on in Edit > Preferences > Add-ons.",
        ),
    )
}
"""Every host, by name."""
