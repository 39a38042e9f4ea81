"""The script's working space and OCIO configuration, as a run has to name them."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

import nuke

from ..core.errors import LinkError
from .graph import file_of
from .node import KeyNode

_SHIPPED = "platekey://studio"
_REC709 = "lin_rec709"
"""What Nuke's own colour management calls "linear": Rec. 709 primaries, by the space of its sRGB and rec709 curves."""

_LINEAR_ROLE = "scene_linear"


class Colour(NamedTuple):
    """Colour of a script.

    Attributes:
        config: path of an OCIO configuration, or a built-in one's URI.
        space: name of the working space in it.
    """

    config: str
    space: str


def colour_of(key: KeyNode) -> Colour:
    """The colour that a node works in: its own knobs', or else the project's.

    Raises:
        LinkError: the project's configuration has no file that can be found.
    """
    root = nuke.root()
    config, space = file_of(key.group, "ocio_config"), key.value("working_space")
    if root["colorManagement"].value() != "OCIO":
        return Colour(config or _SHIPPED, space or (_LINEAR_ROLE if config else _REC709))
    space = space or _plain(root["workingSpaceLUT"].value())
    return Colour(config or _project_config(key.name, root), space)


def same_space(shown: str, colour: Colour) -> bool:
    """Whether what a Read's menu shows is the working space: by its name, its role, or as the default of both."""
    found = re.match(r"default \((.+)\)$", shown)
    name = _plain(found.group(1) if found else shown)
    return name in (colour.space, _LINEAR_ROLE) or (name == "linear" and colour.space == _REC709)


def _project_config(node: str, root: nuke.Node) -> str:
    """$OCIO, which Nuke prefers to its own settings; a file of the artist's; or one that comes with Nuke."""
    chosen = root["OCIO_config"].value()
    stated = os.environ.get("OCIO") or (file_of(root, "customOCIOConfigPath") if chosen == "custom" else "")
    if stated:
        return stated
    folder = os.path.join(os.path.dirname(nuke.env["ExecutablePath"]), "plugins", "OCIOConfigs", "configs")
    for place in (os.path.join(folder, chosen, "config.ocio"), os.path.join(folder, chosen + ".ocio")):
        if os.path.isfile(place):
            return place
    raise LinkError(
        "COLOR_UNKNOWN",
        "{}: the project's OCIO config '{}' has no file that can be found.".format(node, chosen),
        "Name its file under 'Files and engine' in the node, and the working space with it.",
    )


def _plain(name: str) -> str:
    """``ACES - ACEScg`` of ``scene_linear (ACES - ACEScg)``, as Nuke's menus show roles."""
    found = re.match(r"[a-z_]+ \((.+)\)$", name)
    return found.group(1) if found else name
