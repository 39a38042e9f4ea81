"""A stand-in for the module ``nuke`` that keeps Nuke's documented rules; see `fake_nuke.session`.

It is no Nuke: what passes here has been driven against rules read in documents, not against the product.
"""
# ruff: noqa: N802, N816 - the names are Nuke's.

from __future__ import annotations

from types import SimpleNamespace

from fake_nuke import nodes as _nodes
from fake_nuke import script as _script
from fake_nuke.knobs import (
    DO_NOT_WRITE,
    Boolean_Knob,
    Double_Knob,
    Enumeration_Knob,
    File_Knob,
    Int_Knob,
    PyScript_Knob,
    String_Knob,
    Tab_Knob,
    Text_Knob,
)
from fake_nuke.nodes import EXPRESSIONS, HIDDEN_INPUTS, INPUTS, Group, Node
from fake_nuke.session import running as _running

__all__ = [
    "DO_NOT_WRITE",
    "EXPRESSIONS",
    "HIDDEN_INPUTS",
    "INPUTS",
    "Boolean_Knob",
    "Double_Knob",
    "Enumeration_Knob",
    "File_Knob",
    "Group",
    "Int_Knob",
    "Node",
    "PyScript_Knob",
    "String_Knob",
    "Tab_Knob",
    "Text_Knob",
]

NUKE_VERSION_STRING = "15.1v3 (a stand-in)"

STARTLINE, NO_ANIMATION, INVISIBLE = 0x1000, 0x100, 0x400


class CancelledError(Exception):
    """The user cancelled."""


def __getattr__(name):
    session = _running()
    if name == "GUI":
        return session.gui
    if name == "env":
        return {"gui": session.gui, "ExecutablePath": session.executable, "NukeVersionMajor": 15}
    if name == "rawArgs":
        return session.raw_args
    if name == "callbacks":
        registered = {f"{kind}s": {"Write": calls} for kind, calls in session.callbacks.items()}
        return SimpleNamespace(**registered)
    raise AttributeError(name)


class _Nodes:
    def __getattr__(self, node_class):
        return lambda **values: _nodes.create(_running(), node_class, _running().groups[-1], **values)


nodes = _Nodes()


def createNode(node_class, knobs="", inpanel=True):
    session = _running()
    node = _nodes.create(session, node_class, session.groups[-1])
    for chosen in selectedNodes()[:1]:
        if node.maxInputs():
            node.setInput(0, chosen)
    _select_only(node)
    session.created(node)
    return node


def delete(node):
    _running().require_main_thread("delete")
    node.parent().children.remove(node)


def root():
    return _running().root_node


def frame(number=None):
    session = _running()
    if number is not None:
        session.root_node["frame"].setValue(number)
    return session.frame()


def views():
    return list(_running().views)


def addView(name):
    _running().views.append(name)


def toNode(name):
    node = _running().groups[-1]
    for part in name.split("."):
        node = node.sibling(part) if node is not None else None
    return node


def allNodes(filter=None, group=None):  # noqa: A002
    found = (group or _running().groups[-1]).nodes()
    return [node for node in found if filter in (None, node.Class())]


def selectedNodes():
    return [node for node in _running().groups[-1].nodes() if node["selected"].value()]


def thisNode():
    return _running().this[-1][0]


def thisKnob():
    return _running().this[-1][1]


def activeViewer():
    viewer = _running().viewer
    return None if viewer is None else _ViewerWindow(viewer)


class _ViewerWindow:
    def __init__(self, node):
        self._node = node

    def node(self):
        return self._node


def execute(nameOrNode, start=None, end=None, incr=1, views=None, continueOnError=False):
    session = _running()
    node = toNode(nameOrNode) if isinstance(nameOrNode, str) else nameOrNode
    first, last = (session.root_node[name].value() for name in ("first_frame", "last_frame"))
    session.execute(node, first if start is None else start, last if end is None else end, incr, views)


def executing():
    return _running().execution is not None


def executeInMainThread(call, args=(), kwargs=None):
    executeInMainThreadWithResult(call, args, kwargs)


def executeInMainThreadWithResult(call, args=(), kwargs=None):
    """Documented to hang the main thread, and to fail without windows; nothing here waits for another thread."""
    session = _running()
    session.require_gui("executeInMainThread")
    if session.in_main_thread():
        raise RuntimeError("executeInMainThread called from the main thread")
    raise RuntimeError("the fake has no event loop")


class ProgressTask:
    def __init__(self, name):
        session = _running()
        session.require_gui("ProgressTask")
        self.name, self.shares, self.texts, self._looks = name, [], [], 0
        session.tasks.append(self)

    def setProgress(self, share):
        if not isinstance(share, int):
            raise TypeError("integer argument expected")
        self.shares.append(share)

    def setMessage(self, text):
        self.texts.append(text)

    def isCancelled(self):
        self._looks += 1
        limit = _running().user_cancels_progress
        return limit is not None and self._looks > limit


class Undo:
    """Counts how often recording was stopped and not taken up again."""

    @staticmethod
    def disable():
        _running().undo_stopped += 1

    @staticmethod
    def enable():
        _running().undo_stopped -= 1


def message(text):
    session = _running()
    session.require_gui("message")
    session.messages.append(text)


def ask(text):
    session = _running()
    session.require_gui("ask")
    session.messages.append(text)
    return session.answer


def tprint(*texts, sep=" ", end="\n", file=None):
    _running().printed.append(sep.join(map(str, texts)))
    if not _running().gui:
        print(*texts, sep=sep, end=end, flush=True)  # noqa: T201


class Layer:
    """Made where it is missing, as in Nuke."""

    def __init__(self, name, channels=None):
        _running().layers.setdefault(name, list(channels or []))


def layers(node=None):
    return ["rgba", *_running().layers]


def _adder(kind):
    def add(call, args=(), kwargs=None, nodeClass="*" if kind != "beforeRender" else "Write"):
        _running().callbacks[kind].append((call, args, kwargs or {}, nodeClass))

    return add


def _remover(kind):
    def remove(call, args=(), kwargs=None, nodeClass="*"):
        kept = [entry for entry in _running().callbacks[kind] if entry[0] is not call]
        _running().callbacks[kind] = kept

    return remove


addBeforeRender, removeBeforeRender = _adder("beforeRender"), _remover("beforeRender")
addBeforeFrameRender, removeBeforeFrameRender = _adder("beforeFrameRender"), _remover("beforeFrameRender")
addAfterFrameRender = _adder("afterFrameRender")
addAfterRender, removeAfterRender = _adder("afterRender"), _remover("afterRender")
addKnobChanged = _adder("knobChanged")
addOnCreate = _adder("onCreate")
addOnScriptLoad = _adder("onScriptLoad")
addOnScriptSave, removeOnScriptSave = _adder("onScriptSave"), _remover("onScriptSave")


def scriptOpen(path):
    _running().open(path)


def scriptSave(path=None):
    _running().save(path or root()["name"].value())
    return True


def scriptSaveAs(path, overwrite=-1):
    _running().save(path)


def scriptClear():
    _running().clear()


def nodeCopy(path):
    """Copy the selected nodes into a file."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(_script.nodes_to_script(_running(), selectedNodes()))


def nodePaste(path):
    """Paste nodes from a file; they are selected then."""
    session = _running()
    with open(path, encoding="utf-8") as file:
        pasted = _script.load(session, file.read(), session.groups[-1])
    for node in pasted:
        session.created(node)
    return pasted[-1]


def menu(name):
    _running().require_gui("menu")
    return _Menu(_running().menus.setdefault(name, {}))


toolbar = menu


class _Menu:
    def __init__(self, items):
        self._items = items

    def addMenu(self, name, icon="", **_):
        return _Menu(self._items.setdefault(name, {"icon": icon}))

    def addCommand(self, name, command, shortcut="", icon="", **_):
        self._items[name] = (command, icon)


def pluginAddPath(path, addToSysPath=True):
    _running().add_plugin_path(path)


def _select_only(chosen):
    for node in chosen.parent().nodes():
        node.setSelected(node is chosen)
