"""The little of TCL that file names and expressions of a node hold: ``[value parent.cache]``, ``{{parent.output}}``."""

from __future__ import annotations

import posixpath
import re

_COMMAND = re.compile(r"\[([^\[\]]*)\]")


def substituted(text: str, node) -> str:
    """A text with its commands evaluated, innermost first; the node is whose knob it is."""
    while found := _COMMAND.search(text):
        text = text[: found.start()] + _run(found[1], node) + text[found.end() :]
    return text


def number(expression: str, node) -> float:
    """A numeric expression: a number, ``frame``, or a knob by its path."""
    expression = expression.strip()
    if re.fullmatch(r"-?[\d.]+", expression):
        return float(expression)
    if expression == "frame":
        return float(node.session.frame())
    return float(_knob(expression, node).getValue())


def knob_path(expression: str) -> str | None:
    """The knob that an expression is, or None where it is something else."""
    return expression if re.fullmatch(r"[A-Za-z_][\w.]*", expression.strip()) and expression != "frame" else None


def _run(command: str, node) -> str:
    name, _, rest = command.partition(" ")
    if name == "value":
        return str(_knob(rest.strip(), node).text())
    if name == "file" and rest.startswith("dirname"):
        return posixpath.dirname(rest.removeprefix("dirname").strip()) or "."
    raise RuntimeError(f'invalid command name "{name}"')


def _knob(path: str, node):
    *places, name = path.split(".")
    for place in places:
        if place == "root":
            node = node.session.root_node
        elif place != "this":
            node = node.parent() if place == "parent" else node.sibling(place)
    if node is None or node.knob(name) is None:
        raise RuntimeError(f"no knob {path}")
    return node.knob(name)
