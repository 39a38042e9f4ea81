"""``platekey-nuke``: process and render a script without windows, on a farm or at a prompt.

    nuke -t platekey_nuke.py --script shot.nk --frames 1001-1100 [--write Write1] [--node PlateKey1] [--save]

First every PlateKey that flows into the Write is processed, each after those that flow into it; then the Write is
rendered. Without ``--write`` the script's PlateKeys are processed and nothing is rendered.
"""

from __future__ import annotations

import argparse
import re
from itertools import chain
from typing import Dict, List, Optional, Sequence

import nuke

from ..core.errors import LinkError
from .monitor import Lines
from .node import KeyNode, all_key_nodes, key_nodes_above
from .process import process

OK, FRAMES_FAILED, BAD_INPUT, NO_ENGINE, NO_OUTPUT, NO_ACCESS, INTERNAL, CANCELLED = 0, 1, 2, 3, 4, 5, 6, 130
"""Exit codes, those of the command ``platekey``."""

_CODES: Dict[int, str] = {
    FRAMES_FAILED: "REGISTRATION_FAILED VALUE_OUT_OF_RANGE",
    BAD_INPUT: "BAD_REQUEST IMAGE_UNREADABLE CHANNELS_MISSING PART_UNSUPPORTED SIZE_MISMATCH COLOR_UNKNOWN "
    "COLOR_NOT_LINEAR MODEL_UNKNOWN BLOB_MISMATCH FILE_MISSING LIMIT_EXCEEDED UNSUPPORTED",
    NO_ENGINE: "BLOB_MISSING OUT_OF_MEMORY ENGINE_STOPPING DEVICE_UNAVAILABLE ENGINE_UNAVAILABLE ENGINE_LOST "
    "VERSION_MISMATCH",
    NO_OUTPUT: "OUTPUT_NOT_WRITABLE OUTPUT_EXISTS",
    NO_ACCESS: "PATH_NOT_ALLOWED TOKEN_WRONG",
    CANCELLED: "CANCELLED",
}
_CODE_OF = {reason: code for code, reasons in _CODES.items() for reason in reasons.split()}


def main(arguments: Sequence[str]) -> int:
    """Run the command.

    Args:
        arguments: without the script's own name. Nuke keeps a frame range at the end of ``sys.argv`` to itself, so they
            come from ``nuke.rawArgs``.

    Returns:
        The exit code.
    """
    try:
        wish = _parsed(arguments)
        _work(wish)
    except LinkError as error:
        nuke.tprint("PlateKey: {} {}".format(error.message, error.next_step))
        return exit_code(error)
    except RuntimeError as error:
        nuke.tprint("PlateKey: Nuke stopped the render: {}".format(error))
        return FRAMES_FAILED
    return OK


def exit_code(error: LinkError) -> int:
    """Exit code of a process that an error ends."""
    return _CODE_OF.get(error.reason, INTERNAL)


def arguments_of(raw: Sequence[str]) -> List[str]:
    """What follows this script's name among Nuke's own arguments."""
    for index, word in enumerate(raw):
        if word.endswith(".py"):
            return list(raw[index + 1 :])
    return list(raw[1:])


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="platekey-nuke", description="Process and render a script's PlateKeys.")
    parser.add_argument("--script", required=True, help="the Nuke script")
    parser.add_argument("--frames", default="", help="1001-1100 or 1001-1100x2; each node's own range where left out")
    parser.add_argument("--node", action="append", default=[], help="a PlateKey to process; all where left out")
    parser.add_argument("--write", default="", help="a Write to render afterwards")
    parser.add_argument("--save", action="store_true", help="save the script, pointed at the results")
    return parser.parse_args(list(arguments))


def _work(wish: argparse.Namespace) -> None:
    _open(wish.script)
    ranges = _ranges(wish.frames)
    write = _node(wish.write) if wish.write else None
    for key in _chosen(wish.node, write):
        outcome = process(key, chain.from_iterable(ranges or [key.wanted()]), Lines(key.name))
        nuke.tprint("{}: {}".format(key.name, outcome.sentence()))
        outcome.summary.require_complete()
    if wish.save:
        nuke.scriptSave(wish.script)
    if write is not None:
        for part in ranges or [_script_range()]:
            nuke.execute(write, part[0], part[-1], part.step)


def _open(script: str) -> None:
    try:
        nuke.scriptOpen(script)
    except RuntimeError as error:
        message = "The script {} cannot be opened: {}.".format(script, str(error).rstrip("."))
        raise LinkError("BAD_REQUEST", message, "Check --script.") from error


def _chosen(names: List[str], write: Optional[nuke.Node]) -> List[KeyNode]:
    """The nodes to process, each after those that flow into it.

    Raises:
        LinkError: a name is no PlateKey's, or there is none at all.
    """
    keys = all_key_nodes()
    if write is not None:
        used = {key.name for key in key_nodes_above(write)}
        keys = [key for key in keys if key.name in used]
    unknown = sorted(set(names) - {key.name for key in keys})
    if unknown or not keys:
        raise LinkError(
            "BAD_REQUEST",
            "There is no PlateKey {}here.".format("named {} ".format(", ".join(unknown)) if unknown else ""),
            "The script has {}.".format(", ".join(key.name for key in all_key_nodes()) or "none"),
        )
    return [key for key in keys if key.name in names] if names else keys


def _node(name: str) -> nuke.Node:
    found = nuke.toNode(name)
    if found is None:
        raise LinkError("BAD_REQUEST", "The script has no node named {}.".format(name), "Check the name.")
    return found


def _script_range() -> range:
    root = nuke.root()
    return range(int(root["first_frame"].value()), int(root["last_frame"].value()) + 1)


def _ranges(text: str) -> List[range]:
    """The parts of ``1001-1010,1020-1030x2``, none of them empty.

    Raises:
        LinkError: it is no range.
    """
    found: List[range] = []
    for part in filter(None, text.split(",")):
        match = re.match(r"(\d+)(?:-(\d+)(?:x(\d+))?)?$", part.strip())
        frames = range(0)
        if match:
            first, last, step = match.groups()
            frames = range(int(first), int(last or first) + 1, int(step or 1) or 1)
        if not frames:
            raise LinkError("BAD_REQUEST", "'{}' is no range of frames.".format(text), "Write it like 1001-1100x2.")
        found.append(frames)
    return found
