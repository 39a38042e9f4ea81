"""A Fusion ``.setting`` file, loaded as Fusion does: as Lua, in a real LuaJIT; `faults` is what Fusion would trip over.

What it cannot know is whether Fusion's own tools have inputs of these names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lupa import luajit21

CLASSES = (
    "MacroOperator",
    "GroupOperator",
    "Saver",
    "Loader",
    "InstanceInput",
    "InstanceOutput",
    "Input",
    "Clip",
    "FuID",
)
CLASSES += ("GroupInfo", "OperatorInfo")
NATIVE = {"Saver": {"Input"}, "Loader": {"Output"}}
"""Inputs and outputs that these tools have of themselves, as far as the macro uses them."""
CONTROLS = ("ButtonControl", "CheckboxControl", "ComboControl", "FileControl", "ScrewControl", "SliderControl")
CONTROLS += ("TextEditControl",)
LOADER = """
local known, text = ...
local environment = setmetatable({}, {__index = function(_, name)
  if name == "ordered" then
    return function() return function(fields) return fields end end
  elseif not known[name] then
    error("there is no " .. tostring(name), 0)
  end
  return function(fields) fields.__class = name return fields end
end})
local chunk = assert(loadstring("return " .. text, "@setting"))
return setfenv(chunk, environment)()
"""


class Setting:
    """A macro.

    Args:
        text: of the file.

    Attributes:
        name: the macro's.
        tools: fields of its tools, by name; ``__class`` is a table's constructor.

    Raises:
        lupa.LuaError: the file is no table of known things.
    """

    def __init__(self, text: str) -> None:
        self._lua = luajit21.LuaRuntime()
        known = self._lua.table_from(dict.fromkeys(CLASSES, True))
        load = self._lua.eval("function(code, ...) return assert(loadstring(code, '@loader'))(...) end")
        content = _plain(load(LOADER, known, text))
        ((self.name, self.macro),) = content["Tools"].items()
        self.tools: dict[str, dict] = self.macro["Tools"]
        self.active = content["ActiveTool"]

    def faults(self) -> list[str]:
        """What is wrong with it, a sentence each."""
        return [*self._dangling(), *self._controls()]

    def _dangling(self) -> Iterator[str]:
        if self.active != self.name:
            yield f"ActiveTool {self.active} is not there."
        for where in ("Inputs", "Outputs"):
            for name, link in self.macro[where].items():
                tool = self.tools.get(link["SourceOp"])
                if tool is None:
                    yield f"{name}: there is no tool {link['SourceOp']}."
                elif link["Source"] not in NATIVE[tool["__class"]] | tool.get("UserControls", {}).keys():
                    yield f"{name}: {link['SourceOp']} has no {link['Source']}."

    def _controls(self) -> Iterator[str]:
        compiles = self._lua.eval("function(code) return (loadstring(code)) ~= nil end")
        for tool in self.tools.values():
            for name, fields in tool.get("UserControls", {}).items():
                if fields["LINKID_DataType"] not in {"Number", "Text"}:
                    yield f"{name}: there is no data of type {fields['LINKID_DataType']}."
                if fields.get("INPID_InputControl", "SliderControl") not in CONTROLS:
                    yield f"{name}: there is no {fields['INPID_InputControl']}."
                if "BTNCS_Execute" in fields and not compiles(fields["BTNCS_Execute"]):
                    yield f"{name}: its script is no Lua."


def _plain(value: Any) -> Any:
    """Lua's tables as dicts."""
    if luajit21.lua_type(value) == "table":
        return {name: _plain(item) for name, item in value.items()}
    return value
