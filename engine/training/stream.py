"""Batches by number, made in processes of their own: the same number gives the same batch, so a resumed run goes on."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from engine.errors import EngineError, Reason

Batch: TypeAlias = dict[str, Tensor]
"""Tensors by name, ``(N, C, H, W)``."""


class BatchSource(Protocol):
    """Where batches come from. It travels to other processes, so it opens its files when it is first asked."""

    def batch(self, number: int, spent: float) -> Batch:
        """A batch: a pure function of its number and of how much of the schedule was spent when it was asked for."""
        ...


def generator(seed: int, number: int) -> np.random.Generator:
    """Randomness of a batch, independent of every other's (NumPy's SeedSequence)."""
    return np.random.default_rng((seed, number))


@dataclass(frozen=True)
class _Refusal:
    """An error on its way between processes: torch would turn it into another."""

    reason: Reason
    message: str
    next_step: str


class _Batches(Dataset[Batch | _Refusal]):
    def __init__(self, source: BatchSource) -> None:
        self._source = source

    def __getitem__(self, request: tuple[int, float]) -> Batch | _Refusal:
        try:
            return self._source.batch(*request)
        except EngineError as error:
            return _Refusal(error.reason, error.message, error.next_step)


class _Requests:
    """Numbers without end, each with the schedule's progress at the moment of asking."""

    def __init__(self, start: int, spent: Callable[[int], float]) -> None:
        self._start, self._spent = start, spent

    def __iter__(self) -> Iterator[tuple[int, float]]:
        number = self._start
        while True:
            yield number, self._spent(number)
            number += 1


def _begin_worker(_number: int) -> None:
    """One thread each, and Ctrl-C left to the process that saves."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def stream(source: BatchSource, start: int, spent: Callable[[int], float], workers: int) -> Iterator[Batch]:
    """Batches from a number on, in order, made ahead.

    Args:
        source: makes them.
        start: number of the first.
        spent: progress of the schedule at a batch's number, as far as it is known when the batch is asked for.
        workers: processes; 0 makes each batch when it is wanted.

    Raises:
        EngineError: what the source found wrong; INTERNAL where a process of it ended.
    """
    loader: DataLoader[Batch | _Refusal] = DataLoader(
        _Batches(source),
        batch_size=None,
        sampler=_Requests(start, spent),
        num_workers=workers,
        prefetch_factor=3 if workers else None,
        # Else it would draw from torch's own generator, and a resumed run would differ.
        generator=torch.Generator(),
        worker_init_fn=_begin_worker if workers else None,
        # A forked process would hang in OpenCV, whose threads it does not have, and could not use a GPU.
        multiprocessing_context="spawn" if workers else None,
    )
    batches = iter(loader)
    while True:
        try:
            made = next(batches)
        except RuntimeError as error:
            step = "Look for the reason above, or in the system's log: it may have been killed for its memory."
            raise EngineError("INTERNAL", "A process that makes samples has ended.", step) from error
        if isinstance(made, _Refusal):
            raise EngineError(made.reason, made.message, made.next_step)
        yield made
