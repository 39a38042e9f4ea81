"""Adapting the model to a node's shot: what the side-car is asked, and what the node is told.

Where it helped, the node's knob Model becomes the answer's ``name``; the next run keys with it.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Generator, Iterable, Mapping

from .asking import ask
from .errors import LinkError
from .facts import ADAPTED
from .frames import compact
from .link import LinkClient
from .summary import Progress

FRAMES = 16
"""Frames that are learned from, as the side-car does."""

_RENDER_ONLY = ("layers", "frame_range", "clip_range")
"""Options of a run that an adaptation does not take, or that are stated anew for it."""

_INITIAL = "platenet"
"""Model that is adapted where the node's own adapted one is chosen: adapting starts from what was shipped."""


def model_name(identity: str) -> str:
    """Name of the model that is adapted to a node's shot; one a node, replaced when it is adapted again."""
    return ADAPTED + identity[:12].lower()


def base_model(chosen: str, identity: str) -> str:
    """The model to adapt, where a node has chosen one."""
    return _INITIAL if chosen == model_name(identity) else chosen


def adapt(
    link: LinkClient,
    options: Mapping[str, Any],
    identity: str,
    output: str,
    frames: Iterable[int],
    patience: float = 0.1,
    cancelled: Callable[[], bool] = lambda: False,
) -> Generator[Progress, None, Dict[str, Any]]:
    """Adapt, step by step; minutes.

    Args:
        link: a connection that does nothing else meanwhile.
        options: of a run.
        identity: of the node.
        output: the model's file, for other machines; replaced.
        frames: numbers of the shot's frames.
        patience: seconds that a step may wait; 0 where it must not.
        cancelled: asked at each step; true ends it. Asked again, it goes on where it was.

    Returns:
        The side-car's answer: ``helped``, ``before``, ``after``, ``name``, ``sentence`` and more.

    Raises:
        LinkError: it cannot be done, or was cancelled.
    """
    kept = {name: value for name, value in options.items() if name not in _RENDER_ONLY}
    chosen = dict(options.get("knobs", {}))
    chosen["model"] = base_model(str(chosen.get("model") or _INITIAL), identity)
    kept.update(knobs=chosen, output=output, frame_range=compact(frames), name=model_name(identity), overwrite=True)
    over = LinkError("CANCELLED", "Adapting was cancelled.", "Adapt again to go on where it was.")
    return (yield from ask(link, "adapt", kept, over, patience, cancelled))


def adaptation_text(found: Mapping[str, Any]) -> str:
    """The answer as a line of the node's block."""
    return "{:<12}{}".format("Adapted" if found["helped"] else "Model", found["sentence"])
