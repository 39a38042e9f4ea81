"""Peak memory of a frame, in a process of its own."""

from __future__ import annotations

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
import torch

from engine.benchmark.contender import contender
from engine.benchmark.scene import Scene
from engine.benchmark.timing import run_stage

_STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Peak:
    """Bytes; 0 where the system does not tell.

    Attributes:
        whole: most that the process ever held; on CUDA, that the device did.
        frame: of that, what came on top once libraries, weights and pictures were there.
    """

    whole: int
    frame: int


def peak_memory(name: str, picture: Path, threads: int, device: str) -> Peak:
    """Matte a picture once in a new process, and see what that took.

    Args:
        name: of a model or architecture.
        picture: `Scene` as ``.npz``.
        threads: arithmetic threads.
        device: torch device.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_measure, name, picture, threads, device).result()


def _measure(name: str, picture: Path, threads: int, device: str) -> Peak:
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    entrant = contender(name, device)
    with np.load(picture) as stored:
        pair = Scene(stored["frame"], stored["plate"])
    before = _held(device)
    run_stage(entrant.keyer(), pair, device)
    whole = _most(device)
    return Peak(whole, max(whole - before, 0))


def _held(device: str) -> int:
    """Bytes held now, by the device or, for a CPU, by this process."""
    if device.startswith("cuda"):
        return int(torch.cuda.memory_allocated(device))
    return _status("VmRSS") if _STATUS.exists() else _most_of_process()


def _most(device: str) -> int:
    """Most bytes held so far.

    Linux's ``getrusage`` is of no use: a process inherits the figure of the one that started it.
    """
    if device.startswith("cuda"):
        return int(torch.cuda.max_memory_allocated(device))
    return _status("VmHWM") if _STATUS.exists() else _most_of_process()


def _status(field: str) -> int:
    """A field of proc(5)'s status, which counts KiB."""
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{field}:"))


def _most_of_process() -> int:
    if sys.platform == "win32":
        return 0
    # In bytes on macOS, getrusage(2) there.
    return int(import_module("resource").getrusage(0).ru_maxrss)
