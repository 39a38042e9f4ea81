"""What the panel shows of each node: progress, the last frame, what went wrong. Never kept in the file."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from ..core.adaptation import adaptation_text
from ..core.errors import LinkError
from ..core.inspection import inspection_text
from ..core.status import error_text, status_text
from ..core.summary import Delivered, Progress


class Entry(NamedTuple):
    """What is known of one node."""

    progress: Optional[Progress] = None
    last: Optional[Delivered] = None
    error: Optional[LinkError] = None
    status: Optional[Mapping[str, Any]] = None
    inspection: Optional[Mapping[str, Any]] = None
    adaptation: Optional[Mapping[str, Any]] = None


_entries: Dict[str, Entry] = {}


def entry(identity: str) -> Entry:
    """What is known of a node, by the identity of its group."""
    return _entries.get(identity, Entry())


def progress(identity: str, state: Optional[Progress]) -> None:
    """A run is so far; None where none runs."""
    _entries[identity] = entry(identity)._replace(progress=state)


def delivered(identity: str, frame: Delivered) -> None:
    """A result is there."""
    _entries[identity] = entry(identity)._replace(last=frame)


def failed(identity: str, error: LinkError) -> None:
    """Something went wrong."""
    _entries[identity] = entry(identity)._replace(error=error, progress=None)


def asked(identity: str, status: Mapping[str, Any]) -> None:
    """The side-car told what runs; what went wrong before is history."""
    _entries[identity] = entry(identity)._replace(status=status, error=None)


def inspected(identity: str, found: Mapping[str, Any]) -> None:
    """The side-car told whether the plate can work; what went wrong before is history."""
    _entries[identity] = entry(identity)._replace(inspection=found, error=None, progress=None)


def adapted(identity: str, found: Mapping[str, Any]) -> None:
    """The model was adapted to the shot, or it did not help; what went wrong before is history."""
    _entries[identity] = entry(identity)._replace(adaptation=found, error=None, progress=None)


def lines(identity: str) -> List[str]:
    """The status block, a line each."""
    known = entry(identity)
    if known.error:
        return error_text(known.error).splitlines()
    told = [inspection_text(known.inspection)] if known.inspection else []
    told += [adaptation_text(known.adaptation)] if known.adaptation else []
    return "\n".join([*told, status_text(known.status, known.last)]).splitlines()


def forget_inspection(identity: str) -> None:
    """Another plate, or another graph above: what was found of the one before is no longer true."""
    _entries[identity] = entry(identity)._replace(inspection=None)
