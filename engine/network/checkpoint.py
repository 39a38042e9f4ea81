"""Weights from other people's files: read without running anything in them, and recognised by names and shapes."""

from __future__ import annotations

import pickle
import re
import struct
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from engine.errors import EngineError
from engine.network.architectures import ARCHITECTURES

LARGEST = 1 << 30
"""Bytes of the largest file that is read; ResNet-101's is 227 MiB."""

# What `torch.load` raises on files that are cut off, altered or something else altogether; found by doing that to some.
_UNREADABLE = (
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    OverflowError,
    MemoryError,
    struct.error,
)

# How torch tells which name in a pickle it would not call: torch/_weights_only_unpickler.py.
_CODE = re.compile(r"GLOBAL (\S+)")

# `torch.nn.DataParallel` puts this before every name.
_PARALLEL = "module."

_LISTED = 3
"""Names listed in an error, of those that are wrong."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dict: safetensors, or what ``torch.save`` made of one.

    Pickled files are read with ``weights_only``: names of code in them are refused, not called.

    Args:
        path: of the file.

    Returns:
        Tensors on the CPU by name, without the prefix of `torch.nn.DataParallel`.

    Raises:
        EngineError: FILE_MISSING; BAD_REQUEST for a file that holds no state dict or more than that.
    """
    if not path.is_file():
        raise EngineError("FILE_MISSING", f"There is no file {path}.", "Check the path.")
    if path.stat().st_size > LARGEST:
        raise EngineError("BAD_REQUEST", f"{path.name} is larger than 1 GiB.", "Give a file of weights alone.")
    found = _read_safetensors(path) if _is_safetensors(path) else _read_pickled(path)
    if not isinstance(found, Mapping) or not found:
        raise _no_weights(path)
    if not all(isinstance(key, str) and isinstance(value, Tensor) for key, value in found.items()):
        raise _no_weights(path)
    parallel = all(key.startswith(_PARALLEL) for key in found)
    return {key.removeprefix(_PARALLEL) if parallel else key: value for key, value in found.items()}


def read_header(path: Path) -> dict[str, str]:
    """What a safetensors file states beside its weights, as an adapted model its licence; empty for other files."""
    if not _is_safetensors(path):
        return {}
    with safe_open(path, "pt") as file:
        return dict(file.metadata() or {})


def recognise(weights: Mapping[str, Tensor], name: str) -> str:
    """The architecture that weights belong to.

    Args:
        weights: as from `read_weights`.
        name: of the file, for the error.

    Raises:
        EngineError: BAD_REQUEST, saying what is missing, extra or of another shape in comparison to the architecture
            that comes closest; or that a weight is not a finite number.
    """
    shapes = {architecture: kind.shapes() for architecture, kind in ARCHITECTURES.items()}
    closest = max(shapes, key=lambda architecture: len(shapes[architecture].keys() & weights.keys()))
    faults = list(_faults(weights, shapes[closest]))
    if not shapes[closest].keys() & weights.keys():
        message = f"{name} holds weights, but of no network that PlateKey knows."
        raise EngineError("BAD_REQUEST", message, f"PlateKey knows: {', '.join(ARCHITECTURES)}.")
    if faults:
        message = f"{name} is not quite {closest}: {'; '.join(faults)}."
        raise EngineError("BAD_REQUEST", message, f"Get the whole file: {ARCHITECTURES[closest].origin}.")
    return closest


def _faults(weights: Mapping[str, Tensor], shapes: Mapping[str, torch.Size]) -> list[str]:
    missing = [key for key in shapes if key not in weights]
    extra = [key for key in weights if key not in shapes]
    other = [key for key in shapes if key in weights and weights[key].shape != shapes[key]]
    counted = ((missing, "missing"), (extra, "too many"), (other, "of another shape"))
    faults = [f"{len(keys)} of its entries {what} ({_listed(keys)})" for keys, what in counted if keys]
    if faults:
        return faults
    infinite = [key for key, value in weights.items() if not bool(torch.isfinite(value).all())]
    return [f"{len(infinite)} of its entries not finite ({_listed(infinite)})"] if infinite else []


def _listed(keys: list[str]) -> str:
    return ", ".join(keys[:_LISTED]) + (", ..." if len(keys) > _LISTED else "")


def _is_safetensors(path: Path) -> bool:
    """By its first bytes: the length of a header, and the header, which is JSON."""
    with path.open("rb") as file:
        start = file.read(9)
    return len(start) == 9 and start[8:] == b"{" and struct.unpack("<Q", start[:8])[0] < LARGEST


def _read_safetensors(path: Path) -> object:
    try:
        return load_file(path)
    except (SafetensorError, ValueError) as error:
        raise _broken(path, str(error)) from error


def _read_pickled(path: Path) -> object:
    try:
        with warnings.catch_warnings():
            # Torch warns of a file's format before it refuses it; our own sentence says it better.
            warnings.simplefilter("ignore", UserWarning)
            return torch.load(path, map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        if "TorchScript" in str(error):
            step = "Get the plain state dict, which their authors offer beside it, and give that."
            message = f"{path.name} is a TorchScript program, not weights."
            raise EngineError("BAD_REQUEST", message, step) from error
        if code := _CODE.search(str(error)):
            step = "Do not open it with other programs either, unless you trust its author."
            message = f"{path.name} holds more than weights: it names {code[1]} as code to run, and was refused."
            raise EngineError("BAD_REQUEST", message, step) from error
        raise _broken(path, str(error)) from error


def _broken(path: Path, problem: str) -> EngineError:
    message = f"{path.name} cannot be read as weights: it is cut off, damaged or another kind of file."
    return EngineError("BAD_REQUEST", message, "Get it again; give a .pth, .pt or .safetensors file.", problem=problem)


def _no_weights(path: Path) -> EngineError:
    message = f"{path.name} holds no state dict: names and tensors, nothing else."
    return EngineError("BAD_REQUEST", message, "Save the network's state_dict() alone, and give that.")
