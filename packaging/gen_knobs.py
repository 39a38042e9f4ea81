"""Generate the hosts' list of knobs from the wire's declaration: ``python packaging/gen_knobs.py [--check]``.

Hosts have no protobuf, so the nodes read ``plugin/core/knobs.json``. ``--check`` writes nothing and exits with 1 where
the committed file is not what the .proto files say.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from host_bridge.knobs import DEFAULT_LAYERS, Choice, knob_specs, layer_names

TARGET = Path(__file__).resolve().parent.parent / "plugin" / "core" / "knobs.json"


def declaration() -> str:
    """The file's text."""
    knobs = [{**asdict(spec), "choices": [_choice(choice) for choice in spec.choices]} for spec in knob_specs()]
    content = {"knobs": knobs, "layers": layer_names(), "default_layers": DEFAULT_LAYERS}
    return json.dumps(content, indent=1, ensure_ascii=True) + "\n"


def _choice(choice: Choice) -> dict[str, str]:
    return {"name": choice.name, "label": choice.label}


def main() -> None:
    """Generate or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args().check
    fresh = declaration()
    committed = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
    if check and fresh != committed:
        sys.exit(f"Stale {TARGET.name}. Run: python packaging/gen_knobs.py")
    if fresh != committed:
        TARGET.write_text(fresh, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
