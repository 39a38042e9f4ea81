"""The node's status block as text: which engine, on what, with which model, what it last did, how full the cache is."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from .errors import LinkError
from .summary import Delivered

_ORIGINS = {"made": "made", "cache": "from the cache", "fresh": "up to date"}


def status_text(status: Optional[Mapping[str, Any]], last: Optional[Delivered] = None) -> str:
    """The block, one fact a line.

    Args:
        status: what the side-car answered to ``status``; None where it was not asked yet.
        last: the frame delivered last; None for none.
    """
    engines: List[Dict[str, Any]] = list((status or {}).get("engines", ()))
    lines = [_line("Engine", "not started; it starts with the first frame")]
    if engines:
        found = engines[0]
        busy = "working" if found["active_calls"] else "ready"
        lines = [
            _line("Engine", "{} {}, {}".format(found["version"], found["build"][:8], busy)),
            _line("Device", "{} ({})".format(found["device"], found["device_name"])),
            _line("Model", ", ".join(found["models"])),
        ]
    lines.append(_line("Last frame", _last(last)))
    if status:
        cache = status["cache"]
        lines.append(_line("Cache", "{:.1f} of {:.1f} GiB".format(cache["size"] / 2.0**30, cache["limit"] / 2.0**30)))
    return "\n".join(lines)


def error_text(error: LinkError) -> str:
    """The block where something went wrong: what, and what to do about it."""
    return "{}\n{}".format(_line("Error", error.message), _line("Do", error.next_step))


def _line(name: str, value: str) -> str:
    return "{:<12}{}".format(name, value)


def _last(last: Optional[Delivered]) -> str:
    if last is None:
        return "none yet"
    parts = ["{} {}".format(last.frame, _ORIGINS.get(last.origin, last.origin))]
    if "inliers" in last.report:
        parts.append("registered to {:.2f} px".format(last.report.get("residual_p95_px", 0.0)))
    if last.report:
        parts.append("plate covers {:.1f} %".format(100.0 * last.report.get("valid_share", 0.0)))
    return ", ".join(parts + list(last.report.get("warnings", ())))
