"""PlateKey in Blender's compositor: 4.5 LTS and 5.0.

    graph, footage, fingerprint -> plan -> export, take -> session -> rendering, operators -> asking
    -> inspection, adaptation -> panel

`compositor` holds what differs between the two Blenders, `group` is the node itself, `board` what the panel shows.
"""

from __future__ import annotations

import bpy

from . import adaptation, inspection, operators, panel, rendering, settings

_CLASSES = [*operators.CLASSES, *inspection.CLASSES, *adaptation.CLASSES, *panel.CLASSES]


def register() -> None:
    """Add the node, its panel and its part in renders to Blender."""
    settings.register()
    for each in _CLASSES:
        bpy.utils.register_class(each)
    panel.register()
    rendering.register()


def unregister() -> None:
    """Take everything away again; nodes in files go on reading their results."""
    rendering.unregister()
    panel.unregister()
    for each in reversed(_CLASSES):
        bpy.utils.unregister_class(each)
    settings.unregister()
