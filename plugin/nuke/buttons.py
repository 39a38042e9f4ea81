"""What the node's buttons and its panel call. Errors end here, as a sentence in the node and in a window."""

from __future__ import annotations

import os
import shutil
from typing import Callable, Iterable, List

import nuke

from ..core.errors import LinkError
from ..core.inspection import inspection_text
from ..core.status import error_text
from . import adaptation, panel
from .checks import frame_source
from .inspection import inspected
from .monitor import monitor_for
from .node import KeyNode, all_key_nodes
from .process import process
from .state import NodeState

_WATCHED = frozenset(("inputChange", "showPanel"))
"""What Nuke calls knobChanged with where a wire moves or the panel opens."""

_SILENT = frozenset(("status", panel.OUTPUT, "range_first", "range_last", "residual_gain", "selected", "xpos", "ypos"))
"""Knobs that no result depends on."""


def use_viewer_frame(group: nuke.Group) -> None:
    """Take the frame that the viewer shows for the clean plate's."""
    group["clean_frame"].setValue(_viewer_frame())
    refresh(KeyNode(group))


def use_input_range(group: nuke.Group) -> None:
    """Take the range of what is connected to the frame input."""

    def take() -> None:
        source = frame_source(KeyNode(group))
        group["range_first"].setValue(source.firstFrame())
        group["range_last"].setValue(source.lastFrame())

    _told(KeyNode(group), take)


def process_frame(group: nuke.Group) -> None:
    """Key the frame that the viewer shows."""
    key = KeyNode(group)
    _told(key, lambda: _process(key, [_viewer_frame()]))


def process_range(group: nuke.Group) -> None:
    """Key the frames of the range."""
    key = KeyNode(group)
    _told(key, lambda: _process(key, key.wanted()))


def inspect_plate(group: nuke.Group) -> None:
    """Say in the node whether its clean plate can work."""
    key = KeyNode(group)
    _told(key, lambda: key.say(inspection_text(inspected(key, monitor_for(key.name)))))


def adapt_to_shot(group: nuke.Group) -> None:
    """Adapt the model to the frames of the range, and key with it from now on where that helps."""
    key = KeyNode(group)

    def adapt() -> None:
        sentence = adaptation.adapt_to_shot(key, key.wanted(), monitor_for(key.name))
        nuke.tprint("{}: {}".format(key.name, sentence))

    _told(key, adapt)


def process_all() -> None:
    """Key the ranges of every PlateKey of the script, each after those that flow into it."""
    for key in all_key_nodes():
        process_range(key.group)


def clear_results(group: nuke.Group) -> None:
    """Delete this node's results of other states than the present one; those of its copies stay."""
    key = KeyNode(group)

    def clear() -> None:
        twins = [it for it in all_key_nodes() if it.value(panel.ID) == key.value(panel.ID)]
        kept = {NodeState(it).folder for it in twins} | {it.points_at() for it in twins}
        folder = os.path.dirname(key.results_folder(""))
        others = [name for name in _entries(folder) if name not in kept and os.path.isdir(os.path.join(folder, name))]
        if others and nuke.ask("Delete the results of {} other settings in {}?".format(len(others), folder)):
            for name in others:
                shutil.rmtree(os.path.join(folder, name), ignore_errors=True)

    _told(key, clear)


def knob_changed(group: nuke.Group, knob: str) -> None:
    """Keep the node pointed at the results of its present state. Renders nothing: Nuke forbids it here."""
    if knob in _WATCHED or (knob not in _SILENT and group.knob(knob) is not None):
        refresh(KeyNode(group))


def refresh(key: KeyNode) -> None:
    """Point the node at the results of its present state; where they lack, it says so and shows an error."""
    key.follow_range()
    folder = NodeState(key).folder
    moved = key.points_at() != folder
    key.point_at(folder)
    if moved:
        key.say("Processed before with these settings." if _processed(key, folder) else "Not processed yet.")


def refresh_all() -> None:
    """`refresh` every node; before a script is saved, so that a farm finds each one pointed at what it has to be."""
    for key in all_key_nodes():
        refresh(key)


def _process(key: KeyNode, frames: Iterable[int]) -> None:
    outcome = process(key, frames, monitor_for(key.name))
    for text in [*outcome.summary.notices, outcome.sentence()]:
        nuke.tprint("{}: {}".format(key.name, text))
    outcome.summary.require_complete()


def _told(key: KeyNode, work: Callable[[], None]) -> None:
    """Do something; what goes wrong is shown."""
    try:
        work()
    except LinkError as error:
        _show(key, error)


def _show(key: KeyNode, error: LinkError) -> None:
    key.say(error_text(error))
    if error.reason != "CANCELLED":
        nuke.message("{}\n\n{}".format(error.message, error.next_step))


def _processed(key: KeyNode, folder: str) -> bool:
    try:
        return any(name.endswith(".exr") for name in _entries(key.results_folder(folder)))
    except LinkError:
        return False


def _viewer_frame() -> int:
    """The frame of the active viewer, which may be locked apart from the script's."""
    viewer = nuke.activeViewer()
    knob = viewer.node().knob("frame") if viewer is not None else None
    return int(knob.value()) if knob is not None else int(nuke.frame())


def _entries(folder: str) -> List[str]:
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []
