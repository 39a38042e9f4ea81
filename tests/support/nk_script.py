"""The syntax of a Nuke script: TCL commands, one a node, knobs in its braces, wires on a stack."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple


class NkError(ValueError):
    """A script that Nuke could not read."""


class Word(NamedTuple):
    """A word of a command: its text without quotes, and how it was quoted: ``{``, ``"``, ``[`` or nothing."""

    text: str
    quote: str


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        words: the command's name first.
        line: where it begins, counted from 1.
    """

    words: tuple[Word, ...]
    line: int

    @property
    def name(self):
        return self.words[0].text


_CLOSING = {"{": "}", "[": "]"}


def commands(text: str, line: int = 1) -> list[Command]:
    """The commands of a script, or of a node's body.

    Raises:
        NkError: a brace, bracket or quote is left open.
    """
    found, words, position, start = [], [], 0, line
    while position < len(text):
        character = text[position]
        if character in "\n;":
            if words:
                found.append(Command(tuple(words), start))
            line += character == "\n"
            words, position = [], position + 1
        elif character in " \t\r":
            position += 1
        elif character == "#" and not words:
            position = text.find("\n", position) if "\n" in text[position:] else len(text)
        else:
            start = start if words else line
            word, after = _word(text, position, line)
            words.append(word)
            line += text.count("\n", position, after)
            position = after
    return [*found, Command(tuple(words), start)] if words else found


def knob_values(body: str, line: int = 1) -> list[tuple[str, str, int]]:
    """Knobs of a node's body: name, value as text, line. An expression keeps its braces."""
    values = []
    for command in commands(body, line):
        texts = [f"{{{word.text}}}" if word.quote == "{" else word.text for word in command.words[1:]]
        values.append((command.name, " ".join(texts), command.line))
    return values


def user_knob(declared: str) -> dict[str, str]:
    """``{22 name l "Label" T "script" M {a b ""} R 0 1 +STARTLINE}`` as ``{kind, name, l, t, T, M, R}``.

    Raises:
        NkError: it is no declaration of a knob.
    """
    (command,) = commands(declared.replace("\n", " ")) or (None,)
    if command is None or not command.name.isdigit() or len(command.words) < 2:
        raise NkError(f"addUserKnob {{{declared}}} declares no knob")
    words = list(command.words)
    found = {"kind": words[0].text, "name": words[1].text}
    rest = iter(words[2:])
    for word in rest:
        if word.text in {"l", "t", "T", "M"}:
            found[word.text] = next(rest).text
        elif word.text == "R":
            found["R"] = f"{next(rest).text} {next(rest).text}"
    return found


def unescaped(text: str) -> str:
    """A quoted word's text without its backslashes."""
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text, flags=re.DOTALL)


def _word(text, position, line):
    opening = text[position]
    if opening in _CLOSING:
        end = _end_of_nested(text, position, line)
        return Word(text[position + 1 : end], opening), end + 1
    if opening == '"':
        closed = re.compile(r'(?:[^"\\]|\\.)*"', re.DOTALL).match(text, position + 1)
        if not closed:
            raise NkError(f"line {line}: a quote is left open")
        return Word(unescaped(closed[0][:-1]), '"'), closed.end()
    bare = re.compile(r"(?:[^\s;\\]|\\.)+", re.DOTALL).match(text, position)
    return Word(unescaped(bare[0]), ""), bare.end()


def _end_of_nested(text, position, line):
    opening, closing, depth = text[position], _CLOSING[text[position]], 0
    while position < len(text):
        character = text[position]
        if character == "\\":
            position += 1
        elif character == opening:
            depth += 1
        elif character == closing:
            depth -= 1
            if depth == 0:
                return position
        position += 1
    raise NkError(f"line {line}: '{opening}' is left open")
