"""The stand-in as a program: ``-t script.py ...``, and ``[-F 1001-1003] -x script.nk`` or ``-X Write1 script.nk``.

As Nuke does, it runs ``~/.nuke/init.py`` first, and takes a frame range at the end of a ``-t`` line for its own. The
plugin is there only if that ``init.py`` brings it.
"""

from __future__ import annotations

import argparse
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
    if arguments[0] == "-t":
        _, script, *rest = arguments
        sys.argv = [script, *(rest[:-1] if rest and re.fullmatch(r"[\d,-]+(x\d+)?", rest[-1]) else rest)]
        runpy.run_path(script, run_name="__main__")
    else:
        parser = argparse.ArgumentParser(prog="nuke")
        parser.add_argument("-F", dest="frames", default="")
        parser.add_argument("-X", dest="node", default="")
        parser.add_argument("-x", action="store_true")
        parser.add_argument("script")
        wish = parser.parse_args(arguments)
        _render(running, wish.script, wish.frames, wish.node)


def _render(running, script, wanted, only):
    """Every enabled Write of the script, also inside groups: it is not known that Nuke leaves those alone."""
    running.open(script)
    root = running.root_node
    first, _, last = wanted.partition("-")
    frames = (int(first), int(last or first)) if wanted else (root["first_frame"].value(), root["last_frame"].value())
    for node in _writes(root):
        if only in ("", node.name()):
            running.execute(node, *frames)


def _writes(group):
    for node in group.children:
        if node.Class() == "Write" and not node.disabled():
            yield node
        yield from _writes(node) if node.Class() == "Group" else ()


if __name__ == "__main__":
    main(sys.argv[1:])
