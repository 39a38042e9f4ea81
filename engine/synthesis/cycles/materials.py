"""Surfaces as Cycles materials. Runs inside Blender's own Python (`bpy`)."""

from __future__ import annotations

from typing import TypeAlias

import bpy

from engine.synthesis.cycles.part import Surface

Socket: TypeAlias = bpy.types.NodeSocket

ALBEDO = "albedo"
"""Name of the output (AOV) that carries a surface's own colour, without light, times its coverage."""


class Palette:
    """The materials of one scene, one for each surface.

    Every material ends in a switch between its look and plain white light. With all switches at white, a render's
    colour is its alpha without Monte Carlo noise from light, and adaptive sampling looks for noise in alpha alone.
    """

    def __init__(self) -> None:
        self._made: dict[Surface, bpy.types.Material] = {}

    def material(self, surface: Surface) -> bpy.types.Material:
        """The material of a surface."""
        if surface not in self._made:
            self._made[surface] = _material(surface)
        return self._made[surface]

    def show_alpha(self, alpha: bool) -> None:
        """Switch between white light (True) and the surfaces' look."""
        for material in self._made.values():
            material.node_tree.nodes["switch"].inputs["Fac"].default_value = float(alpha)


class _Sheet:
    """A node tree while it is drawn."""

    def __init__(self, tree: bpy.types.NodeTree) -> None:
        self.tree = tree

    def node(self, kind: str, inputs: dict[str | int, object] | None = None, **settings: object) -> bpy.types.Node:
        """Add a node; inputs are sockets to link or values."""
        node = self.tree.nodes.new(f"ShaderNode{kind}")
        for setting, choice in settings.items():
            setattr(node, setting, choice)
        for name, value in (inputs or {}).items():
            if isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, node.inputs[name])
            else:
                node.inputs[name].default_value = value
        return node

    def maths(self, operation: str, *values: object) -> Socket:
        """One operation on sockets or numbers."""
        return self.node("Math", dict(enumerate(values)), operation=operation).outputs[0]

    def mix(self, share: object, first: Socket, second: Socket) -> Socket:
        """Two shaders, mixed."""
        return self.node("MixShader", {0: share, 1: first, 2: second}).outputs[0]


def _material(surface: Surface) -> bpy.types.Material:
    material = bpy.data.materials.new("surface")
    material.use_nodes = True
    material.node_tree.nodes.clear()
    sheet = _Sheet(material.node_tree)
    tone = _tone(sheet, surface)
    look = _strand(sheet, surface, tone) if surface.hair else _cloth(sheet, surface, tone)
    white = sheet.node("Emission", {"Color": (1, 1, 1, 1), "Strength": 1.0}).outputs[0]
    switch = sheet.node("MixShader", {1: look, 2: white, "Fac": 0.0}, name="switch").outputs[0]
    there = _there(sheet, surface)
    albedo = (
        tone if there is None else sheet.node("VectorMath", {0: tone, "Scale": there}, operation="SCALE").outputs[0]
    )
    sheet.node("OutputAOV", {"Color": albedo}, aov_name=ALBEDO)
    if there is not None:
        switch = sheet.mix(there, sheet.node("BsdfTransparent").outputs[0], switch)
    sheet.node("OutputMaterial", {"Surface": switch})
    material.cycles.emission_sampling = "NONE"
    return material


def _tone(sheet: _Sheet, surface: Surface) -> Socket:
    """The surface's colour."""
    if surface.hair:
        share: Socket | None = sheet.node("HairInfo").outputs["Random"]
    else:
        share = _pattern(sheet, surface, _where(sheet))
    return _blend(sheet, share, surface)


def _strand(sheet: _Sheet, surface: Surface, tone: Socket) -> Socket:
    """Half matte, half a strand's highlight: cheaper than the principled hair shader."""
    matte = sheet.node("BsdfDiffuse", {"Color": tone}).outputs[0]
    shine = sheet.node("BsdfHair", {"Color": tone, "RoughnessU": surface.roughness, "RoughnessV": surface.roughness})
    return sheet.mix(0.45, matte, shine.outputs[0])


def _cloth(sheet: _Sheet, surface: Surface, tone: Socket) -> Socket:
    matte = sheet.node("BsdfDiffuse", {"Color": tone}).outputs[0]
    shine = sheet.node(
        "BsdfGlossy", {"Color": tone if surface.metallic else (1, 1, 1, 1), "Roughness": surface.roughness}
    )
    if surface.metallic:
        return shine.outputs[0]
    # Reflection of a dielectric of index 1.5, seen from the front.
    return sheet.mix(0.04, matte, shine.outputs[0])


def _blend(sheet: _Sheet, share: Socket | None, surface: Surface) -> Socket:
    colours = {"A": (*surface.colour, 1), "B": (*surface.second, 1)}
    mixed = sheet.node("Mix", data_type="RGBA")
    mixed.inputs[6].default_value, mixed.inputs[7].default_value = colours["A"], colours["B"]
    if share is None:
        mixed.inputs[0].default_value = 0
    else:
        sheet.tree.links.new(share, mixed.inputs[0])
    return mixed.outputs[2]


def _where(sheet: _Sheet) -> Socket:
    return sheet.node("Attribute", attribute_name="rest", attribute_type="GEOMETRY").outputs["Vector"]


def _pattern(sheet: _Sheet, surface: Surface, where: Socket) -> Socket | None:
    """Share of the second colour, 0..1."""
    if surface.pattern == "plain":
        return None
    scale: dict[str | int, object] = {"Vector": where, "Scale": surface.scale}
    if surface.pattern in ("mottled", "print"):
        noise = sheet.node("TexNoise", scale | {"Detail": 3.0}).outputs["Fac"]
        return noise if surface.pattern == "mottled" else sheet.maths("GREATER_THAN", noise, 0.53)
    if surface.pattern == "stripes":
        return sheet.node("TexWave", scale | {"Distortion": 0.6}, bands_direction="Z").outputs["Fac"]
    if surface.pattern == "checks":
        return sheet.node("TexChecker", scale).outputs["Fac"]
    cells = sheet.node("TexVoronoi", scale)
    if surface.pattern == "dots":
        return sheet.maths("LESS_THAN", cells.outputs["Distance"], 0.3)
    return sheet.node("SeparateColor", {0: cells.outputs["Color"]}).outputs[0]


def _there(sheet: _Sheet, surface: Surface) -> Socket | float | None:
    """Where the sheet is, 0..1; None where it has neither hole nor see-through."""
    share: Socket | float | None = None if surface.opacity == 1 else surface.opacity
    if surface.holes != "none":
        share = sheet.maths("MULTIPLY", _threads(sheet, surface), surface.opacity)
    if surface.soft:
        share = sheet.maths("MULTIPLY", _puff(sheet), surface.opacity)
    return share


def _threads(sheet: _Sheet, surface: Surface) -> Socket:
    """1 on a thread, 0 in a hole."""
    scale: dict[str | int, object] = {"Vector": _where(sheet), "Scale": surface.hole_scale}
    if surface.holes == "lace":
        edge = sheet.node("TexVoronoi", scale, feature="DISTANCE_TO_EDGE").outputs["Distance"]
        coarse = sheet.node("TexNoise", scale | {"Scale": surface.hole_scale / 6}).outputs["Fac"]
        return sheet.maths("MAXIMUM", sheet.maths("LESS_THAN", edge, 0.12), sheet.maths("GREATER_THAN", coarse, 0.56))
    if surface.holes == "tatters":
        return sheet.maths("GREATER_THAN", sheet.node("TexNoise", scale | {"Detail": 5.0}).outputs["Fac"], 0.45)
    width = 0.8 if surface.holes == "net" else 0.45
    axes = ("DIAGONAL", "Z") if surface.holes == "net" else ("X", "Z")
    waves = [sheet.node("TexWave", scale | {"Distortion": 1.0}, bands_direction=axis).outputs["Fac"] for axis in axes]
    return sheet.maths("GREATER_THAN", sheet.maths("MAXIMUM", *waves), width)


def _puff(sheet: _Sheet) -> Socket:
    """Falls off from a card's middle, eaten by noise; the card's rest shape is the square -1..1 in x and y."""
    where = _where(sheet)
    flat = sheet.node("VectorMath", {0: where, 1: (1, 1, 0)}, operation="MULTIPLY").outputs[0]
    reach = sheet.node("VectorMath", {0: flat}, operation="LENGTH").outputs["Value"]
    noise = sheet.node("TexNoise", {"Vector": where, "Scale": 1.6, "Detail": 4.0}).outputs["Fac"]
    body = sheet.maths("SUBTRACT", sheet.maths("MULTIPLY", noise, 2.0), reach)
    return sheet.node("Clamp", {0: sheet.maths("MULTIPLY", body, 0.9)}).outputs[0]
