"""Scripts of the fake: written as Nuke writes them, and read back."""

from __future__ import annotations

import nuke_classes
from fake_nuke import nodes
from fake_nuke.knobs import KINDS, Channel_Knob, Enumeration_Knob, quoted
from nk_script import commands, knob_values, user_knob

_NUMBERS = {kind: number for number, kind in nuke_classes.USER_KNOBS.items()}


def to_script(session) -> str:
    """The whole script."""
    root = session.root_node
    lines = ["version 15.1 v3", "Root {", " inputs 0", *_knob_lines(root), "}"]
    lines += [f"add_layer {{{name} {' '.join(channels)}}}" for name, channels in session.layers.items()]
    return "\n".join([*lines, *_nodes(root.children), ""])


def nodes_to_script(session, chosen) -> str:
    """Some nodes, as for the clipboard."""
    layers = [f"add_layer {{{name} {' '.join(channels)}}}" for name, channels in session.layers.items()]
    return "\n".join(["version 15.1 v3", *layers, *_nodes(chosen), ""])


def load(session, text, parent=None) -> list:
    """Make the nodes of a script in a group, the root where none is given; returns those at its top."""
    reader = _Reader(session, parent or session.root_node)
    for command in commands(text):
        reader.read(command)
    return reader.made


def _nodes(chosen):
    """Each node pushes what it is wired to, so that the order in the file does not matter to the wires."""
    lines = []
    for node in _sources_first(chosen):
        wired = [node.input(index) for index in range(node.inputs())]
        lines += [f"push ${_variable(other)}" if other in chosen else "push 0" for other in reversed(wired)]
        lines += [f"{node.Class()} {{", f" inputs {len(wired)}", *_user_lines(node), *_knob_lines(node), "}"]
        if isinstance(node, nodes.Group):
            lines += [f" {line}" for line in _nodes(node.children)] + ["end_group"]
        lines.append(f"set {_variable(node)} [stack 0]")
    return lines


def _sources_first(chosen):
    ordered: list = []

    def visit(node):
        if node in chosen and node not in ordered:
            for index in range(node.inputs()):
                visit(node.input(index))
            ordered.append(node)

    for node in chosen:
        visit(node)
    return ordered


def _variable(node):
    return f"N{id(node):x}"


def _knob_lines(node):
    return [f" {_name(knob)} {knob.toScript()}" for knob in node.allKnobs() if _saved(knob)]


def _name(knob):
    return quoted(knob.name())


def _saved(knob):
    return knob.changed() and knob.Class() not in {"Tab_Knob", "PyScript_Knob", "Text_Knob", "Script_Knob"}


def _user_lines(node):
    return [f" addUserKnob {{{_declaration(knob)}}}" for knob in node.user_knobs()]


def _declaration(knob):
    words = [str(_NUMBERS[knob.Class()]), knob.name(), f"l {quoted(knob.label())}"]
    if knob.tooltip():
        words.append(f"t {quoted(knob.tooltip())}")
    if knob.Class() in {"PyScript_Knob", "Text_Knob"}:
        words.append(f"T {quoted(knob.value())}")
    if isinstance(knob, Enumeration_Knob):
        words.append(f"M {{{' '.join(map(quoted, knob.values()))}}}")
    if hasattr(knob, "range"):
        words.append(f"R {knob.range[0]:g} {knob.range[1]:g}")
    return " ".join(words)


class _Reader:
    def __init__(self, session, parent):
        self._session = session
        self._groups = [parent]
        self._stacks: list[list] = [[]]
        self._variables: dict[str, object] = {}
        self.made: list = []

    def read(self, command):
        words = [word.text for word in command.words]
        if command.name == "push":
            self._stacks[-1].append(self._variables.get(words[1].removeprefix("$")))
        elif command.name == "set":
            self._variables[words[1]] = self._stacks[-1][-1]
        elif command.name == "add_layer":
            name, *channels = words[1].split()
            self._session.layers.setdefault(name, channels)
        elif command.name == "end_group":
            self._groups.pop()
            self._stacks.pop()
        elif command.name == "Root":
            self._set(self._session.root_node, knob_values(words[1]))
        elif command.name != "version":
            self._make(command.name, knob_values(words[1]))

    def _make(self, node_class, values):
        node = nodes.create(self._session, node_class, self._groups[-1])
        taken = next((int(value) for name, value, _ in values if name == "inputs"), 1)
        wired = [self._stacks[-1].pop() for _ in range(min(taken, len(self._stacks[-1])))]
        self._declare(node, values)
        self._set(node, values)
        node._inputs = wired
        self._stacks[-1].append(node)
        if len(self._groups) == 1:
            self.made.append(node)
        if isinstance(node, nodes.Group):
            self._groups.append(node)
            self._stacks.append([])

    def _declare(self, node, values):
        for name, value, _ in values:
            if name == "addUserKnob":
                node.addKnob(_made(user_knob(value.removeprefix("{").removesuffix("}"))))

    def _set(self, node, values):
        for name, value, _ in values:
            if name in {"addUserKnob", "inputs"}:
                continue
            knob = node[name]
            if value.startswith("{{"):
                knob.setExpression(value.strip("{}"))
            elif isinstance(knob, Channel_Knob):
                knob._value = value
            else:
                knob._value = knob.taken(value)


def _made(declared):
    kind = KINDS[nuke_classes.USER_KNOBS[int(declared["kind"])]]
    name, label = declared["name"], declared.get("l", "")
    if kind is Enumeration_Knob:
        (menu,) = commands(declared["M"])
        knob = kind(name, label, [word.text for word in menu.words])
    else:
        knob = kind(name, label)
    if "T" in declared:
        knob._value = declared["T"]
    if "R" in declared:
        knob.setRange(*map(float, declared["R"].split()))
    knob.setTooltip(declared.get("t", ""))
    return knob
