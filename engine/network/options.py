"""How a network is run, where its user has a choice: kept in the weights file, whose hash and cache key so hold it.

The file is safetensors, whose header carries texts by name beside the tensors.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

from engine.errors import EngineError

_KEY = "options"

# Bytes that hold the header's length.
_LENGTH = 8


# Bytes of the longest header that safetensors itself would read.
_LONGEST = 100_000_000


def options_in(file: Path) -> dict[str, str]:
    """The options that a weights file states; none where it is missing, or no safetensors file."""
    try:
        with file.open("rb") as opened:
            length = struct.unpack("<Q", opened.read(_LENGTH))[0]
            header = opened.read(min(length, _LONGEST))
        said = json.loads(json.loads(header)["__metadata__"][_KEY])
    except (OSError, struct.error, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return {str(name): str(value) for name, value in said.items()} if isinstance(said, dict) else {}


def metadata(options: Mapping[str, str]) -> dict[str, str]:
    """What to write into a safetensors file so that `options_in` finds the options."""
    return {_KEY: json.dumps(dict(options), sort_keys=True)} if options else {}


def parsed(texts: Iterable[str]) -> dict[str, str]:
    """Options written as ``name=value``.

    Raises:
        EngineError: BAD_REQUEST for one that is not.
    """
    pairs = [text.partition("=") for text in texts]
    for name, equals, value in pairs:
        if not (name and equals and value):
            raise EngineError("BAD_REQUEST", f"'{name}{equals}{value}' is no option.", "Write it as name=value.")
    return {name.strip(): value.strip() for name, _, value in pairs}


def check(options: Mapping[str, str], known: Mapping[str, tuple[str, ...]], architecture: str) -> None:
    """Refuse what an architecture does not know.

    Raises:
        EngineError: BAD_REQUEST, naming option or value and what could be said instead.
    """
    for name, value in options.items():
        if name not in known:
            step = f"It has: {', '.join(known)}." if known else "Leave --option out."
            raise EngineError("BAD_REQUEST", f"{architecture} has no option {name!r}.", step)
        if value not in known[name]:
            step = f"It can be: {', '.join(known[name])}."
            raise EngineError("BAD_REQUEST", f"The option {name} of {architecture} cannot be {value!r}.", step)
