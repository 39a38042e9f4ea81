"""The macro in a comp: its tools and controls, through Fusion's scripting interface.

Calls and attributes are those of the Fusion 8 Scripting Guide: ``GetToolList``, ``ParentTool``, ``GetInput``,
``SetInput``, ``SetAttrs``, ``GetAttrs``, ``Render``.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from ..core.errors import LinkError
from ..core.knobs import KNOBS, Knob

FRAME, PLATE, KEYED = "PlateKeyFrame", "PlateKeyPlate", "PlateKeyKeyed"
"""Names of the macro's two Savers, and how those of its Loaders begin; a copy's bear a suffix."""

NOT_CHOSEN = -99999
"""The clean plate's frame where the artist has chosen none."""


def knob_id(name: str) -> str:
    """Name of a knob's control: ``edge_shift`` is ``EdgeShift``, in the Fuse as in the macro."""
    return "".join(word.capitalize() for word in name.split("_"))


class Macro:
    """One PlateKey macro.

    Args:
        comp: the comp.
        frame: its Saver for the footage, which bears its controls.
    """

    def __init__(self, comp: Any, frame: Any) -> None:  # noqa: ANN401 - Fusion's objects have no types
        self.comp = comp
        self._frame = frame
        self._plate = self._sibling("Saver", PLATE)[0]
        self._loaders = self._sibling("Loader", KEYED)
        self.name = frame.ParentTool.Name

    def value(self, control: str) -> Any:  # noqa: ANN401 - a number or a text
        """A control's value."""
        return self._frame.GetInput(control)

    def tell(self, words: str) -> None:
        """Show a text in the macro."""
        self._frame.SetInput("Status", words)

    def wants_to_cancel(self) -> bool:
        """Whether the artist has pressed Cancel; asking forgets it."""
        pressed = bool(self.value("CancelWanted"))
        if pressed:
            self._frame.SetInput("CancelWanted", 0)
        return pressed

    def has_plate(self) -> bool:
        """Whether a clean plate is connected."""
        return self._plate.Input.GetConnectedOutput() is not None

    def has_frame(self) -> bool:
        """Whether footage is connected."""
        return self._frame.Input.GetConnectedOutput() is not None

    def knobs(self) -> Dict[str, Any]:
        """Value by knob name, of all that a result depends on."""
        return {knob.name: self._knob(knob) for knob in KNOBS if not knob.merge_only}

    def export_frame(self, pattern: str, frame: int) -> None:
        """Render the footage of one frame into the files of a pattern.

        Raises:
            LinkError: Fusion did not render it.
        """
        self._export(self._frame, pattern, frame)

    def export_plate(self, pattern: str, frame: int) -> None:
        """Render the connected clean plate of one frame, as `export_frame`."""
        self._export(self._plate, pattern, frame)

    def show(self, first_file: str) -> None:
        """Point the Loaders at the results, and have them look at the files anew."""
        for loader in self._loaders:
            loader.SetInput("Clip", first_file)
            loader.SetAttrs({"TOOLB_PassThrough": True})
            loader.SetAttrs({"TOOLB_PassThrough": False})

    def _knob(self, knob: Knob) -> Any:  # noqa: ANN401 - as the knob's kind says
        found = self.value(knob_id(knob.name))
        if knob.kind == "choice":
            return knob.choices[int(found)].name
        return {"text": str, "switch": bool, "whole": int, "number": float}[knob.kind](found)

    def _export(self, saver: Any, pattern: str, frame: int) -> None:  # noqa: ANN401 - a tool
        """A Saver of ours rests bypassed, so that no other render writes its files."""
        saver.SetInput("Clip", pattern)
        saver.SetAttrs({"TOOLB_PassThrough": False})
        try:
            done = self.comp.Render({"Tool": saver, "Start": frame, "End": frame, "Wait": True, "HiQ": True})
        finally:
            saver.SetAttrs({"TOOLB_PassThrough": True})
        if not done:
            raise LinkError(
                "CANCELLED",
                "{}: Fusion did not render frame {}.".format(self.name, frame),
                "Look at the Console; press 'Process range' to go on, finished frames stay.",
            )

    def _sibling(self, kind: str, begins: str) -> List[Any]:
        """Tools of the same macro, by name."""
        parent = self._frame.ParentTool.Name
        tools = self.comp.GetToolList(False, kind).values()
        mine = [tool for tool in tools if tool.ParentTool is not None and tool.ParentTool.Name == parent]
        return sorted((tool for tool in mine if tool.Name.startswith(begins)), key=lambda tool: tool.Name)


def find_macro(comp: Any) -> Macro:  # noqa: ANN401 - Fusion's objects have no types
    """The macro that is meant: the active one, else the only one.

    Raises:
        LinkError: there is none, or it is undecided.
    """
    savers = [tool for tool in comp.GetToolList(False, "Saver").values() if tool.Name.startswith(FRAME)]
    found = {saver.ParentTool.Name: saver for saver in savers if saver.ParentTool is not None}
    active: Optional[Any] = comp.ActiveTool
    name = active.Name if active is not None else ""
    if name in found or len(found) == 1:
        return Macro(comp, found.get(name) or next(iter(found.values())))
    listed = ", ".join(sorted(found)) or "none"
    raise LinkError(
        "BAD_REQUEST",
        "Which PlateKey macro is meant? This comp has {}.".format(listed),
        "Add one from Macros > PlateKey, or select the one to process.",
    )
