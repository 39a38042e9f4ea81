"""The node's buttons."""

# Blender reads an operator's properties from its annotations, so these must not be put off until later.

from typing import Callable, ClassVar, Iterator, List, Optional, Set, Tuple

import bpy

from ..core.errors import LinkError
from ..core.side_car import connect
from . import board, compositor, graph, group
from .session import Session

_TICK = 0.1
"""Seconds between two steps of a run in the window: often enough for a progress bar."""

_running: Set[str] = set()
"""Identities of the nodes that a run in the window is making."""

_cancel: Set[str] = set()
"""Those of them that are to stop."""


def selected(context: bpy.types.Context) -> Optional[bpy.types.Node]:
    """The PlateKey node that the buttons are about: the active one, else the only one of the scene."""
    tree = compositor.tree_of(context.scene)
    if tree is None:
        return None
    if tree.nodes.active is not None and graph.is_platekey(tree.nodes.active):
        return tree.nodes.active
    ours = [node for node in tree.nodes if graph.is_platekey(node)]
    return ours[0] if len(ours) == 1 else None


class NodeOperator(bpy.types.Operator):
    """A button of a node."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a node to be about."""
        return selected(context) is not None

    @staticmethod
    def node(context: bpy.types.Context) -> bpy.types.Node:
        """The node; there is one where `poll` says so."""
        return selected(context)


class AddNode(bpy.types.Operator):
    """Add a node that keys a subject out of footage, with a clean plate instead of a green screen."""

    bl_idname = "platekey.add_node"
    bl_label = "PlateKey"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Set[str]:
        """Add it, selected, where the cursor is."""
        node = group.add_node(context.scene)
        for other in node.id_data.nodes:
            other.select = other == node
        node.id_data.nodes.active = node
        if getattr(context.space_data, "type", "") == "NODE_EDITOR":
            node.location = context.space_data.cursor_location
        return {"FINISHED"}


class UseCurrentFrame(NodeOperator):
    """Take the current frame, in which the subject is out of view, for the clean plate."""

    bl_idname = "platekey.use_current_frame"
    bl_label = "Use Current Frame"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Set[str]:
        """Take it."""
        self.node(context).node_tree.platekey.clean_frame = context.scene.frame_current
        return {"FINISHED"}


class Process(NodeOperator):
    """Make the node's results, and those of PlateKey nodes above it; what is there and true stays."""

    bl_idname = "platekey.process"
    bl_label = "Process"

    whole_range: bpy.props.BoolProperty(name="Whole range", default=True, options={"SKIP_SAVE"})  # type: ignore[valid-type]

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> Set[str]:
        """In the window: start, and go on at each tick of a clock."""
        identity = self.node(context).node_tree.platekey.identity
        if identity in _running:
            return {"CANCELLED"}
        try:
            self._session, self._steps = self._start(context, 0.0, lambda: identity in _cancel)
        except LinkError as error:
            return self._told(context, error)
        self._identity = identity
        _running.add(identity)
        self._timer = context.window_manager.event_timer_add(_TICK, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Set[str]:
        """One step at each tick; Esc cancels. While inputs are exported, nobody else may touch the graph."""
        if event.type == "ESC":
            _cancel.add(self._identity)
        if event.type != "TIMER":
            return {"RUNNING_MODAL"} if self._session.exports else {"PASS_THROUGH"}
        for area in context.screen.areas:
            area.tag_redraw()
        going = False
        try:
            going = next(self._steps, None) is not None
        except LinkError as error:
            return self._told(context, error)
        finally:  # also of what nobody foresaw: the node would never run again
            if not going:
                self._finish(context)
        if going:
            return {"RUNNING_MODAL"}
        self.report({"INFO"}, _sentence(self._session.made))
        return {"FINISHED"}

    def execute(self, context: bpy.types.Context) -> Set[str]:
        """From a script: return when all is done."""
        try:
            session, steps = self._start(context, _TICK, lambda: False)
        except LinkError as error:
            return self._told(context, error)
        try:
            for _ in steps:
                pass
        except LinkError as error:
            return self._told(context, error)
        finally:
            session.close()
        self.report({"INFO"}, _sentence(session.made))
        return {"FINISHED"}

    def cancel(self, context: bpy.types.Context) -> None:
        """The window closes."""
        self._finish(context)

    def _start(
        self, context: bpy.types.Context, patience: float, cancelled: Callable[[], bool]
    ) -> Tuple[Session, Iterator[object]]:
        scene, node = context.scene, self.node(context)
        chain = [above for socket in node.inputs for above in graph.above(socket) if graph.is_platekey(above)]
        chain = list(dict.fromkeys([*chain, node]))
        graph.require_own_settings(chain)
        session = Session(scene, chain, cancelled)
        frames = [scene.frame_current]
        if self.whole_range:
            frames = list(range(scene.frame_start, scene.frame_end + 1, scene.frame_step))
        return session, _all(session, frames, patience)

    def _finish(self, context: bpy.types.Context) -> None:
        self._session.show_results()
        self._session.close()
        context.window_manager.event_timer_remove(self._timer)
        _running.discard(self._identity)
        _cancel.discard(self._identity)

    def _told(self, context: bpy.types.Context, error: LinkError) -> Set[str]:
        board.failed(self.node(context).node_tree.platekey.identity, error)
        self.report({"WARNING" if error.reason == "CANCELLED" else "ERROR"}, str(error))
        return {"CANCELLED"}


class Cancel(NodeOperator):
    """Stop the run; finished frames stay."""

    bl_idname = "platekey.cancel"
    bl_label = "Cancel"

    def execute(self, context: bpy.types.Context) -> Set[str]:
        """Ask the run to stop."""
        _cancel.add(self.node(context).node_tree.platekey.identity)
        return {"FINISHED"}


class AskStatus(NodeOperator):
    """Ask which engine runs, on what, and how full the cache is."""

    bl_idname = "platekey.ask_status"
    bl_label = "Refresh"

    def execute(self, context: bpy.types.Context) -> Set[str]:
        """Ask the side-car, which is started where none runs."""
        identity = self.node(context).node_tree.platekey.identity
        try:
            with connect() as link:
                board.asked(identity, link.call("status"))
        except LinkError as error:
            board.failed(identity, error)
        return {"FINISHED"}


CLASSES: List[type] = [AddNode, UseCurrentFrame, Process, Cancel, AskStatus]


def is_running(identity: str) -> bool:
    """Whether a run in the window is making a node's results."""
    return identity in _running


def _sentence(made: int) -> str:
    if made == 0:
        return "Nothing to do: every result is up to date."
    return "1 result made." if made == 1 else "{} results made.".format(made)


def _all(session: Session, frames: List[int], patience: float) -> Iterator[object]:
    for place, frame in enumerate(frames):
        yield from session.require(frame, frames[place + 1 :], patience)
