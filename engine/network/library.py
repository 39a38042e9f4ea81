"""The user's own weights: added to PlateKey's folder as safetensors with a card, and verified."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors.torch import save

from engine.errors import EngineError
from engine.network.architectures import ARCHITECTURES
from engine.network.checkpoint import read_header, read_weights, recognise
from engine.network.options import check, metadata, options_in
from engine.network.table import MODELS, PERMISSIVE, ModelCard, home, models

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def add(
    file: Path, name: str | None = None, licence: str | None = None, options: Mapping[str, str] | None = None
) -> ModelCard:
    """Make a file of weights a model: check it, convert it to safetensors, and write it and its card into `home`.

    Args:
        file: safetensors, or a state dict as ``torch.save`` writes it.
        name: of the model; by default that of its architecture. A model that the user added before is replaced.
        licence: SPDX name; by default what the file states, else that of the architecture's public weights.
        options: how the network is run, of its architecture's; added to those that the file states.

    Returns:
        The card.

    Raises:
        EngineError: FILE_MISSING; BAD_REQUEST for weights of no known network, a name or an option that cannot
            be, or no licence.
        OSError: the folder cannot be written; nothing has changed then.
    """
    weights = read_weights(file)
    architecture = recognise(weights, file.name)
    known = ARCHITECTURES[architecture]
    chosen = {**options_in(file), **(options or {})}
    check(chosen, known.options, architecture)
    name = _checked_name(name or architecture)
    stated = read_header(file)
    licence = licence or stated.get("licence") or known.licence
    if not licence:
        step = "Give the SPDX name of their licence with --licence."
        raise EngineError("BAD_REQUEST", f"Nothing says under which licence the weights in {file.name} are.", step)
    tensors = {key: value.detach().clone().contiguous() for key, value in weights.items()}
    data = save(tensors, {**stated, "name": name} | metadata(chosen))
    sha256 = hashlib.sha256(data).hexdigest()
    card = ModelCard(
        name=name,
        architecture=architecture,
        file=f"{name}-{sha256[:12]}.safetensors",
        sha256=sha256,
        parameters=known.parameters(),
        licence=licence,
        commercial_use=licence in PERMISSIVE,
        data=stated.get("data") or (known.data if licence == known.licence else "not stated"),
        sources=[{"file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}],
        origin=stated.get("origin") or f"added from {file.name}",
        shipped=False,
    )
    _store(card, data)
    return card


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        step = "Use up to 64 lower-case letters, digits, dots, dashes and underscores."
        raise EngineError("BAD_REQUEST", f"{name!r} cannot be a model's name.", step)
    if name in MODELS:
        step = "Give it another name with --as."
        raise EngineError("BAD_REQUEST", f"{name!r} is the name of a model that ships with PlateKey.", step)
    return name


def _store(card: ModelCard, data: bytes) -> None:
    """Weights first, under a name of their own, then the card that points to them; then what it pointed to before."""
    home().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    home().mkdir(mode=0o700, exist_ok=True)
    before = models().get(card.name)
    _write(card.path, data)
    _write(home() / f"{card.name}.json", (json.dumps(asdict(card), indent=2, ensure_ascii=False) + "\n").encode())
    if before is not None and before.path != card.path:
        before.path.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(handle)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@dataclass(frozen=True)
class Verdict:
    """Whether a model's weights are what its card says.

    Attributes:
        name: of the model.
        fault: what is wrong, one sentence; empty where nothing is.
    """

    name: str
    fault: str


def verify() -> Iterator[Verdict]:
    """Hash the weights of every model that is here."""
    return (Verdict(name, _fault(card)) for name, card in sorted(models().items()))


def _fault(card: ModelCard) -> str:
    try:
        card.intact_bytes()
    except EngineError as error:
        return str(error)
    return ""
