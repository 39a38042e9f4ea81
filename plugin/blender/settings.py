"""What the artist sets in a PlateKey node: its knobs, from the one declaration of them, and where results lie.

They are kept in the node's own group. Nothing here can be animated: a run has one set of knobs.
"""

from __future__ import annotations

from typing import Any, Dict, List

import bpy

from ..core.knobs import KNOBS, LAYERS, Knob
from . import board

_LAYER_LABELS = {"fg": "Foreground Colour", "cleanplate": "Clean Plate"}

ALWAYS = "shadow"
"""Every result has this layer: what merges needs it, and an EXR of one layer is another kind of image to Blender."""


def layer_label(layer: str) -> str:
    """A layer as the artist sees it."""
    return _LAYER_LABELS.get(layer, layer.replace("_", " ").title())


def _knob_property(knob: Knob) -> Any:  # noqa: ANN401 - Blender's deferred property
    told: Dict[str, Any] = {"name": knob.label, "description": knob.help, "default": knob.initial, "options": set()}
    if knob.kind == "choice":
        return bpy.props.EnumProperty(items=[(it.name, it.label, "") for it in knob.choices], **told)
    if knob.kind == "number":
        return bpy.props.FloatProperty(min=knob.low, max=knob.high, **told)
    if knob.kind == "whole":
        return bpy.props.IntProperty(min=int(knob.low), max=int(knob.high), **told)
    return (bpy.props.BoolProperty if knob.kind == "switch" else bpy.props.StringProperty)(**told)


def _properties() -> Dict[str, Any]:
    ours = {
        "identity": bpy.props.StringProperty(options={"HIDDEN"}),
        "clean_frame": bpy.props.IntProperty(
            name="Clean plate frame",
            description="Frame in which the subject is out of view. Not used where a clean plate is connected",
            default=1,
            options=set(),
            update=lambda settings, _context: board.forget_inspection(settings.identity),
        ),
        "folder": bpy.props.StringProperty(
            name="Results",
            description="Folder for the results. // is the folder of this file",
            subtype="DIR_PATH",
            default="//platekey/",
            options={"PATH_SUPPORTS_BLEND_RELATIVE"},  # without it Blender paints the field red
        ),
        "layers": bpy.props.EnumProperty(
            name="Layers",
            description="Layers to make, beside those that are connected. Another layer means another run",
            items=[(name, layer_label(name), "", 1 << bit) for bit, name in enumerate(LAYERS)],
            default={ALWAYS},
            options={"ENUM_FLAG"},
        ),
    }
    knobs = {knob.name: _knob_property(knob) for knob in KNOBS if not knob.merge_only}
    return dict(ours, **knobs)


class _Settings:
    """What Blender's property group and these functions have in common."""

    def knobs(self) -> Dict[str, Any]:
        """Value by knob name, of the knobs that a result depends on."""
        return {knob.name: getattr(self, knob.name) for knob in KNOBS if not knob.merge_only}

    def described(self) -> List[Any]:
        """Everything here that changes the result's pixels, as plain values."""
        return [self.knobs(), self.clean_frame]  # type: ignore[attr-defined]


PlateKeySettings = type(
    "PlateKeySettings",
    (_Settings, bpy.types.PropertyGroup),
    {"__annotations__": _properties(), "__doc__": "Settings of a PlateKey node; empty `identity` in any other group."},
)


def register() -> None:
    """Give every node group the settings."""
    bpy.utils.register_class(PlateKeySettings)
    bpy.types.NodeTree.platekey = bpy.props.PointerProperty(type=PlateKeySettings)


def unregister() -> None:
    """Take them away; what is stored in files stays there."""
    del bpy.types.NodeTree.platekey
    bpy.utils.unregister_class(PlateKeySettings)
