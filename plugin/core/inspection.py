"""Asking the side-car whether a clean plate can work, and its answer as lines for the node.

steps = inspect(link, options, numbers)
for state in steps: ...
block = inspection_text(found)
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Generator, Iterable, List, Mapping

from .asking import ask
from .errors import LinkError
from .frames import compact
from .link import LinkClient
from .summary import Progress

MEASURED = 5
"""Frames that are measured, as the side-car does unless told otherwise."""

_RENDER_ONLY = ("output", "layers", "garbage", "core", "hint", "matte_part", "overwrite", "frame_range", "clip_range")
"""Options of a run that an inspection does not take, or that are stated anew for it."""

_CONCLUSIONS = {
    "good": "This plate works.",
    "watch": "This plate can work; look at what is said here.",
    "bad": "This plate will not give a clean matte as it is.",
}


def inspect(
    link: LinkClient,
    options: Mapping[str, Any],
    frames: Iterable[int],
    patience: float = 0.1,
    cancelled: Callable[[], bool] = lambda: False,
) -> Generator[Progress, None, Dict[str, Any]]:
    """Inspect, step by step.

    Args:
        link: a connection that does nothing else meanwhile.
        options: of a run; what only a render needs is left out.
        frames: numbers of the frames meant.
        patience: seconds that a step may wait; 0 where it must not.
        cancelled: asked at each step; true ends it.

    Returns:
        The side-car's answer: ``verdict``, ``lines``, ``findings``, ``frames`` and ``missing``.

    Raises:
        LinkError: it cannot be done, or was cancelled.
    """
    kept = {name: value for name, value in options.items() if name not in _RENDER_ONLY}
    over = LinkError("CANCELLED", "The inspection was cancelled.", "Inspect again when it suits.")
    params = dict(kept, frame_range=compact(frames))
    return (yield from ask(link, "inspect", params, over, patience, cancelled))


def inspection_text(found: Mapping[str, Any]) -> str:
    """The answer as the node's block: what is not good, each with its tip under it, and the word on the whole."""
    lines: List[str] = []
    if found.get("missing"):
        lines.append(_line("Watch", "missing on disk: {}".format(found["missing"])))
    good = [line["name"] for line in found["lines"] if line["verdict"] == "good"]
    for line in found["lines"]:
        if line["verdict"] != "good":
            lines.append(_line(line["verdict"], "{}: {}.".format(line["name"], line["figure"])))
            lines.extend(_tip(line))
    for finding in found["findings"]:
        lines.append(_line(finding["verdict"], finding["text"]))
        lines.extend(_tip(finding))
    if good:
        lines.append(_line("Good", ", ".join(good)))
    lines.append(_line("Plate", _CONCLUSIONS.get(found["verdict"], found["verdict"])))
    return "\n".join(lines)


def _line(name: str, value: str) -> str:
    return "{:<12}{}".format(name.capitalize(), value)


def _tip(told: Mapping[str, Any]) -> List[str]:
    return [_line("Do", told["tip"])] if told.get("tip") else []
