"""Where each host keeps a user's own nodes.

Sources, each read in 2026: Nuke, "Installing Plug-ins" and "Loading Gizmos, NDK Plug-ins, and Python and Tcl Scripts"
(learn.foundry.com); Fusion and Resolve, "Fuses" in the DaVinci Resolve 18.6 manual, for Linux and for Windows'
``Support`` folder the README of Blackmagic's fuse examples and of Resolve's scripting; Blender, "Blender's Directory
Layout" and "Creating Extensions" (docs.blender.org, 4.5 and 5.0).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from host_bridge.errors import BridgeError

if TYPE_CHECKING:
    from host_bridge.install.machine import Machine

OLDEST_BLENDER = (4, 5)
"""The oldest that the extension is tested in."""


def nuke_folders(machine: Machine) -> list[Path]:
    """``~/.nuke``; on Windows ``$HOME``, where set, comes before the user's profile."""
    stated = machine.environment.get("HOME") if machine.system == "win32" else None
    return [(Path(stated) if stated else machine.home) / ".nuke"]


def fusion_folders(machine: Machine) -> list[Path]:
    """The path map ``Fusion:`` of Fusion Studio."""
    if machine.system in ("darwin", "win32"):
        return [machine.support / "Blackmagic Design" / "Fusion"]
    return [machine.home / ".fusion" / "BlackmagicDesign" / "Fusion"]


def resolve_folders(machine: Machine) -> list[Path]:
    """The path map ``Fusion:`` of Resolve's Fusion page."""
    if machine.system == "darwin":
        return [machine.support / "Blackmagic Design" / "DaVinci Resolve" / "Fusion"]
    if machine.system == "win32":
        return [machine.support / "Blackmagic Design" / "DaVinci Resolve" / "Support" / "Fusion"]
    return [machine.home / ".local" / "share" / "DaVinciResolve" / "Fusion"]


def blender_folders(machine: Machine) -> list[Path]:
    """The settings folder of every Blender, new enough, that this user has started.

    Raises:
        BridgeError: ``FILE_MISSING`` where there is none. Making one would keep a first start of Blender from offering
            the settings of an older version.
    """
    if stated := machine.environment.get("BLENDER_USER_RESOURCES"):
        return [Path(stated)]
    base = _blender_base(machine)
    found = {version: path for path in base.glob("*.*") if path.is_dir() and (version := _version(path.name))}
    newest = [found[version] for version in sorted(found) if version >= OLDEST_BLENDER]
    if not newest:
        oldest = ".".join(map(str, OLDEST_BLENDER))
        raise BridgeError(
            "FILE_MISSING",
            f"Blender {oldest} or newer has left no settings in {base}.",
            "Start Blender once and close it, or name its settings folder with --path.",
        )
    return newest


def _blender_base(machine: Machine) -> Path:
    if machine.system == "darwin":
        return machine.support / "Blender"
    if machine.system == "win32":
        return machine.support / "Blender Foundation" / "Blender"
    return Path(machine.environment.get("XDG_CONFIG_HOME") or machine.home / ".config") / "blender"


def _version(name: str) -> tuple[int, int] | None:
    found = re.fullmatch(r"(\d+)\.(\d+)", name)
    return (int(found[1]), int(found[2])) if found else None
