"""Adapting the model to a node's shot, from the panel."""

from __future__ import annotations

import os
import re
from typing import Callable, Iterable, List, Optional

from ..core import refusals
from ..core.adaptation import FRAMES, adapt, adaptation_text
from ..core.asking import follow
from ..core.errors import LinkError
from ..core.frames import spread
from ..core.link import LinkClient
from ..core.matte_run import Export
from ..core.side_car import connect
from ..core.summary import Progress
from . import panel
from .checks import check
from .inputs import Inputs
from .monitor import Monitor
from .node import KeyNode
from .state import NodeState

_FILE = "adapted.safetensors"


def adapt_to_shot(
    key: KeyNode, frames: Iterable[int], monitor: Monitor, connected: Callable[[], LinkClient] = connect
) -> str:
    """Adapt the node's model to its shot; where that helps, the node keys with the adapted one from now on.

    To be called in the main thread and from no callback, for it may render.

    Args:
        key: the node.
        frames: of the shot, at least one.
        monitor: shows how far it is, and says when to stop.
        connected: makes the connection to the side-car.

    Returns:
        What came of it, a line for the artist.

    Raises:
        LinkError: it cannot be done, or was cancelled; the same again goes on.
    """
    held = key.plate_frame() if key.source("CleanPlate") is None else None
    wanted = spread(sorted({frame for frame in frames if frame != held}), FRAMES)
    refusals.require_subject_frames(key.name, wanted)
    check(key, NodeState(key), wanted)
    folder = key.results_folder("")
    refusals.require_writable(key.name, folder)
    with connected() as link, Inputs(key, wanted) as inputs:
        options = inputs.options(os.path.join(folder, _FILE))
        _export(inputs.export(), str(options["clean_plate"]), wanted, monitor)
        identity = str(key.value(panel.ID))
        steps = adapt(link, options, identity, options["output"], wanted, cancelled=monitor.cancelled)
        found = follow(steps, monitor.show)
    if found["helped"]:
        key.group["model"].setValue(found["name"])
    key.say(adaptation_text(found))
    return str(found["sentence"])


def _export(export: Optional[Export], plate: str, frames: List[int], monitor: Monitor) -> None:
    if export is None:
        return
    needed = ([int(plate)] if re.match(r"-?\d+$", plate) else []) + frames
    for place, frame in enumerate(needed):
        monitor.show(Progress(0.0, place, len(needed), "Exporting frame {}".format(frame)))
        if monitor.cancelled():
            raise LinkError("CANCELLED", "Adapting was cancelled.", "Adapt again when it suits.")
        export.make(frame)
