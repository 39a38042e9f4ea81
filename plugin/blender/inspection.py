"""The button that asks whether the clean plate can work, before a render."""

# Blender reads an operator's properties from its annotations, so these must not be put off until later.

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict, Generator, Iterator, List, Set

import bpy

from ..core.errors import LinkError
from ..core.inspection import inspect, spread
from ..core.link import LinkClient
from ..core.side_car import connect
from ..core.summary import Progress
from . import board, graph
from .export import Exporter
from .operators import NodeOperator
from .plan import Plan, make_plan

_TICK = 0.1
"""Seconds between two steps in the window."""

_running: Set[str] = set()
"""Identities of the nodes that are being inspected in the window."""


class Inspect(NodeOperator):
    """Say from a few frames whether the clean plate can work: registration, exposure, focus, shadows, what moves."""

    bl_idname = "platekey.inspect"
    bl_label = "Inspect"

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> Set[str]:
        """In the window: start, and go on at each tick of a clock."""
        self._identity = self.node(context).node_tree.platekey.identity
        if self._identity in _running:
            return {"CANCELLED"}
        self._cancelled = False
        self._steps = _steps(context.scene, self.node(context), 0.0, lambda: self._cancelled)
        _running.add(self._identity)
        self._timer = context.window_manager.event_timer_add(_TICK, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Set[str]:
        """One step at each tick; Esc cancels."""
        self._cancelled = self._cancelled or event.type == "ESC"
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        for area in context.screen.areas:
            area.tag_redraw()
        try:
            if next(self._steps, None) is not None:
                return {"RUNNING_MODAL"}
        except LinkError as error:
            self.cancel(context)
            return self._told(error)
        self.cancel(context)
        return {"FINISHED"}

    def execute(self, context: bpy.types.Context) -> Set[str]:
        """From a script: return when all is done."""
        self._identity = self.node(context).node_tree.platekey.identity
        try:
            for _ in _steps(context.scene, self.node(context), _TICK, lambda: False):
                pass
        except LinkError as error:
            return self._told(error)
        return {"FINISHED"}

    def cancel(self, context: bpy.types.Context) -> None:
        """The inspection is over, or the window closes."""
        self._steps.close()
        context.window_manager.event_timer_remove(self._timer)
        _running.discard(self._identity)
        board.progress(self._identity, None)

    def _told(self, error: LinkError) -> Set[str]:
        board.failed(self._identity, error)
        self.report({"WARNING" if error.reason == "CANCELLED" else "ERROR"}, str(error))
        return {"CANCELLED"}


CLASSES: List[type] = [Inspect]


def _steps(
    scene: bpy.types.Scene, node: bpy.types.Node, patience: float, cancelled: Callable[[], bool]
) -> Generator[Progress, None, None]:
    """Plan, export what has to be, ask, and show the answer on the node's board."""
    above = [each for socket in node.inputs for each in graph.above(socket) if graph.is_platekey(each)]
    plan = make_plan(scene, node)
    if above and plan.exports:
        raise LinkError(
            "BAD_REQUEST",
            "{}: another PlateKey, {}, lies above it.".format(plan.label, above[0].label or above[0].name),
            "Inspect the plate in that one; it is nearer to the footage.",
        )
    frames = list(range(scene.frame_start, scene.frame_end + 1, scene.frame_step))
    if plan.exports:
        frames = spread([frame for frame in frames if frame != plan.held])
        yield from _exported(scene, plan, frames, cancelled)
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(connect)
        while not opening.done():
            yield _shown(plan, Progress(0.0, 0, 1, "Waiting for PlateKey"))
            time.sleep(min(patience, _TICK))
        link = opening.result()
    with link:
        board.inspected(plan.identity, (yield from _asked(link, plan, frames, patience, cancelled)))


def _asked(
    link: LinkClient, plan: Plan, frames: List[int], patience: float, cancelled: Callable[[], bool]
) -> Generator[Progress, None, Dict[str, Any]]:
    numbers = [plan.numbering.file_number(frame) for frame in frames]
    answers: List[Dict[str, Any]] = []

    def ask() -> Iterator[Progress]:
        answers.append((yield from inspect(link, plan.options, numbers, patience, cancelled)))

    for state in ask():
        yield _shown(plan, state)
    return answers[0]


def _exported(
    scene: bpy.types.Scene, plan: Plan, frames: List[int], cancelled: Callable[[], bool]
) -> Iterator[Progress]:
    exporter = Exporter(scene, plan)
    needed = [*([] if plan.held is None else [plan.held]), *frames]
    try:
        for place, frame in enumerate(needed):
            yield _shown(plan, Progress(0.0, place, len(needed), "Exporting frame {}".format(frame)))
            if cancelled():
                raise LinkError("CANCELLED", "The inspection was cancelled.", "Inspect again when it suits.")
            exporter.make(frame)
    finally:
        exporter.close()


def _shown(plan: Plan, state: Progress) -> Progress:
    board.progress(plan.identity, state)
    return state


def is_running(identity: str) -> bool:
    """Whether a node is being inspected in the window."""
    return identity in _running
