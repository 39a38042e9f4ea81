"""The state of a node: one hash over everything that a result depends on and the host knows of."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any, Iterable, Mapping

from .knobs import sent


def state_hash(upstream: Any, files: Iterable[str], knobs: Mapping[str, Any], engine: str, weights: str) -> str:  # noqa: ANN401 - JSON values
    """40 hex digits that change with whatever would change the result.

    It decides whether to export again. Whether a result is true is the side-car's to know, by the bytes themselves.

    Args:
        upstream: what the host knows of the graph above the node: texts, numbers, lists, dicts.
        files: paths that the graph reads. A file counts by name, size and time, not by its folder, so that a project
            seen under another mount point keeps its state; a missing one counts as missing.
        knobs: value by knob name; knobs not named are at their initial values, merge-only ones do not count.
        engine: the engine's build; empty where unknown.
        weights: hash of the model's weights; empty where unknown.
    """
    parts = {
        "upstream": _plain(upstream),
        "files": [_file(path) for path in files],
        "knobs": _plain(sent(knobs)),
        "engine": engine,
        "weights": weights,
    }
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:40]


def _file(path: str) -> Any:  # noqa: ANN401 - JSON values
    """Name, size, and time to the millisecond: network disks round what is finer."""
    try:
        found = os.stat(path)
    except OSError:
        return [os.path.basename(path), "missing"]
    return [os.path.basename(path), found.st_size, found.st_mtime_ns // 1000000]


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON values
    """The same values with every number as a float, for hosts hand out 1 and 1.0 for one knob."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value
