"""Knobs of the fake: values, menus, expressions, and the scripts behind buttons."""

from __future__ import annotations

import os
import re

from fake_nuke import tcl

DO_NOT_WRITE = 0x200
"""Flag of a knob that no script holds."""

_FRAME = re.compile(r"%0?(\d*)d|(#+)")


class Knob:
    """A knob; made by a script it belongs to no node yet."""

    default: object = ""

    def __init__(self, name="", label="", value=None):
        self._name = name
        self._label = label
        self._value = self.default if value is None else value
        self.initial = self.default
        self._expression: str | None = None
        self._tooltip = ""
        self.owner = None
        self.flags: set[int] = set()
        self.visible_now = True

    def Class(self):  # noqa: N802
        return type(self).__name__

    def name(self):
        return self._name

    def label(self):
        return self._label or self._name

    def node(self):
        return self.owner

    def tooltip(self):
        return self._tooltip

    def setTooltip(self, text):  # noqa: N802
        self._tooltip = text

    def setFlag(self, flag):  # noqa: N802
        self.flags.add(flag)

    def getFlag(self, flag):  # noqa: N802
        return flag in self.flags

    def clearFlag(self, flag):  # noqa: N802
        self.flags.discard(flag)

    def setVisible(self, visible):  # noqa: N802
        self.visible_now = visible

    def visible(self):
        return self.visible_now

    def setEnabled(self, enabled):  # noqa: N802
        """Greying out shows in a panel only."""

    def setExpression(self, expression):  # noqa: N802
        self._touch()
        self._expression = expression

    def hasExpression(self, index=0):  # noqa: N802
        return self._expression is not None

    def isAnimated(self, index=0):  # noqa: N802
        return False

    def expression(self):
        return self._expression

    def setValue(self, value):  # noqa: N802
        self._touch()
        self._expression = None
        self._value = self.taken(value)
        if self.owner is not None:
            self.owner.session.knob_changed(self)
        return True

    def taken(self, value):
        """A value as the knob keeps it."""
        return value

    def value(self):
        if self._expression is not None:
            return self.taken(tcl.number(self._expression, self.owner))
        return self._value

    def getValue(self):  # noqa: N802
        return self.value()

    def text(self) -> str:
        """The value where TCL asks for it."""
        return str(self.value())

    def toScript(self, quote=True, context=None):  # noqa: N802
        return f"{{{{{self._expression}}}}}" if self._expression is not None else self.script_value()

    def script_value(self) -> str:
        return quoted(str(self._value))

    def changed(self) -> bool:
        """Whether a saved script has to name it."""
        return not self.getFlag(DO_NOT_WRITE) and (self._expression is not None or self._value != self.initial)

    def _touch(self):
        if self.owner is not None:
            self.owner.session.require_main_thread("setValue")


class Array_Knob(Knob):  # noqa: N801
    default = 0.0

    def taken(self, value):
        return float(value)

    def setRange(self, low, high):  # noqa: N802
        self.range = (low, high)

    def setDefaultValue(self, values):  # noqa: N802
        """A saved script does not hold it: a knob left at such a value is 0 when the script is opened again."""
        self.initial = self._value = self.taken(values[0])

    def script_value(self):
        return f"{self._value:g}"


class Double_Knob(Array_Knob):  # noqa: N801
    """Numbers."""


class Int_Knob(Array_Knob):  # noqa: N801
    default = 0

    def taken(self, value):
        return int(value)

    def script_value(self):
        return str(self._value)


class Boolean_Knob(Array_Knob):  # noqa: N801
    default = False

    def taken(self, value):
        return value == "true" if isinstance(value, str) else bool(value)

    def script_value(self):
        return "true" if self._value else "false"


class Disable_Knob(Boolean_Knob):  # noqa: N801
    """The switch that takes a node out."""


class Enumeration_Knob(Array_Knob):  # noqa: N801
    def __init__(self, name="", label="", items=(), value=None):
        self._items = list(items)
        super().__init__(name, label, value if value is not None else (self._items or [""])[0])
        self.initial = (self._items or [""])[0]

    def values(self):
        return list(self._items)

    def taken(self, value):
        if isinstance(value, (int, float)):
            value = self._items[int(value)]
        if value not in self._items:
            raise TypeError(f"{self._name} cannot be {value!r}")
        return value

    def getValue(self):  # noqa: N802
        return float(self._items.index(self.value()))

    def script_value(self):
        return quoted(self._value)


class String_Knob(Knob):  # noqa: N801
    def taken(self, value):
        if not isinstance(value, str):
            raise TypeError(f"{self._name} takes text")
        return value


class PythonKnob(String_Knob):
    """A callback's script."""


class Text_Knob(String_Knob):  # noqa: N801
    """Words in a panel."""


class Tab_Knob(String_Knob):  # noqa: N801
    """A tab of a panel."""


class Format_Knob(String_Knob):  # noqa: N801
    def size(self):
        """Width and height; None where none is stated."""
        found = re.match(r"(\d+) (\d+)", self._value)
        return (int(found[1]), int(found[2])) if found else None


class Channel_Knob(String_Knob):  # noqa: N801
    """Names of channels: they have to exist, or the knob refuses them."""

    def taken(self, value):
        session = self.owner.session if self.owner is not None else None
        for name in value.split():
            if session is not None and not session.knows_channel(name):
                raise ValueError(f"no channel named {name}")
        return value


class File_Knob(String_Knob):  # noqa: N801
    def evaluate(self, frame=None, view=None):
        """The file of a frame: commands run, numbers filled in."""
        number = self.owner.session.frame() if frame is None else frame
        return self.of_frame(tcl.substituted(self._value, self.owner), number, view)

    def text(self):
        return tcl.substituted(self._value, self.owner)

    @staticmethod
    def of_frame(pattern, frame, view=None):
        folder, name = os.path.split(pattern)
        name = _FRAME.sub(lambda found: f"{int(frame):0{len(found[2] or '') or int(found[1] or 1)}d}", name)
        return os.path.join(folder, name).replace("%V", view or "main").replace("%v", (view or "main")[0])


class PyScript_Knob(String_Knob):  # noqa: N801
    def __init__(self, name="", label="", command=""):
        super().__init__(name, label, command)

    def command(self):
        return self._value

    def execute(self):
        """Press the button."""
        self.owner.session.run_script(self._value, self.owner, self)


class Script_Knob(String_Knob):  # noqa: N801
    def execute(self):
        """``reload``, the only one here: it counts up the version."""
        version = self.owner["version"]
        version.setValue(version.value() + 1)


KINDS = {kind.__name__: kind for kind in list(globals().values()) if isinstance(kind, type) and issubclass(kind, Knob)}


def of_spec(name, spec):
    """A knob of a node's class, at its initial value."""
    kind = KINDS[spec.kind]
    if kind is Enumeration_Knob:
        knob = Enumeration_Knob(name, "", spec.menu, spec.initial)
    else:
        knob = kind(name)
        knob._value = spec.initial
    knob.initial = spec.initial
    knob.flags |= {DO_NOT_WRITE} if spec.transient else set()
    return knob


def quoted(text: str) -> str:
    """A word as a script holds it; bare where it can be."""
    if re.fullmatch(r"[\w./:%#+,-]+", text):
        return text
    escaped = re.sub(r'([\\"\[\]{}$])', r"\\\1", text)
    return '"' + escaped.replace("\n", "\\n") + '"'
