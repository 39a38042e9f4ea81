"""An adapted model as a file: safetensors with float weights, and what they descend from in its header."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from engine.network.library import add
from engine.network.options import metadata, options_in
from engine.network.table import ModelCard
from engine.pipeline.scratch import scratch_folder


def model_bytes(weights: Mapping[str, Tensor], base: ModelCard, facts: Mapping[str, str]) -> bytes:
    """The file; `engine.network.library.add` reads licence, data and origin off its header.

    Args:
        weights: the whole state of the network.
        base: the model that it was adapted from, whose licence it inherits.
        facts: of the adaptation.
    """
    tensors = {name: value.detach().cpu().clone().contiguous() for name, value in weights.items()}
    origin = f"adapted from {base.name} ({base.sha256[:12]}) to {facts['clip']}"
    stated = {"licence": base.licence, "data": base.data, "origin": origin, "training": json.dumps(dict(facts))}
    return save(tensors, stated | metadata(options_in(base.path)))


def register(data: bytes, name: str) -> ModelCard:
    """Make an adapted model one of the engine's own, under a name.

    Raises:
        EngineError: BAD_REQUEST for a name that cannot be; LIMIT_EXCEEDED where the disk is full.
    """
    with scratch_folder() as folder:
        path = folder / f"{name}.safetensors"
        path.write_bytes(data)
        return add(path, name)


def write_model(path: Path, data: bytes) -> None:
    """Write the file whole, or not at all.

    Raises:
        OSError: it cannot be written; what was there stays.
    """
    handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(handle)
        Path(unfinished).replace(path)
    finally:
        Path(unfinished).unlink(missing_ok=True)
