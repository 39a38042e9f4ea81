"""Nodes of the fake: names, knobs, wires, groups."""

from __future__ import annotations

import re

import nuke_classes
from fake_nuke import knobs, tcl

INPUTS, HIDDEN_INPUTS, EXPRESSIONS = 1, 2, 4


class Node:
    """A node of a script."""

    def __init__(self, session, node_class, parent, name=None):
        self.session = session
        self._class = node_class
        self._parent = parent
        self._inputs: list[Node | None] = []
        self._knobs: dict[str, knobs.Knob] = {}
        self.panel_open = False
        for knob_name, spec in nuke_classes.knobs_of(node_class).items():
            self.addKnob(knobs.of_spec(knob_name, spec))
        self._knobs["name"]._value = name or self._free_name()
        if parent is not None:
            parent.children.append(self)

    def Class(self):  # noqa: N802
        return self._class

    def name(self):
        return self._knobs["name"].value()

    def fullName(self):  # noqa: N802
        above = self._parent
        return self.name() if above is None or above.Class() == "Root" else f"{above.fullName()}.{self.name()}"

    def parent(self):
        return self._parent

    def sibling(self, name):
        """A node by its name in this node's group, or in this node itself where it is one."""
        around = self if isinstance(self, Group) else self._parent
        found = [node for node in around.children if node.name() == name]
        return found[0] if found else None

    def setName(self, name):  # noqa: N802
        """Take a name; where it is taken already, Nuke counts on."""
        taken = {node.name() for node in self._parent.children if node is not self}
        stem = name.rstrip("0123456789")
        numbers = range(int(name[len(stem) :] or 1), 999)
        free = (name, *(f"{stem}{number}" for number in numbers))
        self["name"].setValue(next(candidate for candidate in free if candidate not in taken))

    def knob(self, name):
        return self._knobs.get(name)

    def knobs(self):
        return dict(self._knobs)

    def allKnobs(self):  # noqa: N802
        return list(self._knobs.values())

    def __getitem__(self, name):
        if name not in self._knobs or self._of_other_file_type(name):
            raise NameError(f"knob {name} does not exist")
        return self._knobs[name]

    def _of_other_file_type(self, name):
        """A Write has the knobs of EXR files only once it writes such."""
        exr = name in nuke_classes.EXR_WRITER and self._class == "Write"
        return exr and self._knobs["file_type"].value() != "exr"

    def addKnob(self, knob):  # noqa: N802
        self.session.require_main_thread("addKnob")
        if knob.name() in self._knobs:
            raise ValueError(f"{self._class} has a knob named {knob.name()} already")
        knob.owner = self
        self._knobs[knob.name()] = knob

    def user_knobs(self):
        """Knobs that the class does not have by itself."""
        own = nuke_classes.knobs_of(self._class)
        return [knob for name, knob in self._knobs.items() if name not in own]

    def maxInputs(self):  # noqa: N802
        return nuke_classes.NODES[self._class][0]

    def inputs(self):
        return len(self._inputs)

    def input(self, index):
        return self._inputs[index] if index < len(self._inputs) else None

    def setInput(self, index, node):  # noqa: N802
        self.session.require_main_thread("setInput")
        if index >= self.maxInputs():
            return False
        if node is not None and node.parent() is not self._parent:
            raise ValueError("nodes of two groups cannot be connected")
        self._inputs += [None] * (index + 1 - len(self._inputs))
        self._inputs[index] = node
        self.session.input_changed(self)
        return True

    def dependencies(self, what):
        """Nodes that this one reads directly: over its wires, or in the expressions of its knobs."""
        found = [node for node in self._inputs if node is not None] if what & INPUTS else []
        if what & EXPRESSIONS:
            for knob in self._knobs.values():
                path = tcl.knob_path(knob.expression() or "")
                if path and path.startswith("parent."):
                    found.append(self._parent)
        return list(dict.fromkeys(found))

    def channels(self):
        """Names of the channels that the node puts out."""
        names = self.session.channels(self)
        return [name if "." in name else f"rgba.{name}" for name in names]

    def firstFrame(self):  # noqa: N802
        return self.session.frame_range(self)[0]

    def lastFrame(self):  # noqa: N802
        return self.session.frame_range(self)[1]

    def width(self):
        return self.session.size(self)[0]

    def height(self):
        return self.session.size(self)[1]

    def setXYpos(self, x, y):  # noqa: N802
        self._knobs["xpos"]._value, self._knobs["ypos"]._value = int(x), int(y)

    def xpos(self):
        return self._knobs["xpos"].value()

    def ypos(self):
        return self._knobs["ypos"].value()

    def setSelected(self, selected):  # noqa: N802
        self._knobs["selected"]._value = bool(selected)

    def showControlPanel(self):  # noqa: N802
        self.session.require_gui("showControlPanel")
        self.panel_open = True
        self.session.panel_shown(self)

    def disabled(self):
        """Whether it only passes its first input through."""
        knob = self._knobs.get("disable")
        return knob is not None and bool(knob.value())

    def _free_name(self):
        if self._parent is None:
            return "root"
        taken = {node.name() for node in self._parent.children}
        return next(name for number in range(1, 999) if (name := f"{self._class}{number}") not in taken)


class Group(Node):
    """A node that holds nodes."""

    def __init__(self, session, node_class, parent, name=None):
        self.children: list[Node] = []
        super().__init__(session, node_class, parent, name)

    def nodes(self):
        return list(self.children)

    def node(self, name):
        return self.sibling(name)

    def input_nodes(self):
        """Its Input nodes, in the order of their numbers."""
        return sorted((node for node in self.children if node.Class() == "Input"), key=lambda it: it["number"].value())

    def output_node(self):
        """Its Output node; None where it has none."""
        found = [node for node in self.children if node.Class() == "Output"]
        return found[0] if found else None

    def maxInputs(self):  # noqa: N802
        return len(self.input_nodes())

    def begin(self):
        self.session.groups.append(self)
        return self

    def end(self):
        self.session.groups.pop()

    def __enter__(self):
        return self.begin()

    def __exit__(self, *exception):
        self.end()


def create(session, node_class, parent, **values):
    """A node in a group.

    Raises:
        RuntimeError: Nuke has no such class, or a group gets a second Output.
        NameError: the class has no such knob.
    """
    session.require_main_thread("createNode")
    if node_class not in nuke_classes.NODES:
        raise RuntimeError(f"{node_class}: Unknown command")
    if node_class == "Output" and isinstance(parent, Group) and parent.output_node() is not None:
        raise RuntimeError(f"{parent.name()} has an Output already: a Group has one")
    kind = Group if node_class == "Group" else Node
    node = kind(session, node_class, parent)
    if node_class == "Input":
        node["number"]._value = len(parent.input_nodes()) - 1
    for knob_name, value in values.items():
        if knob_name == "inputs":
            for index, wired in enumerate(value):
                node.setInput(index, wired)
        else:
            node[knob_name].setValue(value)
    if "name" in values and not re.fullmatch(r"[A-Za-z_]\w*", values["name"]):
        raise ValueError(f"'{values['name']}' is no name of a node")
    return node
