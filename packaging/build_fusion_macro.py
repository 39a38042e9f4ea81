"""Write Fusion's macro from the knobs' declaration: ``python packaging/build_fusion_macro.py [--check]``.

The macro is the way without the Fuse: two Savers whose files ``PlateKey_Process.py`` has keyed, and Loaders that show
the results. ``--check`` writes nothing and exits with 1 where the committed ``PlateKey.setting`` is stale.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from host_bridge.knobs import KnobSpec, knob_specs
from plugin.fusion.macro import FRAME, KEYED, NOT_CHOSEN, PLATE, knob_id

TARGET = Path(__file__).resolve().parent.parent / "plugin" / "fusion" / "PlateKey.setting"

SCRIPT = "Scripts:Comp/PlateKey_Process.py"
LAYERS = {"Subject": ("", "RGBA"), "Shadow": ("shadow.", "RGBA"), "Residual": ("residual.", "RGBA")}
"""The macro's outputs: of each the layer's channels, and which there are."""

_COLOURS = {"R": "Red", "G": "Green", "B": "Blue", "A": "Alpha"}
_NUMBER = {"LINKID_DataType": "Number"}
_TEXT = {"LINKID_DataType": "Text", "INPID_InputControl": "TextEditControl", "TEC_Lines": 1, "INP_External": False}


def setting() -> str:
    """The macro's text."""
    controls = {**_main_controls(), **{knob_id(spec.name): _knob(spec) for spec in knob_specs() if not spec.merge_only}}
    tools = [_saver(FRAME, controls, 0), _saver(PLATE, {}, 1)]
    tools += [_loader(f"{KEYED}{output}", *LAYERS[output], place) for place, output in enumerate(LAYERS)]
    inputs = [("MainInput1", FRAME, "Input", "Frame"), ("MainInput2", PLATE, "Input", "Clean plate")]
    shown = {name: fields for name, fields in controls.items() if fields.get("IC_Visible", True)}
    inputs += [(name, FRAME, name, str(fields["LINKS_Name"])) for name, fields in shown.items()]
    instances = "".join(_instance("InstanceInput", *parts) for parts in inputs)
    outputs = "".join(
        _instance("InstanceOutput", f"MainOutput{place}", KEYED + name, "Output", name)
        for place, name in enumerate(LAYERS, 1)
    )
    return (
        "{\n\tTools = ordered() {\n\t\tPlateKeyMacro = MacroOperator {\n"
        f"\t\t\tInputs = ordered() {{\n{instances}\t\t\t}},\n"
        f"\t\t\tOutputs = ordered() {{\n{outputs}\t\t\t}},\n"
        "\t\t\tViewInfo = GroupInfo { Pos = { 0, 0 } },\n"
        f"\t\t\tTools = ordered() {{\n{''.join(tools)}\t\t\t}},\n"
        '\t\t},\n\t},\n\tActiveTool = "PlateKeyMacro",\n}\n'
    )


def _main_controls() -> dict[str, dict[str, object]]:
    pressed = "tool:SetInput('CancelWanted', 1)"
    return {
        "Space": {"LINKS_Name": "Working space", **_TEXT},
        "PlateFrame": {
            "LINKS_Name": "Clean plate frame",
            **_NUMBER,
            "INPID_InputControl": "ScrewControl",
            "INP_Integer": True,
            "INP_Default": NOT_CHOSEN,
        },
        "UsePlateFrame": _button("Use current frame", "tool:SetInput('PlateFrame', comp.CurrentTime)"),
        "Folder": {
            "LINKS_Name": "Folder for results",
            "LINKID_DataType": "Text",
            "INPID_InputControl": "FileControl",
            "FC_PathBrowse": True,
        },
        "ProcessRange": _button("Process range", f"comp:RunScript('{SCRIPT}')"),
        "Cancel": _button("Cancel", pressed),
        "CancelWanted": {**_NUMBER, "LINKS_Name": "Cancel wanted", "IC_Visible": False, "INP_Passive": True},
        "Status": {"LINKS_Name": "Status", **_TEXT, "TEC_Lines": 4, "TEC_ReadOnly": True, "INP_Passive": True},
        "Config": {"LINKS_Name": "OCIO configuration", "LINKID_DataType": "Text", "INPID_InputControl": "FileControl"},
    }


def _button(label: str, lua: str) -> dict[str, object]:
    return {"LINKS_Name": label, **_NUMBER, "INPID_InputControl": "ButtonControl", "BTNCS_Execute": lua}


def _knob(spec: KnobSpec) -> dict[str, object]:
    fields: dict[str, object] = {"LINKS_Name": f"{spec.label} ({spec.unit})" if spec.unit else spec.label}
    if spec.kind == "text":
        fields |= {**_TEXT, "INPS_DefaultText": spec.initial}
    elif spec.kind == "choice":
        names = [choice.name for choice in spec.choices]
        fields |= {**_NUMBER, "INPID_InputControl": "ComboControl", "INP_Integer": True}
        fields |= {"INP_Default": names.index(str(spec.initial)), "choices": [it.label for it in spec.choices]}
    elif spec.kind == "switch":
        fields |= {**_NUMBER, "INPID_InputControl": "CheckboxControl", "INP_Default": int(spec.initial)}
    else:
        fields |= {**_NUMBER, "INPID_InputControl": "SliderControl", "INP_Default": spec.initial}
        fields |= {"INP_MinAllowed": spec.low, "INP_MaxAllowed": spec.high}
        fields |= {"INP_MinScale": spec.low, "INP_MaxScale": spec.high, "INP_Integer": spec.kind == "whole"}
    return {**fields, "INPS_StatusText": spec.help}


def _fields(fields: Mapping[str, object]) -> str:
    """A Lua table's inside; the labels of a choice are nameless tables, as Fusion has them."""
    parts = [f"{name} = {json.dumps(value)}" for name, value in fields.items() if name != "choices"]
    labels = fields.get("choices", [])
    parts += [f"{{ CCS_AddString = {json.dumps(label)} }}" for label in labels]  # type: ignore[attr-defined]
    return ", ".join(parts)


def _instance(kind: str, name: str, tool: str, source: str, label: str) -> str:
    return f'\t\t\t\t{name} = {kind} {{ SourceOp = "{tool}", Source = "{source}", Name = "{label}" }},\n'


def _saver(name: str, controls: Mapping[str, Mapping[str, object]], column: int) -> str:
    """A Saver of uncompressed 32 bit float EXR, bypassed at rest so that no other render writes its files."""
    drawn = "".join(f"\t\t\t\t\t\t{control} = {{ {_fields(fields)} }},\n" for control, fields in controls.items())
    user = f"\t\t\t\t\tUserControls = ordered() {{\n{drawn}\t\t\t\t\t}},\n" if drawn else ""
    return (
        f"\t\t\t\t{name} = Saver {{\n\t\t\t\t\tPassThrough = true,\n\t\t\t\t\tInputs = {{\n"
        '\t\t\t\t\t\tClip = Input { Value = Clip { Filename = "", FormatID = "OpenEXRFormat", Saving = true } },\n'
        '\t\t\t\t\t\tOutputFormat = Input { Value = FuID { "OpenEXRFormat" } },\n'
        '\t\t\t\t\t\t["OpenEXRFormat.Depth"] = Input { Value = 2 },\n'
        '\t\t\t\t\t\t["OpenEXRFormat.Compression"] = Input { Value = 0 },\n'
        f"\t\t\t\t\t}},\n\t\t\t\t\tViewInfo = OperatorInfo {{ Pos = {{ {110 * column}, 0 }} }},\n{user}\t\t\t\t}},\n"
    )


def _loader(name: str, layer: str, letters: str, column: int) -> str:
    """A Loader that shows one layer of the results."""
    slots = {f"Clip1.OpenEXRFormat.{_COLOURS[letter]}Name": layer + letter for letter in letters}
    names = "".join(
        f'\t\t\t\t\t\t["{slot}"] = Input {{ Value = FuID {{ "{channel}" }} }},\n' for slot, channel in slots.items()
    )
    return (
        f"\t\t\t\t{name} = Loader {{\n"
        '\t\t\t\t\tClips = { Clip { ID = "Clip1", Filename = "", FormatID = "OpenEXRFormat" } },\n'
        f"\t\t\t\t\tInputs = {{\n{names}\t\t\t\t\t}},\n"
        f"\t\t\t\t\tViewInfo = OperatorInfo {{ Pos = {{ {110 * column}, 66 }} }},\n\t\t\t\t}},\n"
    )


def main() -> None:
    """Write or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args().check
    fresh = setting()
    committed = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
    if check and fresh != committed:
        sys.exit(f"Stale {TARGET.name}. Run: python packaging/build_fusion_macro.py")
    if fresh != committed:
        TARGET.write_text(fresh, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
