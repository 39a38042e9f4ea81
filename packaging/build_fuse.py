"""Assemble the Fuse and its script from their sections: ``python packaging/build_fuse.py [--check]``.

Fusion wants each to be one file; a person wants to read them in rooms. ``--check`` writes nothing and exits with 1
where ``PlateKey.fuse`` or ``PlateKey_Ask.lua`` is not what the sections and the knobs' declaration say.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import host_bridge
from host_bridge.knobs import DEFAULT_LAYERS, KnobSpec, knob_specs
from plugin.fusion.macro import knob_id

FUSION = Path(__file__).resolve().parent.parent / "plugin" / "fusion"
ROOMS = (FUSION / "fuse", FUSION / "script")

MODULES = ("refusal", "json")
"""Sections that return a table; the rest of the file knows it by the section's name."""
SYSTEMS = ("posix", "windows")
"""The same, but only one of them may run."""
UPON_SYSTEM = ("system", "side_car", "exchange", "options")
"""Modules that stand upon those, of the Fuse and of the script alike."""
FUSE_MODULES = ("picture", "exrio")
"""The Fuse's own, for Fusion's pictures."""
EVENTS = ("controls", "shot", "process")
"""Sections that define what Fusion calls."""
SCRIPT_MODULES = ("footage", "answer")
"""The script's own."""

HEADER = """\
--[[ PlateKey {version}: {purpose}.

Licence: Apache-2.0. Documentation: docs/fusion.md.
Assembled by packaging/build_fuse.py from plugin/fusion/fuse and script, and the knobs' declaration; edit those.
--]]
"""


def assembled() -> dict[str, str]:
    """Text by name of the file."""
    return {"PlateKey.fuse": _fuse(), "PlateKey_Ask.lua": _script()}


def _fuse() -> str:
    version = host_bridge.__version__
    return _joined(
        _header("keys a subject with a clean plate instead of a green screen"),
        f"local VERSION = {_version_number(version)} -- {version}",
        _section("registration", "{}"),
        *_common(),
        *map(_module, FUSE_MODULES),
        *(_section(name, "{}") for name in EVENTS),
    )


def _script() -> str:
    purpose = "what the Fuse's buttons ask about the whole shot; Fusion runs it from Scripts/Comp"
    return _joined(_header(purpose), *_common(), *map(_module, SCRIPT_MODULES), _section("ask", "{}"))


def _common() -> list[str]:
    return [
        _declared(),
        'local ffi = ffi or select(2, pcall(require, "ffi")) -- a global in Fusion; a text where there is none',
        *map(_module, MODULES),
        *(_section(name, f"local function {name}()\n{{}}end\n") for name in SYSTEMS),
        *map(_module, UPON_SYSTEM),
    ]


def _header(purpose: str) -> str:
    return HEADER.format(version=host_bridge.__version__, purpose=purpose)


def _joined(*sections: str) -> str:
    return "\n".join(section.rstrip("\n") + "\n" for section in sections)


def _module(name: str) -> str:
    return _section(name, f"local {name} = (function()\n{{}}end)()\n")


def _section(name: str, wrapped: str) -> str:
    title = f"-- ---- {name} ".ljust(118, "-")
    (path,) = (room / f"{name}.lua" for room in ROOMS if (room / f"{name}.lua").exists())
    return f"{title}\n\n" + wrapped.replace("{}", path.read_text(encoding="utf-8"))


def _declared() -> str:
    knobs = "".join(f"  {_knob(spec)},\n" for spec in knob_specs())
    layers = ", ".join(json.dumps(name) for name in DEFAULT_LAYERS)
    title = "-- ---- knobs, from host_bridge/wire/v1/matte.proto ".ljust(118, "-")
    return f"{title}\n\nlocal KNOBS = {{\n{knobs}}}\n\nlocal DEFAULT_LAYERS = {{{layers}}}\n"


def _knob(spec: KnobSpec) -> str:
    fields: dict[str, object] = {
        "id": knob_id(spec.name),
        "name": spec.name,
        "label": spec.label,
        "unit": spec.unit,
        "kind": spec.kind,
        "initial": spec.initial,
    }
    if spec.low < spec.high:
        fields |= {"low": spec.low, "high": spec.high}
    if spec.merge_only:
        fields["merge_only"] = True
    plain = ", ".join(f"{name} = {json.dumps(value)}" for name, value in fields.items())
    choices = ", ".join(f"{{name = {json.dumps(it.name)}, label = {json.dumps(it.label)}}}" for it in spec.choices)
    listed = f",\n    choices = {{{choices}}}" if choices else ""
    return f"{{{plain},\n    help = {json.dumps(spec.help)}{listed}}}"


def _version_number(version: str) -> int:
    """``0.1.0`` as the whole number that Fusion wants: 100."""
    major, minor, patch = (int(part) for part in version.split("."))
    return major * 10_000 + minor * 100 + patch


def main() -> None:
    """Assemble or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args().check
    for name, fresh in assembled().items():
        target = FUSION / name
        committed = target.read_text(encoding="utf-8") if target.exists() else ""
        if check and fresh != committed:
            sys.exit(f"Stale {name}. Run: python packaging/build_fuse.py")
        if fresh != committed:
            target.write_text(fresh, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
