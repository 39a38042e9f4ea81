"""A PlateKey in a script: its knobs as values, its inputs, and the files of its results."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Optional, Tuple, cast

import nuke

from ..core.errors import LinkError
from ..core.knobs import DEFAULT_LAYERS, KNOBS, LAYERS
from . import anatomy, graph, panel

_FILE = "key.%04d.exr"
"""Name of a result; frames below 0, which Nuke and the side-car pad differently, are refused."""


class KeyNode:
    """One PlateKey.

    Args:
        group: the node in the script.
    """

    def __init__(self, group: nuke.Group) -> None:
        self.group = group

    @property
    def name(self) -> str:
        """The node's name as the artist sees it, with the groups that it is in."""
        return self.group.fullName()

    def value(self, knob: str) -> Any:  # noqa: ANN401 - a knob's value
        """A knob's value."""
        return self.group[knob].value()

    def settings(self) -> Dict[str, Any]:
        """The declared knobs by name."""
        return {knob.name: self.value(knob.name) for knob in KNOBS}

    def layers(self) -> Tuple[str, ...]:
        """The layers that the artist wants beside the main one."""
        return LAYERS if self.value("all_layers") else DEFAULT_LAYERS

    def require_shown(self) -> None:
        """What the menu of outputs shows is among the layers; another would be black.

        Raises:
            LinkError: it is not.
        """
        shown = self.value(panel.OUTPUT)
        if shown in LAYERS and shown not in self.layers():
            raise LinkError(
                "BAD_REQUEST",
                "{}: its output '{}' is not among the layers that it delivers.".format(self.name, shown),
                "Switch on 'Deliver plate and foreground' in the node and process again.",
            )

    def source(self, name: str) -> Optional[nuke.Node]:
        """What is connected to an input; None where nothing is."""
        return self.group.input(list(anatomy.INPUTS).index(name))

    def inner(self, name: str) -> nuke.Node:
        """A node inside.

        Raises:
            LinkError: somebody has taken it out.
        """
        found = self.group.node(name)
        if found is None:
            raise LinkError(
                "BAD_REQUEST",
                "{}: its inner node {} is gone.".format(self.name, name),
                "Make a new PlateKey node and copy the settings over.",
            )
        return found

    def plate_frame(self) -> Optional[int]:
        """The frame of the one clean plate; None where the plate runs along with the shot.

        A connected still has one frame, so none needs choosing.
        """
        plate = self.source("CleanPlate")
        if plate is not None and self.value("plate_mode") == panel.PLATE_MODES[1]:
            return None
        if plate is not None and plate.firstFrame() == plate.lastFrame():
            return int(plate.firstFrame())
        return int(self.value("clean_frame"))

    def wanted(self) -> range:
        """The frames that the artist wants.

        Raises:
            LinkError: there are none.
        """
        first, last = int(self.value("range_first")), int(self.value("range_last"))
        if last < first:
            raise LinkError(
                "BAD_REQUEST",
                "{}: its range, {}-{}, ends before it begins.".format(self.name, first, last),
                "Press 'Use input range' in the node, or type the range.",
            )
        return range(first, last + 1)

    def window(self) -> int:
        """Neighbour frames on each side."""
        return int(self.value("temporal_window"))

    def results_folder(self, folder: str) -> str:
        """Where the results of a state lie, given its folder's name.

        Raises:
            LinkError: it depends on the script's folder, and the script has none yet.
        """
        cache = graph.file_of(self.group, "cache")
        if not os.path.isabs(cache):
            cache = os.path.join(graph.file_of(nuke.root(), "project_directory"), cache)
        if not os.path.isabs(cache):
            raise LinkError(
                "OUTPUT_NOT_WRITABLE",
                "{}: the script is not saved, so its cache folder is nowhere.".format(self.name),
                "Save the script, or name a cache folder in the node.",
            )
        return "/".join((cache, self.value(panel.ID), folder))

    def pattern(self, folder: str) -> str:
        """Files of the results of a state.

        Raises:
            LinkError: as from `results_folder`.
        """
        return "/".join((self.results_folder(folder), _FILE))

    def follow_range(self) -> None:
        """Tell the script how long the clip is: as long as what is connected to the frame input."""
        source = self.source("Frame")
        if source is not None:
            for knob, frame in (("first_frame", source.firstFrame()), ("last_frame", source.lastFrame())):
                self.inner(anatomy.RANGE)[knob].setValue(frame)

    def point_at(self, folder: str) -> None:
        """Make the node play a state's results back: those files or, where they lack, an error.

        The cache folder goes in as the artist wrote it, so that a project that is moved takes its results along.
        """
        path = "/".join((str(self.value("cache")).rstrip("/"), self.value(panel.ID), folder, _FILE))
        self.inner(anatomy.RESULTS)["file"].setValue(path)

    def points_at(self) -> str:
        """Name of the folder that the node plays back now."""
        return os.path.basename(os.path.dirname(self.inner(anatomy.RESULTS)["file"].value()))

    def reload(self) -> None:
        """Make Nuke forget what it read from the results' files before."""
        cast("nuke.Script_Knob", self.inner(anatomy.RESULTS)["reload"]).execute()

    def say(self, text: str) -> None:
        """Show a text in the status block."""
        self.group["status"].setValue(text)


def as_key_node(node: nuke.Node) -> Optional[KeyNode]:
    """A node as a PlateKey; None where it is none."""
    return KeyNode(node) if isinstance(node, nuke.Group) and node.knob(panel.ID) is not None else None


def all_key_nodes() -> List[KeyNode]:
    """Every PlateKey of the script, also inside other groups; each after those that flow into it."""
    return sorted(_inside(nuke.root()), key=lambda key: len(key_nodes_above(key.group)))


def key_nodes_above(node: nuke.Node) -> List[KeyNode]:
    """The PlateKeys that a node's picture is made of, itself among them."""
    found = [as_key_node(it.node) for it in graph.walk(node)]
    return [key for key in found if key is not None]


def _inside(group: nuke.Group) -> List[KeyNode]:
    found: List[KeyNode] = []
    for node in group.nodes():
        key = as_key_node(node)
        if key is not None:
            found.append(key)
        elif isinstance(node, nuke.Group):
            found += _inside(node)
    return found
