"""Where an artist finds the node: the toolbar, the search behind the tab key, the menu bar."""

from __future__ import annotations

import nuke

_ICON = "PlateKey.png"
_CREATE = "from platekey.nuke import build; build.create()"
_PROCESS_ALL = "from platekey.nuke import buttons; buttons.process_all()"


def add() -> None:
    """Add them; "Nodes" is both the toolbar and what the tab key searches."""
    nuke.menu("Nodes").addMenu("PlateKey", icon=_ICON).addCommand("PlateKey", _CREATE, icon=_ICON)
    menu = nuke.menu("Nuke").addMenu("PlateKey")
    menu.addCommand("New PlateKey node", _CREATE, icon=_ICON)
    menu.addCommand("Process the ranges of all PlateKey nodes", _PROCESS_ALL)
