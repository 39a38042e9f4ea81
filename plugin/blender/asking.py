"""What buttons have in common that ask the side-car about the shot: export what has to be, ask, show the answer."""

# Blender reads an operator's properties from its annotations, so these must not be put off until later.

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Generator, Iterator, List, Set

import bpy

from ..core.errors import LinkError
from ..core.frames import spread
from ..core.link import LinkClient
from ..core.refusals import require_subject_frames
from ..core.side_car import connect
from ..core.summary import Progress
from . import board, graph
from .export import Exporter
from .operators import NodeOperator
from .plan import Plan, make_plan

_TICK = 0.1
"""Seconds between two steps in the window."""

_running: Set[str] = set()
"""Identities of the nodes that something is being asked of in the window."""


class Question(NodeOperator):
    """A button that asks something of the node's shot; each kind says how in `ask`.

    Attributes:
        wanted: frames that are exported for it, at most.
    """

    wanted = 1

    @staticmethod
    def ask(
        link: LinkClient, plan: Plan, frames: List[int], patience: float, cancelled: Callable[[], bool]
    ) -> Generator[Progress, None, None]:
        """Ask about frames of the files, and put the answer on the board."""
        raise LinkError("INTERNAL", "The button asks nothing.", "Please report this.")

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> Set[str]:
        """In the window: start, and go on at each tick of a clock."""
        self._identity = self.node(context).node_tree.platekey.identity
        if self._identity in _running:
            return {"CANCELLED"}
        self._cancelled = self._exporting = False
        self._steps = self._stepped(context, 0.0, lambda: self._cancelled)
        _running.add(self._identity)
        self._timer = context.window_manager.event_timer_add(_TICK, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Set[str]:
        """One step at each tick; Esc cancels. While inputs are exported, nobody else may touch the graph."""
        self._cancelled = self._cancelled or event.type == "ESC"
        if event.type != "TIMER":
            return {"RUNNING_MODAL"} if self._exporting else {"PASS_THROUGH"}
        for area in context.screen.areas:
            area.tag_redraw()
        going = False
        try:
            going = next(self._steps, None) is not None
        except LinkError as error:
            return self._told(error)
        finally:  # also of what nobody foresaw: the node could never be asked again
            if not going:
                self.cancel(context)
        return {"RUNNING_MODAL"} if going else {"FINISHED"}

    def execute(self, context: bpy.types.Context) -> Set[str]:
        """From a script: return when all is done."""
        self._identity = self.node(context).node_tree.platekey.identity
        try:
            for _ in self._stepped(context, _TICK, lambda: False):
                pass
        except LinkError as error:
            return self._told(error)
        return {"FINISHED"}

    def cancel(self, context: bpy.types.Context) -> None:
        """It is over, or the window closes."""
        self._steps.close()
        context.window_manager.event_timer_remove(self._timer)
        _running.discard(self._identity)
        board.progress(self._identity, None)

    def _told(self, error: LinkError) -> Set[str]:
        board.failed(self._identity, error)
        self.report({"WARNING" if error.reason == "CANCELLED" else "ERROR"}, str(error))
        return {"CANCELLED"}

    def _stepped(
        self, context: bpy.types.Context, patience: float, cancelled: Callable[[], bool]
    ) -> Generator[Progress, None, None]:
        """Plan, export what has to be, connect and ask."""
        scene, plan = context.scene, _planned(context.scene, self.node(context))
        frames = list(range(scene.frame_start, scene.frame_end + 1, scene.frame_step))
        others = [frame for frame in frames if frame != plan.held]
        require_subject_frames(plan.label, others)
        if plan.exports:
            frames = spread(others, self.wanted)
            self._exporting = True
            yield from _exported(scene, plan, frames, cancelled)
            self._exporting = False
        with ThreadPoolExecutor(1) as pool:
            opening = pool.submit(connect)
            while not opening.done():
                yield _shown(plan, Progress(0.0, 0, 1, "Waiting for PlateKey"))
                time.sleep(min(patience, _TICK))
            link = opening.result()
        with link:
            numbers = [plan.numbering.file_number(frame) for frame in frames]
            for state in self.ask(link, plan, numbers, patience, cancelled):
                yield _shown(plan, state)


def _planned(scene: bpy.types.Scene, node: bpy.types.Node) -> Plan:
    above = [each for socket in node.inputs for each in graph.above(socket) if graph.is_platekey(each)]
    plan = make_plan(scene, node)
    if above and plan.exports:
        raise LinkError(
            "BAD_REQUEST",
            "{}: another PlateKey, {}, lies above it.".format(plan.label, above[0].label or above[0].name),
            "Ask it in that one; it is nearer to the footage.",
        )
    return plan


def _exported(
    scene: bpy.types.Scene, plan: Plan, frames: List[int], cancelled: Callable[[], bool]
) -> Iterator[Progress]:
    exporter = Exporter(scene, plan)
    needed = [*([] if plan.held is None else [plan.held]), *frames]
    try:
        for place, frame in enumerate(needed):
            yield _shown(plan, Progress(0.0, place, len(needed), "Exporting frame {}".format(frame)))
            if cancelled():
                raise LinkError("CANCELLED", "The export was cancelled.", "Ask again when it suits.")
            exporter.make(frame)
    finally:
        exporter.close()


def _shown(plan: Plan, state: Progress) -> Progress:
    board.progress(plan.identity, state)
    return state


def is_running(identity: str) -> bool:
    """Whether something is being asked of a node in the window."""
    return identity in _running
