"""Checks a Nuke script or gizmo for what Nuke would choke on, without Nuke.

It knows braces and quotes, groups, the stack of wires, inputs, one Output a group, the knobs of `nuke_classes`, and
that every script inside compiles as Python 3.7 and imports no more than Python 3.7 has. It does not know how nodes
behave.
"""

from __future__ import annotations

import ast
import re
import sys

import nuke_classes
import vermin
from nk_script import NkError, commands, knob_values, user_knob

OLDEST_PYTHON = (3, 7)
"""Nuke 13's."""

_SCRIPTS = {"PythonKnob", "PyScript_Knob"}
_OF_THE_HOST = {"nuke", "nukescripts", "platekey"}
"""Beside the standard library."""


def problems(text: str) -> list[str]:
    """What is wrong with a script, a sentence each with its line; empty where nothing is."""
    try:
        return _Checker().check(text)
    except NkError as error:
        return [str(error)]


class _Scope:
    """A group that is being read: its stack, its nodes, its own knobs."""

    def __init__(self, name, line, user_knobs):
        self.name, self.line, self.user_knobs = name, line, user_knobs
        self.stack = 0
        self.outputs = 0
        self.inputs: list[int] = []


class _Checker:
    def __init__(self):
        self.found: list[str] = []
        self.scopes = [_Scope("root", 0, set(nuke_classes.ROOT))]
        self.variables: set[str] = set()

    def check(self, text):
        for command in commands(text):
            handler = getattr(self, f"_do_{command.name}", None)
            if handler:
                handler(command)
            elif len(command.words) == 2 and command.words[1].quote == "{":
                self._node(command)
            elif command.name not in {"version", "define_window_layout_xml"}:
                self._say(command, f"'{command.name}' is no node and no command")
        for scope in self.scopes[1:]:
            self.found.append(f"line {scope.line}: Group {scope.name} has no end_group")
        return self.found

    def _say(self, place, words):
        self.found.append(f"line {getattr(place, 'line', place)}: {words}")

    def _do_set(self, command):
        if self.scopes[-1].stack < 1:
            self._say(command, "the stack is empty")
        self.variables.add(command.words[1].text)

    def _do_push(self, command):
        name = command.words[1].text
        if name != "0" and name.removeprefix("$") not in self.variables:
            self._say(command, f"nothing was ever set as {name}")
        self.scopes[-1].stack += 1

    def _do_add_layer(self, command):
        layer, *channels = command.words[1].text.split()
        if not channels or any(not channel.startswith(f"{layer}.") for channel in channels):
            self._say(command, f"layer {layer} names channels of another layer")

    def _do_end_group(self, command):
        if len(self.scopes) == 1:
            self._say(command, "end_group without a Group")
            return
        scope = self.scopes.pop()
        if scope.outputs != 1:
            self._say(scope, f"Group {scope.name} has {scope.outputs} Outputs; a Group has one")
        if sorted(scope.inputs) != list(range(len(scope.inputs))):
            self._say(scope, f"the Inputs of {scope.name} are numbered {sorted(scope.inputs)}")

    def _node(self, command):
        node_class, body = command.name, command.words[1].text
        values = knob_values(body, command.line)
        if node_class != "Root" and node_class not in nuke_classes.NODES:
            self._say(command, f"{node_class} is not among the classes PlateKey uses")
            return
        declared = self._user_knobs(values)
        specs = nuke_classes.knobs_of(node_class)
        for name, value, line in values:
            if name in {"addUserKnob", "inputs"}:
                continue
            if name not in specs and name not in declared:
                self._say(line, f"{node_class} has no knob '{name}'")
            else:
                self._value(line, name, value, specs.get(name))
        self._wires(command, node_class, values)
        named = {name: value for name, value, _ in values}
        self._count(node_class, named)
        if node_class == "Group":
            self.scopes.append(_Scope(named.get("name", "?"), command.line, set(declared) | set(specs)))

    def _user_knobs(self, values):
        declared = {}
        for name, value, line in values:
            if name != "addUserKnob":
                continue
            knob = user_knob(value.removeprefix("{").removesuffix("}"))
            kind = nuke_classes.USER_KNOBS.get(int(knob["kind"]))
            if kind is None:
                self._say(line, f"'{knob['name']}' is a kind of knob, {knob['kind']}, that PlateKey does not use")
            declared[knob["name"]] = kind
            if kind == "PyScript_Knob":
                self._script(line, knob["name"], knob.get("T", ""))
        return declared

    def _value(self, line, name, value, spec):
        linked = re.fullmatch(r"\{\{?parent\.(\w+)\}?\}", value)
        if linked and linked[1] not in self.scopes[-1].user_knobs:
            self._say(line, f"{name} follows parent.{linked[1]}, which {self.scopes[-1].name} does not have")
        if spec is None or value.startswith("{"):
            return
        if spec.menu and value not in spec.menu:
            self._say(line, f"{name} has no entry '{value}'")
        if spec.kind in _SCRIPTS:
            self._script(line, name, value)

    def _wires(self, command, node_class, values):
        default = 0 if node_class in {"Read", "Input", "Constant", "Root"} else 1
        taken = next((int(value.split("+")[0]) for name, value, _ in values if name == "inputs"), default)
        scope = self.scopes[-1]
        if taken > scope.stack:
            self._say(command, f"{node_class} takes {taken} inputs and the stack holds {scope.stack}")
        scope.stack = max(scope.stack - taken, 0) + (node_class != "Root")

    def _count(self, node_class, named):
        scope = self.scopes[-1]
        scope.outputs += node_class == "Output"
        if node_class == "Input":
            scope.inputs.append(int(named.get("number", 0)))

    def _script(self, line, name, code):
        try:
            tree = ast.parse(code, feature_version=OLDEST_PYTHON)
        except SyntaxError as error:
            self._say(line, f"the script of {name} is no Python 3.7: {error.msg}")
            return
        imported = {
            (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        guarded = {alias for node in ast.walk(tree) if isinstance(node, ast.Try) for alias in _imported(node.body)}
        for module in sorted(imported):
            package = module.split(".")[0]
            if package == "platekey" and module not in guarded:
                self._say(line, f"the script of {name} imports platekey without a try")
            if package not in _OF_THE_HOST | sys.stdlib_module_names:
                self._say(line, f"the script of {name} imports {package}, which no Nuke brings")
        if not _old_enough(code):
            self._say(line, f"the script of {name} needs a Python newer than 3.7")


def _imported(body):
    return {node.module for node in body if isinstance(node, ast.ImportFrom)}


def _old_enough(code):
    _, newest = vermin.detect(code)
    return newest is None or tuple(newest) <= OLDEST_PYTHON
