"""The node's panel in the compositor's sidebar: buttons, status, knobs. And the entry in the Add menu."""

from __future__ import annotations

import textwrap
from typing import ClassVar

import bpy

from ..core.knobs import KNOBS
from . import adaptation, asking, board, inspection, operators

_LETTER, _FEWEST_LETTERS = 11.5, 16
"""Width of the panel for each letter of a fact, its name beside it counted in, pixels; and the shortest line."""


class _InCompositor(bpy.types.Panel):
    """A panel beside the compositing tree."""

    bl_space_type = "NODE_EDITOR"
    bl_region_type = "UI"
    bl_category = "PlateKey"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether this is a compositing tree."""
        return getattr(context.space_data, "tree_type", "") == "CompositorNodeTree"


class NodePanel(_InCompositor):
    """What one does with the node, and how it fares."""

    bl_idname = "PLATEKEY_PT_node"
    bl_label = "PlateKey"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw it; asks nobody."""
        layout, node = self.layout, operators.selected(context)
        if node is None:
            layout.operator(operators.AddNode.bl_idname, icon="ADD", text="Add PlateKey")
            return
        settings = node.node_tree.platekey
        row = layout.row(align=True)
        row.enabled = not node.inputs["Clean Plate"].is_linked
        row.prop(settings, "clean_frame")
        row.operator(operators.UseCurrentFrame.bl_idname, text="", icon="EYEDROPPER")
        self._buttons(settings.identity)
        letters = int(context.region.width / context.preferences.system.ui_scale / _LETTER)
        self._status(settings.identity, max(letters, _FEWEST_LETTERS))
        layout.prop(settings, "folder")

    def _buttons(self, identity: str) -> None:
        if operators.is_running(identity):
            progress = board.entry(identity).progress
            if progress is not None:
                self.layout.progress(factor=progress.share, text=progress.text)
            self.layout.operator(operators.Cancel.bl_idname, icon="CANCEL")
            return
        row = self.layout.row(align=True)
        row.operator(operators.Process.bl_idname, text="Process Frame").whole_range = False
        row.operator(operators.Process.bl_idname, text="Process Range").whole_range = True
        progress = board.entry(identity).progress
        if asking.is_running(identity) and progress is not None:
            self.layout.progress(factor=progress.share, text=progress.text)
        else:
            row = self.layout.row(align=True)
            row.operator(inspection.Inspect.bl_idname, icon="VIEWZOOM", text="Inspect Plate")
            row.operator(adaptation.Adapt.bl_idname, icon="MODIFIER", text="Adapt to This Shot")

    def _status(self, identity: str, letters: int) -> None:
        """The status block, in lines of so many letters."""
        box = self.layout.box()
        column = box.column(align=True)
        column.alert = board.entry(identity).error is not None
        for line in board.lines(identity):
            name, _, value = line.partition("  ")
            for text in textwrap.wrap(value.strip(), letters):
                row = column.split(factor=0.3)
                row.label(text=name)
                row.label(text=text)
                name = ""
        box.operator(operators.AskStatus.bl_idname, icon="FILE_REFRESH")


class _Sub(_InCompositor):
    """A part of the panel that can be folded away."""

    bl_parent_id = "PLATEKEY_PT_node"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a node."""
        return super().poll(context) and operators.selected(context) is not None

    @staticmethod
    def settings(context: bpy.types.Context) -> bpy.types.PropertyGroup:
        """The node's settings."""
        return operators.selected(context).node_tree.platekey  # type: ignore[union-attr]


class KnobsPanel(_Sub):
    """The knobs, in the order of their declaration."""

    bl_idname = "PLATEKEY_PT_knobs"
    bl_label = "Knobs"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw every knob that a result depends on; what acts at the merge is a socket of the node."""
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        for knob in KNOBS:
            if not knob.merge_only:
                self.layout.prop(self.settings(context), knob.name)


class LayersPanel(_Sub):
    """The layers that are made."""

    bl_idname = "PLATEKEY_PT_layers"
    bl_label = "Layers"
    bl_options: ClassVar = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw a switch for each."""
        column = self.layout.column(align=True)
        column.prop(self.settings(context), "layers")


CLASSES = [NodePanel, KnobsPanel, LayersPanel]


def add_menu(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    """The entry in the node editor's Add menu."""
    if _InCompositor.poll(context):
        menu.layout.separator()
        menu.layout.operator(operators.AddNode.bl_idname, icon="NODE_COMPOSITING")


def register() -> None:
    """Add the entry."""
    bpy.types.NODE_MT_add.append(add_menu)


def unregister() -> None:
    """Remove it."""
    bpy.types.NODE_MT_add.remove(add_menu)
