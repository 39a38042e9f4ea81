"""Where unfinished adaptations are kept, so that the same wish goes on where it was ended."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from engine import __version__
from engine.errors import EngineError
from engine.network.table import card, home
from engine.settings import Knobs, MatteJob
from engine.training.adaptation.wish import Method

_KEPT = 3
"""Unfinished adaptations that are kept beside a new one; the longest untouched go first."""

_LAYOUT = 2
"""Of the files there; a state of another is not taken up."""

_busy: set[str] = set()
_lock = threading.Lock()


@contextmanager
def taken_up(job: MatteJob, method: Method, asked: Sequence[bytes]) -> Iterator[Path]:
    """The folder of a wish's state, which an unfinished one like it has filled.

    Args:
        job: how the clip is keyed.
        method: of learning.
        asked: everything else that the result depends on: frames, mattes and plate, each with its hash.

    Raises:
        EngineError: BAD_REQUEST where the same adaptation is under way in this process; MODEL_UNKNOWN;
            LIMIT_EXCEEDED where the folder cannot be made.
    """
    key = _key(job, method, asked)
    with _lock:
        if key in _busy:
            step = "Wait for it, or cancel it."
            raise EngineError("BAD_REQUEST", "This very adaptation is under way already.", step)
        _busy.add(key)
    try:
        yield _folder(key)
    finally:
        with _lock:
            _busy.discard(key)


def _folder(key: str) -> Path:
    place = home().parent / "adaptations"
    folder = place / key
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        others = [path for path in place.iterdir() if path.name != key and path.name not in _busy]
        for path in sorted(others, key=lambda path: path.stat().st_mtime, reverse=True)[_KEPT:]:
            shutil.rmtree(path, ignore_errors=True)
    except OSError as error:
        message = f"The folder {folder} cannot be made ({error.strerror or error})."
        step = "Make room there, or set PLATEKEY_HOME to another folder."
        raise EngineError("LIMIT_EXCEEDED", message, step) from error
    return folder


def _key(job: MatteJob, method: Method, asked: Sequence[bytes]) -> str:
    """Hash of the wish; the budget is no part of it, so that a wish goes on with a longer one."""
    kept = ("model", "registration", "photometric", "temporal_window", "hint_strength", "input_alpha", "precision")
    knobs = replace(Knobs(), **{name: getattr(job.knobs, name) for name in kept})
    config = job.config if isinstance(job.config, str) else job.config.sha256
    values = (__version__, _LAYOUT, card(knobs.model).sha256, method, knobs, config, job.output_space, job.device)
    digest = hashlib.sha256(repr(values).encode())
    for each in asked:
        digest.update(hashlib.sha256(each).digest())
    return digest.hexdigest()[:32]
