"""Nuke's nodes and knobs, as far as PlateKey touches them: what the fake offers and what a script may name.

Names, initial values and menus are those of a scan of Nuke 17.0v3 (github.com/kirkjr2/nuke-python-reference, MIT);
`EXR_WRITER` and Root's, which such a scan of fresh nodes does not meet, are those that saved scripts hold.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Spec:
    """A knob of a class: its kind in Nuke, its initial value, its menu, and whether scripts leave it out."""

    kind: str
    initial: object = ""
    menu: tuple[str, ...] = ()
    transient: bool = False


def _text(initial=""):
    return Spec("String_Knob", initial)


def _number(initial=0.0):
    return Spec("Double_Knob", initial)


def _whole(initial=0):
    return Spec("Int_Knob", initial)


def _switch(initial=False):
    return Spec("Boolean_Knob", initial)


def _menu(*items, initial=None):
    return Spec("Enumeration_Knob", items[0] if initial is None else initial, items)


def _channels(initial="none"):
    return Spec("Channel_Knob", initial)


FILE = Spec("File_Knob")
SCRIPT = Spec("PythonKnob")

EVERY_NODE = {
    "name": _text(),
    "label": _text(),
    "help": _text(),
    "xpos": _whole(),
    "ypos": _whole(),
    "selected": _switch(),
    "tile_color": _whole(),
    "gl_color": _whole(),
    "note_font": _text("Verdana"),
    "note_font_size": _whole(11),
    "note_font_color": _whole(),
    "hide_input": _switch(),
    "icon": FILE,
    "indicators": _number(),
    "autolabel": SCRIPT,
    "knobChanged": SCRIPT,
    "onCreate": SCRIPT,
    "onDestroy": SCRIPT,
    "updateUI": SCRIPT,
}

_OPERATORS = {
    "disable": Spec("Disable_Knob", False),
    "cached": _switch(),
    "postage_stamp": _switch(),
    "bookmark": _switch(),
    "dope_sheet": _switch(),
    "lifetimeStart": _whole(),
    "lifetimeEnd": _whole(),
    "useLifetime": _switch(),
}

_SPACES = ("default", "default (linear)", "linear", "sRGB", "rec709", "Cineon", "ACES - ACEScg", "scene_linear")

_ON_ERROR = ("error", "black", "checkerboard")

_OUTSIDE = ("hold", "loop", "bounce", "black")

EXR_WRITER = {
    "datatype": _menu("16 bit half", "32 bit float"),
    "compression": _menu("none", "Zip (1 scanline)", "Zip (16 scanlines)", initial="Zip (1 scanline)"),
    "metadata": _menu("no metadata", "default metadata", "all metadata", initial="default metadata"),
    "autocrop": _switch(),
}

_FILE_TYPES = (" ", "dpx", "exr", "jpeg", "mov", "png", "tiff")

_READ = {
    "file": FILE,
    "proxy": FILE,
    "file_type": _menu(*_FILE_TYPES),
    "first": _whole(1),
    "last": _whole(1),
    "origfirst": _whole(1),
    "origlast": _whole(1),
    "before": _menu(*_OUTSIDE),
    "after": _menu(*_OUTSIDE),
    "frame_mode": _menu("expression", "start at", "offset"),
    "frame": _text(),
    "colorspace": _menu(*_SPACES),
    "raw": _switch(),
    "premultiplied": _switch(),
    "auto_alpha": _switch(),
    "on_error": _menu(*_ON_ERROR, "nearest frame"),
    "localizationPolicy": _menu("on", "from auto-localize path", "on demand", "off", initial="from auto-localize path"),
    "format": Spec("Format_Knob", "0"),
    "reload": Spec("Script_Knob"),
    "rescan_range": Spec("Boolean_Knob", False, transient=True),
    "version": _whole(),
}

_WRITE = {
    "file": FILE,
    "proxy": FILE,
    "file_type": _menu(*_FILE_TYPES),
    "channels": _channels("rgb"),
    "colorspace": _menu(*_SPACES),
    "raw": _switch(),
    "create_directories": _switch(),
    "on_error": _menu(*_ON_ERROR, "read input"),
    "reading": _switch(),
    "render_order": _number(1.0),
    "use_limit": _switch(),
    "first": _whole(1),
    "last": _whole(1),
    "views": _text(),
    "beforeRender": SCRIPT,
    "beforeFrameRender": SCRIPT,
    "afterFrameRender": SCRIPT,
    "afterRender": SCRIPT,
    **EXR_WRITER,
}

_COPY = {f"{side}{index}": _channels() for index in range(4) for side in ("from", "to")}

_MERGE = {
    "operation": _menu("over", "plus", "multiply", "copy", "mask", "stencil", "under", "minus"),
    "Achannels": _channels("rgba"),
    "Bchannels": _channels("rgba"),
    "output": _channels("rgba"),
    "also_merge": _channels(),
    "mix": _number(1.0),
    "bbox": _menu("union", "intersection", "A", "B"),
    "metainput": _menu("B", "A", "All"),
}

ROOT = {
    "name": FILE,
    "first_frame": _whole(1),
    "last_frame": _whole(100),
    "frame": _number(1.0),
    "format": Spec("Format_Knob", "160 90 0 0 160 90 1 "),
    "proxy": _switch(),
    "proxy_scale": _number(0.5),
    "project_directory": FILE,
    "fps": _number(24.0),
    "views": _text("main"),
    "colorManagement": _menu("Nuke", "OCIO"),
    "OCIO_config": _menu("nuke-default", "aces_1.2", "custom"),
    "customOCIOConfigPath": FILE,
    "workingSpaceLUT": _text("linear"),
    "onScriptLoad": SCRIPT,
    "onScriptSave": SCRIPT,
}

NODES: dict[str, tuple[int, dict[str, Spec]]] = {
    "Read": (0, {**_OPERATORS, **_READ}),
    "Write": (1, {**_OPERATORS, **_WRITE}),
    "Group": (0, _OPERATORS),
    "Input": (0, {"number": _whole()}),
    "Output": (1, {}),
    "Dot": (1, {}),
    "NoOp": (1, _OPERATORS),
    "Copy": (2, {**_OPERATORS, **_COPY, "channels": _channels()}),
    "Merge2": (3, {**_OPERATORS, **_MERGE}),
    "Switch": (100, {**_OPERATORS, "which": _number()}),
    "FrameRange": (1, {**_OPERATORS, "first_frame": _number(), "last_frame": _number(-123.0), "time": _text()}),
    "FrameHold": (1, {**_OPERATORS, "first_frame": _number(), "increment": _number()}),
    "TimeOffset": (1, {**_OPERATORS, "time_offset": _number()}),
    "Multiply": (1, {**_OPERATORS, "channels": _channels("all"), "value": _number(1.0)}),
    "Constant": (0, {**_OPERATORS, "color": _number(), "channels": _channels("rgb"), "format": Spec("Format_Knob")}),
    "Reformat": (1, {**_OPERATORS, "format": Spec("Format_Knob")}),
    "OneView": (1, {**_OPERATORS, "view": _text("main")}),
    "Viewer": (10, {"frame": _number(1.0), "frame_range": _text(), "frame_range_lock": _switch()}),
}
"""Class -> number of inputs that it can have, and its own knobs. A Group has as many inputs as Input nodes in it."""

USER_KNOBS = {
    1: "String_Knob",
    2: "File_Knob",
    3: "Int_Knob",
    4: "Enumeration_Knob",
    6: "Boolean_Knob",
    7: "Double_Knob",
    20: "Tab_Knob",
    22: "PyScript_Knob",
    26: "Text_Knob",
}
"""Numbers of the kinds of knob in ``addUserKnob``, as saved scripts hold them."""


def knobs_of(node_class: str) -> dict[str, Spec]:
    """Every knob of a class.

    Raises:
        KeyError: there is no such class here.
    """
    if node_class == "Root":
        return {**EVERY_NODE, **ROOT}
    return {**EVERY_NODE, **NODES[node_class][1]}
