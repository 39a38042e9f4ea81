"""What no host's node can do, each said in one sentence with the artist's next step.

Each function returns where all is well and raises `LinkError` where not.
`node` is the node's name as the artist sees it.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from typing import Iterable, Iterator, List, Sequence, Tuple

from .errors import LinkError
from .frames import compact
from .manifest import Gaps

_FEW = 3
"""Views or nodes that a sentence names before it only counts them."""


def require_connected(node: str, connected: bool, what: str) -> None:
    """An input that the node cannot do without is connected."""
    if not connected:
        raise _bad("{}: nothing is connected to the input '{}'.".format(node, what), "Connect it, then run again.")


def require_enabled(node: str, disabled: Iterable[str]) -> None:
    """No node that the input needs is disabled; names of those that are."""
    names = sorted(disabled)
    if names:
        raise _bad("{}: {} above it is disabled.".format(node, _listed(names)), "Enable it, or connect another node.")


def require_plate_frame(node: str, plate: int, first: int, last: int) -> None:
    """The clean plate's frame is one of the clip's."""
    if not first <= plate <= last:
        raise _bad(
            "{}: the clean plate's frame {} is outside the clip, {}-{}.".format(node, plate, first, last),
            "Go to a frame without the subject and pick it in the node.",
        )


def require_subject_frames(node: str, frames: Sequence[int]) -> None:
    """The range holds a frame beside the clean plate's: what is asked of a shot is asked of its subject."""
    if not frames:
        raise _bad(
            "{}: its range holds no frame but the clean plate's.".format(node),
            "Widen the range to frames with the subject.",
        )


def require_same_format(node: str, frame: Tuple[int, int], other: Tuple[int, int], what: str) -> None:
    """Another input has the frame's format.

    Args:
        node: the node.
        frame: width and height of the frame, pixels.
        other: of the other input.
        what: the other input, as the artist knows it: ``clean plate``.
    """
    if tuple(frame) != tuple(other):
        sizes = "{}x{}".format(*other), "{}x{}".format(*frame)
        raise _bad(
            "{}: the {} is {}, the frame is {}.".format(node, what, *sizes),
            "Reformat the {} to the frame's format before it enters the node.".format(what),
        )


def require_one_view(node: str, views: Sequence[str]) -> None:
    """The shot has one view: a result is one picture a frame."""
    if len(views) > 1:
        raise _bad(
            "{}: this script has the views {}, and the node keys one.".format(node, _listed(list(views))),
            "Pick one view before the node, and use a node for each view.",
        )


def require_full_size(node: str, proxy: bool) -> None:
    """The host renders at full size; a matte of a proxy is another matte."""
    if proxy:
        raise _bad("{}: the host is in proxy mode.".format(node), "Turn proxy mode off, then run again.")


def require_writable(node: str, folder: str) -> None:
    """The folder for exchange and result files takes files; it is made where missing.

    Raises:
        LinkError: ``OUTPUT_NOT_WRITABLE``.
    """
    with writing(node, folder):
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass


@contextmanager
def writing(node: str, folder: str) -> Iterator[None]:
    """Say which folder it is where something cannot be written there, on a full disk for one.

    Raises:
        LinkError: ``OUTPUT_NOT_WRITABLE``.
    """
    try:
        yield
    except OSError as error:
        raise LinkError(
            "OUTPUT_NOT_WRITABLE",
            "{}: its folder {} cannot be written: {}.".format(node, folder, error.strerror),
            "Choose another cache folder in the node, or free this one.",
        ) from error


def require_processed(node: str, wanted: int, gaps: Gaps) -> None:
    """Every frame of a render has a result of the node's present state.

    Args:
        node: the node.
        wanted: number of frames of the render.
        gaps: the frames that have none.

    Raises:
        LinkError: ``FILE_MISSING``; names the frames.
    """
    told = [
        "{} of {} frames {} ({})".format(len(frames), wanted, words, compact(frames))
        for frames, words in ((gaps.missing, "are not processed"), (gaps.stale, "are out of date"))
        if frames
    ]
    if told:
        raise LinkError(
            "FILE_MISSING",
            "{}: {}.".format(node, ", ".join(told)),
            "Process these frames in the node, then render again.",
        )


def _bad(message: str, next_step: str) -> LinkError:
    return LinkError("BAD_REQUEST", message, next_step)


def _listed(names: List[str]) -> str:
    more = len(names) - _FEW
    return ", ".join(names) if more <= 0 else "{} and {} more".format(", ".join(names[:_FEW]), more)
