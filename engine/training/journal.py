"""What a run tells of itself: running losses, a line of progress, and `log.jsonl`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

NAME = "log.jsonl"

# Share that a running loss keeps at every step: a mean over about 50.
_KEEP = 0.98


class Journal:
    """The log of a run: one JSON object a validation, with step, hours, running losses and errors.

    Attributes:
        losses: running means by name.
    """

    def __init__(self, folder: Path) -> None:
        self.losses: dict[str, float] = {}
        self._path = folder / NAME

    def take(self, losses: Mapping[str, float]) -> None:
        """Average the losses of a step in; one that only some steps have keeps its mean between them."""
        for name, value in losses.items():
            self.losses[name] = self.losses.get(name, value) * _KEEP + value * (1 - _KEEP)

    def record(self, step: int, hours: float, validation: Mapping[str, float]) -> None:
        """Append a line.

        Raises:
            OSError: the disk is full.
        """
        losses = {name: round(value, 6) for name, value in self.losses.items()}
        line = {"step": step, "hours": round(hours, 4), "losses": losses, "validation": dict(validation)}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def lines(self) -> list[dict[str, Any]]:
        """All whole lines in order of their steps; of work that was lost and done again, the later ones."""
        kept: list[dict[str, Any]] = []
        for text in self._path.read_text(encoding="utf-8").splitlines():
            try:
                line = json.loads(text)
            except json.JSONDecodeError:
                continue
            kept = [earlier for earlier in kept if earlier["step"] < line["step"]]
            kept.append(line)
        return kept


class Pace:
    """How fast a run goes, and how long it will take."""

    def __init__(self, spent: float) -> None:
        self._restart(spent)

    def _restart(self, spent: float) -> None:
        self._waited = self._learned = 0.0
        self._steps = 0
        self._began, self._spent = time.monotonic(), spent

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Time the wait for a batch."""
        start = time.monotonic()
        yield
        self._waited += time.monotonic() - start

    @contextmanager
    def learning(self) -> Iterator[None]:
        """Time a step."""
        start = time.monotonic()
        yield
        self._learned += time.monotonic() - start
        self._steps += 1

    def line(self, step: int, spent: float, losses: Mapping[str, float]) -> str:
        """The line of progress since the last one. The share of waiting says whether samples starve the learner."""
        now, busy = time.monotonic(), self._waited + self._learned
        gained = spent - self._spent
        left = timedelta(seconds=round((1 - spent) * (now - self._began) / gained)) if gained > 0 else "unknown time"
        text = (
            f"step {step}, {spent:.1%}: {self._steps / busy:.2f} steps/s, {self._waited / busy:.0%} of it waiting for "
            f"samples, {left} to go; " + ", ".join(f"{name} {value:.4f}" for name, value in losses.items())
        )
        self._restart(spent)
        return text
