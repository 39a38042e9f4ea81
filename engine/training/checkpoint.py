"""A run's state on disk: never half written, never lost to a full disk, and with the one before kept beside it."""

from __future__ import annotations

import io
import logging
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from engine.errors import EngineError

log = logging.getLogger(__name__)

CURRENT, PREVIOUS = "checkpoint.pt", "checkpoint.previous.pt"

# What `torch.load` raises for files that are cut short, of another kind, or would run code.
_BROKEN = (RuntimeError, EOFError, KeyError, ValueError, pickle.UnpicklingError)


def save_checkpoint(folder: Path, state: Mapping[str, Any]) -> None:
    """Write a state under a temporary name, and rename it once the disk has it all.

    The state is serialised in memory first, so that a disk's fault is an ``OSError`` and leaves both older files.

    Raises:
        OSError: the disk is full, or the folder cannot be written to.
    """
    serialised = io.BytesIO()
    torch.save(dict(state), serialised)
    unfinished = folder / "checkpoint.part"
    try:
        with unfinished.open("wb") as file:
            file.write(serialised.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        if (folder / CURRENT).exists():
            (folder / CURRENT).replace(folder / PREVIOUS)
        unfinished.replace(folder / CURRENT)
    finally:
        unfinished.unlink(missing_ok=True)


def has_checkpoint(folder: Path) -> bool:
    """Whether a run in a folder can go on."""
    return (folder / CURRENT).exists() or (folder / PREVIOUS).exists()


def load_checkpoint(folder: Path) -> dict[str, Any]:
    """The newest state of a run that can be read.

    Raises:
        EngineError: FILE_MISSING without a checkpoint; BAD_REQUEST where none can be read.
    """
    found = [folder / name for name in (CURRENT, PREVIOUS) if (folder / name).exists()]
    if not found:
        raise EngineError("FILE_MISSING", f"There is no checkpoint in {folder}.", "Name the folder of a run.")
    broken = []
    for path in found:
        try:
            state = torch.load(path, weights_only=True, map_location="cpu")
        except _BROKEN as error:
            log.warning("%s cannot be read (%s).", path, type(error).__name__)
            broken.append(path.name)
            continue
        if path.name == PREVIOUS:
            log.warning("Going on from %s.", path)
        return dict(state) if isinstance(state, Mapping) else {}
    raise EngineError(
        "BAD_REQUEST",
        f"The run in {folder} cannot go on: {' and '.join(broken)} cannot be read.",
        "Copy them back from a backup, or begin anew with --fresh.",
    )


def fill(module: nn.Module, values: object, what: str) -> None:
    """Load a module's values from a checkpoint.

    Args:
        module: to be filled.
        values: its state, as a checkpoint has it.
        what: names the checkpoint in the error.

    Raises:
        EngineError: BAD_REQUEST for those of another architecture.
    """
    ours = module.state_dict()
    theirs = values if isinstance(values, Mapping) else {}
    other = [name for name, value in ours.items() if getattr(theirs.get(name), "shape", None) != value.shape]
    if other or theirs.keys() - ours.keys():
        first = min([*other, *(theirs.keys() - ours.keys())])
        raise EngineError(
            "BAD_REQUEST",
            f"The checkpoint of {what} is of another network than {type(module).__name__} (first difference: {first}).",
            "Train into another folder, begin anew with --fresh, or use the code it was made with.",
        )
    module.load_state_dict(dict(theirs))


def put_aside(folder: Path) -> Path | None:
    """Move a run's state, log and pictures into a folder of their own, ``earlier-1`` and up.

    Returns:
        That folder; None where there was nothing.

    Raises:
        OSError: the folder cannot be written to.
    """
    names = (CURRENT, PREVIOUS, "log.jsonl", "losses.png", "samples.png")
    found = [folder / name for name in names if (folder / name).exists()]
    if not found:
        return None
    number = 1
    while (folder / f"earlier-{number}").exists():
        number += 1
    aside = folder / f"earlier-{number}"
    aside.mkdir()
    for path in found:
        path.rename(aside / path.name)
    return aside
