"""One running Nuke: its script, its callbacks, and the rules that Foundry documents for them.

A rule that is broken raises, with Nuke's words where they are known:

- ``execute`` inside an ``execute``, or inside a callback, fails with "I'm already executing something else";
- the script is changed and executed in the main thread only;
- a callback that raises aborts the render, and what follows it is not called;
- ``knobChanged`` runs only while the panel is open, and not recursively.
"""

from __future__ import annotations

import contextlib
import os
import runpy
import sys
import threading
from pathlib import Path

from fake_nuke import nodes, pixels, script
from fake_nuke.execution import Execution

CALLBACKS = (
    "beforeRender",
    "beforeFrameRender",
    "afterFrameRender",
    "afterRender",
    "knobChanged",
    "onCreate",
    "onScriptLoad",
    "onScriptSave",
)

_CHANNELS = {"rgba", "rgb", "alpha", "red", "green", "blue", "none", "all", "rgba.red", "rgba.green"}
_CHANNELS |= {"rgba.blue", "rgba.alpha"}


class Session:
    """A Nuke.

    Args:
        gui: with windows; False is ``nuke -t``.

    Attributes:
        messages: what ``nuke.message`` showed.
        printed: what ``nuke.tprint`` printed.
        answer: to every ``nuke.ask``.
        user_cancels_progress: after so many looks at a ProgressTask the user has pressed Cancel; None for never.
        user_cancels_render: frame at which the user presses Cancel on Nuke's own progress bar.
        file_transform: what a Read or a Write does to pixels unless it is raw.
        viewer: the active viewer's node; None for none.
        undo_stopped: how often the recording of undo steps was stopped and not taken up again.
    """

    def __init__(self, gui=True):
        self.gui = gui
        self.callbacks = {kind: [] for kind in CALLBACKS}
        self.messages: list[str] = []
        self.printed: list[str] = []
        self.answer = True
        self.user_cancels_progress: int | None = None
        self.user_cancels_render: int | None = None
        self.file_transform = lambda plane: plane
        self.tasks: list = []
        self.menus: dict[str, dict] = {}
        self.raw_args: list[str] = []
        self.undo_stopped = 0
        self.executable = "/opt/Nuke15.1v3/Nuke15.1"
        self._main = threading.current_thread()
        self._running_files: list[Path] = []
        self.clear()

    def clear(self):
        """A new, empty script."""
        self.layers: dict[str, list[str]] = {}
        self.views = ["main"]
        self.viewer = None
        self.execution: Execution | None = None
        self.this: list = []
        self._in_callback = 0
        self.root_node = nodes.Group(self, "Root", None)
        self.root_node["name"]._value = ""
        self.groups = [self.root_node]

    def require_main_thread(self, what):
        if threading.current_thread() is not self._main:
            raise RuntimeError(f"{what}: the script may be touched in the main thread only")

    def in_main_thread(self):
        return threading.current_thread() is self._main

    def require_gui(self, what):
        if not self.gui:
            raise RuntimeError(f"{what}: Invalid function call in non-gui mode")

    def frame(self):
        """The frame that is rendered, or else the one of the time line."""
        return self.execution.frame if self.execution else int(self.root_node["frame"].value())

    def format(self):
        return self.root_node["format"].size()

    def knows_channel(self, name):
        return name in _CHANNELS or name in self.layers or any(name in names for names in self.layers.values())

    def size(self, node):
        """Width and height of what a node puts out; renders nothing, as in Nuke."""
        if node is None:
            return self.format()
        if not node.disabled():
            if node.Class() == "Read":
                return pixels.size_of_file(node, self.frame_range(node)) or self.format()
            if node.Class() == "Group":
                return self.size(node.output_node())
            if node.Class() == "Input":
                return self.size(node.parent().input(node["number"].value()))
            if node.Class() in {"Constant", "Reformat"} and node["format"].size():
                return node["format"].size()
        return self.size(node.input(0))

    def channels(self, node):
        """Names of the planes that a node puts out at its first frame."""
        return pixels.render(self, node, self.frame_range(node)[0], self.views[0]).planes

    def frame_range(self, node):
        """First and last frame of what a node puts out."""
        root = self.root_node["first_frame"].value(), self.root_node["last_frame"].value()
        if node is None:
            return root
        own = {"Read": ("first", "last"), "FrameRange": ("first_frame", "last_frame")}.get(node.Class())
        if own and not node.disabled():
            return tuple(int(node[name].value()) for name in own)
        if node.Class() == "Group" and not node.disabled():
            return self.frame_range(node.output_node())
        if node.Class() == "Input":
            return self.frame_range(node.parent().input(node["number"].value()))
        return self.frame_range(node.input(0)) if node.input(0) is not None else root

    def execute(self, node, first, last, step=1, views=None):
        """Render a Write."""
        self.require_main_thread("execute")
        if self.execution or self._in_callback:
            raise RuntimeError("I'm already executing something else")
        if node.Class() != "Write":
            raise RuntimeError(f"{node.fullName()} is not executable")
        if node.disabled():
            return
        self.execution = Execution(self, node, range(first, last + 1, step), views or self.views)
        try:
            self.execution.run()
        finally:
            self.execution = None

    def knob_changed(self, knob):
        if knob.owner.panel_open and not self._in_callback:
            self._knob_callbacks(knob.owner, knob)

    def input_changed(self, node):
        if node.panel_open:
            self._knob_callbacks(node, _Dummy("inputChange"))

    def panel_shown(self, node):
        self._knob_callbacks(node, _Dummy("showPanel"))

    def created(self, node):
        """Run onCreate: first of the nodes inside a group, as documented."""
        for child in getattr(node, "children", ()):
            self.created(child)
        self.call_back("onCreate", node)

    def call_back(self, kind, node, knob=None):
        """Run a kind of callback: the node's own knob, then those that were added, in their order."""
        self._in_callback += kind in {"knobChanged", "onCreate"}
        try:
            own = node.knob(kind)
            if own is not None and own.value():
                self.run_script(own.value(), node, knob)
            with self.context(node, knob):
                for call, args, kwargs, node_class in list(self.callbacks[kind]):
                    if node_class in ("*", node.Class()):
                        call(*args, **kwargs)
        finally:
            self._in_callback -= kind in {"knobChanged", "onCreate"}

    @contextlib.contextmanager
    def context(self, node, knob=None):
        """Make a node and a knob what ``thisNode`` and ``thisKnob`` return."""
        self.this.append((node, knob))
        try:
            yield
        finally:
            self.this.pop()

    def run_script(self, code, node, knob=None):
        """Run the script of a button or a callback."""
        with self.context(node, knob):
            exec(compile(code, f"{node.fullName()} script", "exec"), {"__name__": "__main__"})

    def run_file(self, path):
        """Run an ``init.py`` or a ``menu.py``."""
        self._running_files.append(Path(path))
        try:
            runpy.run_path(str(path))
        finally:
            self._running_files.pop()

    def add_plugin_path(self, path):
        """Make a folder part of Nuke's search path, which is Python's too, and run what lies in it."""
        folder = self._running_files[-1].parent / path if self._running_files else Path(path)
        sys.path.insert(0, str(folder))
        if (folder / "platekey").is_dir():
            sys.modules.pop("platekey", None)
        for name in ("init.py", "menu.py") if self.gui else ("init.py",):
            if (folder / name).exists():
                self.run_file(folder / name)

    def save(self, path):
        """Save the script under a name."""
        self.root_node["name"]._value = str(path)
        self.call_back("onScriptSave", self.root_node)
        with open(self.root_node["name"].value(), "w", encoding="utf-8") as file:
            file.write(script.to_script(self))

    def open(self, path):
        """Open a script.

        Raises:
            RuntimeError: there is no such file.
        """
        if not os.path.exists(path):
            raise RuntimeError(f"{path}: Can't read file.")
        self.clear()
        with open(path, encoding="utf-8") as file:
            script.load(self, file.read())
        self.root_node["name"]._value = str(path)
        for node in self.root_node.children:
            self.created(node)
        self.call_back("onCreate", self.root_node)
        self.call_back("onScriptLoad", self.root_node)

    def _knob_callbacks(self, node, knob):
        self.call_back("knobChanged", node, knob)


class _Dummy:
    """What stands for a knob where a panel opens or a wire moves."""

    def __init__(self, name):
        self._name = name

    def name(self):
        return self._name


_running: list[Session] = []


def start(gui=True) -> Session:
    """Begin a new Nuke; the module ``nuke`` speaks for it from now on."""
    _running[:] = [Session(gui)]
    return _running[0]


def running() -> Session:
    """The Nuke that runs."""
    return _running[0] if _running else start()
