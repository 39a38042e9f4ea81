"""The stand-in as a program: ``python -m fake_nuke -t script.py ...`` and ``-x script.nk [-F 1001-1003]``.

As Nuke does, it runs ``~/.nuke/init.py`` first, and takes a frame range at the end of the line for its own. The plugin
is there only if that ``init.py`` brings it.
"""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

from fake_nuke import session


def main(arguments: list[str]) -> None:
    """Run as Nuke would."""
    sys.modules["platekey"] = None  # type: ignore[assignment]
    running = session.start(gui=False)
    running.raw_args = ["nuke", *arguments]
    own_init = Path.home() / ".nuke" / "init.py"
    if own_init.exists():
        running.run_file(own_init)
    mode, script, *rest = arguments
    if mode == "-t":
        sys.argv = [script, *(rest[:-1] if rest and re.fullmatch(r"[\d,-]+(x\d+)?", rest[-1]) else rest)]
        runpy.run_path(script, run_name="__main__")
    else:
        _render(running, script, rest[1] if rest[:1] == ["-F"] else "")


def _render(running, script, wanted):
    """Every enabled Write of the script, also inside groups: it is not known that Nuke leaves those alone."""
    running.open(script)
    root = running.root_node
    first, _, last = wanted.partition("-")
    frames = (int(first), int(last or first)) if wanted else (root["first_frame"].value(), root["last_frame"].value())
    for node in _writes(root):
        running.execute(node, *frames)


def _writes(group):
    for node in group.children:
        if node.Class() == "Write" and not node.disabled():
            yield node
        yield from _writes(node) if node.Class() == "Group" else ()


if __name__ == "__main__":
    main(sys.argv[1:])
