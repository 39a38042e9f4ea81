"""Blender's render with PlateKey nodes in its compositing tree: every frame has its results, or it is not written.

Blender prints an error in a handler and goes on, with the pixels of the frame before or with black ones (measured).
So a frame without results ends the render before it is written: without a window the process leaves; in the window
the output is sent where no file can be, which Blender takes for a full disk and stops.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from functools import partial
from typing import Any, Callable, Dict, List, Optional

import bpy
from bpy.app.handlers import persistent

from ..core.errors import LinkError
from . import export, graph
from .group import SLATE
from .session import Session

_TOLD = "The render stops. {}\n"

_UNFORESEEN = LinkError(
    "INTERNAL",
    "PlateKey failed in a way that it does not foresee.",
    "Send what the console shows to whoever looks after PlateKey.",
)

FAILED, CANCELLED = 1, 130
"""Exit codes of a process that leaves before a frame is written; 130 is a shell's for Ctrl-C."""


def has_window() -> bool:
    """Whether somebody sits before this Blender."""
    return not bpy.app.background


class Render:
    """One render of a scene, from its first frame to its last.

    Args:
        scene: the scene.
    """

    def __init__(self, scene: bpy.types.Scene) -> None:
        self._scene = scene
        self._session: Optional[Session] = None
        self._error: Optional[LinkError] = _UNFORESEEN
        self._output = ""
        self._interrupted = False
        self._restore_signal: Callable[[], object] = lambda: None

    def prepare(self) -> None:
        """Read the scene and point its nodes at their results; what goes wrong ends the render at its first frame."""
        try:
            nodes = graph.platekeys(self._scene)
            if nodes:
                self._watch_interrupt()
                self._session = Session(self._scene, nodes, lambda: self._interrupted)
            self._error = None
        except LinkError as error:
            self._error = error

    def frame(self, number: int) -> None:
        """Have every node's result of a frame, or end the render."""
        error: Optional[LinkError] = _UNFORESEEN
        try:
            error = self._hindrance(number)
        finally:  # also of what nobody foresaw: Blender would print it, and write the frame
            if error is not None:
                self._stop(error)

    def close(self) -> None:
        """Clean up, and give the scene its output path back."""
        if self._session is not None:
            self._session.close()
        if self._output:
            self._scene.render.filepath = self._output
            self._output = ""
        self._restore_signal()

    def _hindrance(self, number: int) -> Optional[LinkError]:
        """Have every node's result of a frame made; why it cannot be, or None."""
        try:
            if self._error is None and self._session is not None:
                for _ in self._session.require(number, self._ahead(number)):
                    pass
        except LinkError as error:
            return error
        return self._error

    def _ahead(self, number: int) -> List[int]:
        step = self._scene.frame_step
        return list(range(number + step, self._scene.frame_end + 1, step))

    def _watch_interrupt(self) -> None:
        """Remember Ctrl-C. As an exception it might be raised in a handler, and Blender would print it and go on."""
        if not has_window() and threading.current_thread() is threading.main_thread():
            former = signal.signal(signal.SIGINT, self._interrupt)
            # None stands for a handler of Blender's own, which cannot be put back from here.
            self._restore_signal = partial(signal.signal, signal.SIGINT, former or signal.SIG_DFL)

    def _interrupt(self, *_: Any) -> None:  # noqa: ANN401 - a signal's number and frame
        self._interrupted = True

    def _stop(self, error: LinkError) -> None:
        if not has_window():
            self._leave(str(error), CANCELLED if error.reason == "CANCELLED" else FAILED)
        sys.stderr.write(_TOLD.format(error))
        self._output = self._output or self._scene.render.filepath
        self._scene.render.filepath = os.path.join(str(SLATE), "PlateKey has no result of frame ")
        if self._session is not None:
            self._session.show_slates()

    def _leave(self, sentence: str, code: int) -> None:
        """Leave the process: it is the only way that keeps Blender from writing the frame.

        Not by an exception, which Blender only prints, nor by an orderly exit, in which Blender as a module hangs.
        """
        try:
            if sys.exc_info()[0] is not None:
                traceback.print_exc()
            sys.stderr.write(_TOLD.format(sentence))
            self.close()
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


_renders: Dict[str, Render] = {}
"""The renders that run, by the name of their scene."""


@persistent
def begin(scene: bpy.types.Scene, *_: Any) -> None:  # noqa: ANN401 - Blender's dependency graph
    """Before a render's first frame."""
    if not export.is_nested():
        end(scene)
        _renders[scene.name_full] = Render(scene)
        _renders[scene.name_full].prepare()


@persistent
def frame(scene: bpy.types.Scene, *_: Any) -> None:  # noqa: ANN401 - Blender's dependency graph
    """Before each frame."""
    if not export.is_nested() and scene.name_full in _renders:
        _renders[scene.name_full].frame(scene.frame_current)


@persistent
def end(scene: bpy.types.Scene, *_: Any) -> None:  # noqa: ANN401 - Blender's dependency graph
    """After a render's last frame, or where it was cancelled."""
    if not export.is_nested() and scene.name_full in _renders:
        _renders.pop(scene.name_full).close()


_HANDLERS = (("render_init", begin), ("render_pre", frame), ("render_complete", end), ("render_cancel", end))


def register() -> None:
    """Listen to renders."""
    for event, handler in _HANDLERS:
        getattr(bpy.app.handlers, event).append(handler)


def unregister() -> None:
    """Listen no more."""
    for event, handler in _HANDLERS:
        getattr(bpy.app.handlers, event).remove(handler)
