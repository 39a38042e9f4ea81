"""A comp of Fusion's as a Python script sees it, with PlateKey's macro in it, loaded from its real file.

It is no Fusion. Names of calls and attributes are the Fusion 8 Scripting Guide's; asking for another is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from exr_files import write
from fusion_setting import Setting

MACRO = Path(__file__).parents[2] / "plugin" / "fusion" / "PlateKey.setting"

Footage = Callable[[int], "np.ndarray | None"]


class Socket:
    """An input of a tool."""

    def __init__(self) -> None:
        self.footage: Footage | None = None

    def GetConnectedOutput(self) -> object:  # noqa: N802
        return self.footage


class Tool:
    """A tool; its controls are those of the macro's file, and no others."""

    def __init__(self, name: str, fields: dict, parent: Tool | None) -> None:
        self.Name, self.ParentTool, self.kind = name, parent, fields.get("__class", "")
        self.Input = Socket()
        controls = fields.get("UserControls", {})
        self.inputs: dict[str, object] = {name: _initial(control) for name, control in controls.items()}
        self.inputs |= dict.fromkeys(fields.get("Inputs", {})) | {"Clip": ""}
        self.passed_through = bool(fields.get("PassThrough"))
        self.reloads = 0

    def GetInput(self, name: str) -> object:  # noqa: N802
        return self.inputs[name]

    def SetInput(self, name: str, value: object) -> None:  # noqa: N802
        if name not in self.inputs:
            raise KeyError(f"{self.Name} has no control {name}")
        self.inputs[name] = value

    def SetAttrs(self, attributes: dict[str, object]) -> None:  # noqa: N802
        (self.passed_through,) = (attributes[name] for name in ("TOOLB_PassThrough",))
        self.reloads += not self.passed_through


class Comp:
    """A comp.

    Attributes:
        rendered: frames that Fusion rendered, with the Saver's name.
        refuses: frames that it does not render.
    """

    def __init__(self, file: Path | None, first: int, last: int, macros: int = 1) -> None:
        self._attributes = {
            "COMPS_FileName": str(file or ""),
            "COMPN_GlobalStart": float(first),
            "COMPN_GlobalEnd": float(last),
            "COMPN_RenderStart": float(first),
            "COMPN_RenderEnd": float(last),
        }
        self.ActiveTool: Tool | None = None
        self.tools: list[Tool] = []
        self.rendered: list[tuple[str, int]] = []
        self.refuses: set[int] = set()
        setting = Setting(MACRO.read_text(encoding="utf-8"))
        for number in range(macros):
            suffix = f"_{number}" if number else ""
            macro = Tool(setting.name + suffix, {}, None)
            self.tools += [macro, *(Tool(name + suffix, fields, macro) for name, fields in setting.tools.items())]

    def __getitem__(self, name: str) -> Tool:
        return next(tool for tool in self.tools if tool.Name == name)

    def range(self, first: int, last: int) -> None:
        """Set the render range."""
        self._attributes |= {"COMPN_RenderStart": float(first), "COMPN_RenderEnd": float(last)}

    def GetAttrs(self) -> dict[str, object]:  # noqa: N802
        return dict(self._attributes)

    def GetToolList(self, selected: bool, kind: str) -> dict[float, Tool]:  # noqa: N802
        assert not selected
        return {float(place): tool for place, tool in enumerate(self.tools, 1) if tool.kind == kind}

    def Render(self, options: dict[str, object]) -> bool:  # noqa: N802
        saver = options["Tool"]
        assert options["Wait"], "the files have to be there when it returns"
        for frame in range(options["Start"], options["End"] + 1):
            picture = saver.Input.footage(frame) if saver.Input.footage else None
            if picture is None or frame in self.refuses:
                return False
            self.rendered.append((saver.Name, frame))
            if not saver.passed_through:
                write(_file(saver.inputs["Clip"], frame), picture, attributes={"DateTime": "2026:11:22 12:00:00"})
        return True


def _initial(control: dict) -> object:
    return (
        control.get("INP_Default", 0.0)
        if control["LINKID_DataType"] == "Number"
        else control.get("INPS_DefaultText", "")
    )


def _file(pattern: str, frame: int) -> Path:
    """Fusion puts the frame's number in the place of the last digits before the ending."""
    begin, digits, ending = re.fullmatch(r"(.*?)(\d+)(\.\w+)", pattern).groups()
    return Path(f"{begin}{frame:0{len(digits)}d}{ending}")
