"""Asking, before anything is keyed, whether a node's clean plate can work."""

from __future__ import annotations

from typing import Any, Callable, Dict, List

from ..core.errors import LinkError
from ..core.frames import spread
from ..core.inspection import MEASURED, inspect
from ..core.link import LinkClient
from ..core.refusals import require_subject_frames
from ..core.side_car import connect
from ..core.summary import Progress
from .checks import check
from .inputs import Inputs
from .monitor import Monitor
from .node import KeyNode
from .state import NodeState


def inspected(key: KeyNode, monitor: Monitor, connected: Callable[[], LinkClient] = connect) -> Dict[str, Any]:
    """Inspect the node's plate on its range. To be called in the main thread and from no callback, for it may render.

    Footage that lies on disk is looked through; of what has to be exported only the frames that are measured are.

    Args:
        key: the node.
        monitor: shows how far it is, and says when to stop.
        connected: makes the connection to the side-car.

    Returns:
        The side-car's answer.

    Raises:
        LinkError: the node cannot be keyed as it stands, or the inspection failed or was cancelled.
    """
    own = None if key.source("CleanPlate") is not None else key.plate_frame()
    frames = [frame for frame in key.wanted() if frame != own]
    require_subject_frames(key.name, frames)
    check(key, NodeState(key), frames)
    with connected() as link, Inputs(key, frames) as inputs:
        export = inputs.export()
        if export is not None:
            frames = spread(frames, MEASURED)
            _exported(export.make, ([] if own is None else [own]) + frames, monitor)
        answers: List[Dict[str, Any]] = []

        def ask() -> Any:  # noqa: ANN401 - a generator that keeps its answer
            answers.append((yield from inspect(link, inputs.options(""), frames, cancelled=monitor.cancelled)))

        for state in ask():
            monitor.show(state)
        return answers[0]


def _exported(make: Callable[[int], None], frames: List[int], monitor: Monitor) -> None:
    for place, frame in enumerate(frames):
        monitor.show(Progress(0.0, place, len(frames), "Exporting frame {}".format(frame)))
        if monitor.cancelled():
            raise LinkError("CANCELLED", "The inspection was cancelled.", "Inspect again when it suits.")
        make(frame)
