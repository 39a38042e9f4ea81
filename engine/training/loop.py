"""The loop around a trainer: batches in, steps, checkpoints, validations; it stops when asked to, and loses nothing."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from torch import nn

from engine.errors import EngineError
from engine.training.journal import Journal, Pace
from engine.training.plots import draw_losses, draw_samples
from engine.training.stream import stream
from engine.training.trainer import Trainer

log = logging.getLogger(__name__)

# Seconds between two lines of progress.
_LINE_SECONDS = 30.0


class Timer:
    """Says when a time has passed since it last said so."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._last = seconds, time.monotonic()

    def due(self) -> bool:
        """Whether it is time; begins anew then."""
        now = time.monotonic()
        if now - self._last < self._seconds:
            return False
        self._last = now
        return True


def run(trainer: Trainer, stopped: Callable[[], bool]) -> bool:
    """Train until the schedule is spent or somebody asks to stop; the checkpoint is written however it ends.

    Returns:
        Whether the schedule is spent.

    Raises:
        EngineError: what the samples or a loss have wrong; LIMIT_EXCEEDED where the last checkpoint cannot be written.
    """
    journal = Journal(trainer.config.run.folder)
    try:
        _learn(trainer, journal, stopped)
    finally:
        _save_last(trainer)
    if trainer.spent >= 1:
        _report(trainer, journal)
    return trainer.spent >= 1


def _learn(trainer: Trainer, journal: Journal, stopped: Callable[[], bool]) -> None:
    settings = trainer.config.run
    saving, reporting = Timer(settings.save_minutes * 60), Timer(settings.report_minutes * 60)
    speaking, pace = Timer(_LINE_SECONDS), Pace(trainer.spent)
    batches = stream(trainer.recipe.source, trainer.step, trainer.spent_at, settings.workers)
    while trainer.spent < 1 and not stopped():
        began = time.monotonic()
        with pace.waiting():
            batch = next(batches)
        with pace.learning():
            journal.take(trainer.learn(batch))
        trainer.hours += (time.monotonic() - began) / 3600
        if speaking.due():
            log.info("%s", pace.line(trainer.step, trainer.spent, journal.losses))
        if saving.due():
            with _going_on(f"The checkpoint of step {trainer.step}"):
                trainer.save()
        if reporting.due():
            _report(trainer, journal)


def _save_last(trainer: Trainer) -> None:
    """Write the checkpoint that there is no later one to make up for."""
    try:
        trainer.save()
    except OSError as error:
        raise EngineError(
            "LIMIT_EXCEEDED",
            f"The checkpoint of step {trainer.step} could not be written to {trainer.config.run.folder} ({error}).",
            "Make room there and start again: the run goes on from the checkpoint before.",
        ) from error


def _report(trainer: Trainer, journal: Journal) -> None:
    """Validate the averaged network; write the log's line and both pictures."""
    network = averaged(trainer)
    validation = trainer.recipe.validate(network)
    log.info("step %d: %s", trainer.step, ", ".join(f"{name} {value:g}" for name, value in validation.items()))
    folder: Path = trainer.config.run.folder
    with _going_on("The log"):
        journal.record(trainer.step, trainer.hours, validation)
        draw_losses(folder / "losses.png", journal.lines())
        draw_samples(folder / "samples.png", trainer.recipe.show(network))


def averaged(trainer: Trainer) -> nn.Module:
    """The network with its averaged weights, ready to matte on the CPU."""
    network = copy.deepcopy(trainer.recipe.network).cpu()
    network.load_state_dict(trainer.average.values)
    return network.eval()


@contextmanager
def _going_on(what: str) -> Iterator[None]:
    """Let a full disk pass: training goes on from memory, and the next time is another try."""
    try:
        yield
    except OSError as error:
        log.warning("%s could not be written (%s). Training goes on and tries again later.", what, error)
