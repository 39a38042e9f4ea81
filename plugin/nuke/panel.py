"""The node's panel: the knobs of the one declaration, and what only Nuke needs beside them."""

from __future__ import annotations

import uuid

import nuke

from .. import __version__
from ..core.knobs import KNOBS, Knob
from . import anatomy

ID = "platekey_id"
"""The hidden knob that makes a Group a PlateKey: the name of its folder in the cache."""

OUTPUT = "output_layer"

PLATE_MODES = ("one frame", "frame by frame")
"""One plate image for the shot, or a plate filmed with the same camera move."""

CACHE = "[file dirname [value root.name]]/platekey"
"""Beside the script, so that a project that is moved finds its results."""

_MISSING = "PlateKey is not installed on this machine: the node plays back what was processed, and no more."

_BUTTON = """\
import nuke
try:
    from platekey.nuke import buttons
except ImportError:
    nuke.message("{}")
else:
    buttons.{}(nuke.thisNode())
"""

_KNOB_CHANGED = """\
import nuke
try:
    from platekey.nuke import buttons
except ImportError:
    pass
else:
    buttons.knob_changed(nuke.thisNode(), nuke.thisKnob().name())
"""


def add_knobs(group: nuke.Group) -> None:
    """Give a Group the node's knobs."""
    _Panel(group).draw()
    group["knobChanged"].setValue(_KNOB_CHANGED)


class _Panel:
    def __init__(self, group: nuke.Group) -> None:
        self._group = group

    def draw(self) -> None:
        """Make them all, tab by tab."""
        self._add(nuke.Tab_Knob("platekey", "PlateKey"))
        self._process()
        self._group["range_last"].setValue(-1)  # no range yet: 0-0 would be one
        self._add(nuke.Tab_Knob("platekey_matte", "Matte"))
        for knob in KNOBS:
            self._add(_declared(knob), _help(knob))
        self._button(
            "adapt_to_shot",
            "Adapt to this shot",
            "Learns the frames of the range, in some ten minutes, and keys with the result where it helps.",
        )
        self._add(nuke.Tab_Knob("platekey_setup", "Files and engine"))
        self._setup()

    def _process(self) -> None:
        self._whole(
            "clean_frame", "Clean plate frame", "Frame without the subject: of the clean plate, or of the shot."
        )
        self._button("use_viewer_frame", "Use viewer frame", "Takes the frame that the viewer shows.", same_line=True)
        self._menu("plate_mode", "Clean plate", PLATE_MODES, "Frame by frame: the plate was filmed with the same move.")
        self._whole("range_first", "Range", "First and last frame to process.")
        self._whole("range_last", "", "Last frame to process.", same_line=True)
        self._button("use_input_range", "Use input range", "Takes the range of the frame input.", same_line=True)
        self._button("process_frame", "Process frame", "Keys the frame that the viewer shows.")
        self._button(
            "process_range", "Process range", "Keys the frames of the range that are not done.", same_line=True
        )
        self._button("inspect_plate", "Inspect plate", "Says from a few frames whether the clean plate can work.")
        self._menu(OUTPUT, "Output", anatomy.OUTPUTS, "What the node puts out. The key carries every layer beside it.")
        self._text("status", "Not processed yet")

    def _setup(self) -> None:
        cache = nuke.File_Knob("cache", "Cache folder")
        cache.setValue(CACHE)
        self._add(cache, "Where results are kept. Results of other settings stay beside the present ones.")
        self._button("clear_results", "Delete other results", "Deletes this node's results of other settings.")
        direct = nuke.Boolean_Knob("direct", "Read footage directly")
        direct.setValue(True)
        direct.setFlag(nuke.STARTLINE)
        self._add(direct, "Hands over the files of a plain Read as they are, instead of exporting its frames.")
        every = nuke.Boolean_Knob("all_layers", "Deliver plate and foreground")
        every.setValue(True)
        every.setFlag(nuke.STARTLINE)
        self._add(every, "The layers cleanplate and fg; without them a result is about a third smaller.")
        self._add(nuke.File_Knob("ocio_config", "OCIO config"), "Empty: the project's.")
        self._add(nuke.String_Knob("working_space", "Working space"), "Empty: the project's.")
        self._add(nuke.String_Knob("device", "Device"), "cpu, cuda:0, mps; empty for the engine's choice.")
        self._add(nuke.String_Knob("engine", "Engine"), "HOST:PORT of an engine elsewhere; empty to use this machine.")
        self._add(nuke.File_Knob("token_file", "Token file"), "File with that engine's token.")
        self._add(nuke.File_Knob("tls_ca", "Certificate"), "Certificate that signs that engine's.")
        self._hidden(ID, uuid.uuid4().hex[:12])
        self._hidden("platekey_version", __version__)

    def _add(self, knob: nuke.Knob, tooltip: str = "") -> None:
        knob.setTooltip(tooltip)
        self._group.addKnob(knob)

    def _whole(self, name: str, label: str, tooltip: str, same_line: bool = False) -> None:
        knob = nuke.Int_Knob(name, label)
        knob.setFlag(nuke.NO_ANIMATION)
        if same_line:
            knob.clearFlag(nuke.STARTLINE)
        self._add(knob, tooltip)

    def _menu(self, name: str, label: str, items: tuple, tooltip: str) -> None:
        knob = nuke.Enumeration_Knob(name, label, list(items))
        knob.setFlag(nuke.STARTLINE)
        self._add(knob, tooltip)

    def _button(self, name: str, label: str, tooltip: str, same_line: bool = False) -> None:
        knob = nuke.PyScript_Knob(name, label, _BUTTON.format(_MISSING, name))
        if not same_line:
            knob.setFlag(nuke.STARTLINE)
        self._add(knob, tooltip)

    def _text(self, name: str, text: str) -> None:
        knob = nuke.Text_Knob(name, "", text)
        knob.setFlag(nuke.STARTLINE)
        self._add(knob)

    def _hidden(self, name: str, value: str) -> None:
        knob = nuke.String_Knob(name, "")
        knob.setValue(value)
        knob.setFlag(nuke.INVISIBLE)
        self._add(knob)


def _declared(knob: Knob) -> nuke.Knob:
    """A knob of the declaration, its value set outright: Nuke saves no default of a user knob, and would open at 0."""
    made = _plain(knob)
    made.setFlag(nuke.NO_ANIMATION)
    made.setFlag(nuke.STARTLINE)
    made.setValue(knob.initial)
    return made


def _plain(knob: Knob) -> nuke.Knob:
    if knob.kind == "choice":
        return nuke.Enumeration_Knob(knob.name, knob.label, [choice.name for choice in knob.choices])
    if knob.kind == "text":
        return nuke.String_Knob(knob.name, knob.label)
    if knob.kind == "switch":
        return nuke.Boolean_Knob(knob.name, knob.label)
    made = nuke.Int_Knob(knob.name, knob.label) if knob.kind == "whole" else nuke.Double_Knob(knob.name, knob.label)
    made.setRange(knob.low, knob.high)
    return made


def _help(knob: Knob) -> str:
    """The declaration's sentence, with what each entry of a menu means or the unit of the number."""
    words = ["{}: {}".format(choice.name, choice.label) for choice in knob.choices]
    unit = " In {}.".format(knob.unit) if knob.unit else ""
    return "\n".join([knob.help + unit, *words])
