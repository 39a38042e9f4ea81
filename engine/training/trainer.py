"""The trainer: supervised, resumable at any moment, with a moving average of the weights and a log of its own.

The schedule runs over accumulated hours, not steps, so that a machine that is busy with other things still ends with a
low learning rate.
"""

from __future__ import annotations

import json
import logging
import math
import pickle
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from engine.errors import EngineError
from engine.network.platenet import PlateNet
from engine.training.dataset import batches, load_photos, load_subjects
from engine.training.losses import Truth, losses
from engine.training.validation import predict, validate

log = logging.getLogger(__name__)


SHARES = {"encoder": 1 / 3, "coarse": 30.0, "rest": 1.0}
"""Share of the learning rate by part: the encoder is pretrained; the last, linear layer has gates to swing."""


def _part(parameter: str) -> str:
    part = parameter.partition(".")[0]
    return part if part in SHARES else "rest"


@dataclass(frozen=True)
class Config:
    """A training run.

    Attributes:
        folder: checkpoint, log and cache of painted subjects.
        assets: folder of the manifest's photographs.
        hours: length of the schedule, accumulated over resumptions.
        seed: of weights and samples.
        subjects: painted subjects.
        size: px of a sample; in the second half every other batch is half as large again, with half the samples.
        batch: samples of a step.
        rate: peak learning rate; `SHARES` of it by part.
        save_minutes: minutes between checkpoints.
        threads: arithmetic threads.
    """

    folder: Path
    assets: Path
    hours: float = 2.0
    seed: int = 1
    subjects: int = 1200
    size: int = 256
    batch: int = 8
    rate: float = 1e-3
    save_minutes: float = 4.0
    threads: int = 2


class _Stream(IterableDataset[dict[str, Tensor]]):
    """Endless batches, made in a process of their own."""

    def __init__(self, config: Config, size: int, batch: int, seed: int) -> None:
        self._arguments = (config, size, batch, seed)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        config, size, batch, seed = self._arguments
        torch.set_num_threads(1)
        photos = [photo for photo, held_out in load_photos(config.assets) if not held_out]
        subjects = load_subjects(config.folder / "cache", "train", config.subjects, photos)
        return batches(subjects, photos, size, batch, seed)


class Trainer:
    """State of a run: network, moving average, optimiser, hours spent."""

    def __init__(self, config: Config, encoder: dict[str, Tensor] | None = None) -> None:
        torch.manual_seed(config.seed)
        torch.set_num_threads(config.threads)
        self.config = config
        self.network = PlateNet().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if encoder is not None:
            self.network.encoder.load_state_dict(encoder)
        groups = [
            {"params": [p for name, p in self.network.named_parameters() if _part(name) == part], "share": share}
            for part, share in SHARES.items()
        ]
        self.optimiser = torch.optim.AdamW(groups, lr=config.rate, weight_decay=1e-4)
        self.average = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.step, self.hours = 0, 0.0

    @property
    def checkpoint(self) -> Path:
        """Where the run's state is kept."""
        return self.config.folder / "checkpoint.pt"

    def save(self) -> None:
        """Write the checkpoint; an interrupted write leaves the former one."""
        state = {
            "network": self.network.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "hours": self.hours,
            "settings": describe(self.config),
        }
        unfinished = self.checkpoint.with_suffix(".part")
        torch.save(state, unfinished)
        unfinished.replace(self.checkpoint)

    def resume(self) -> bool:
        """Go on from the checkpoint, if there is one.

        Raises:
            EngineError: BAD_REQUEST where the checkpoint belongs to another network.
        """
        if not self.checkpoint.exists():
            return False
        state = load_checkpoint(self.config.folder)
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.average, self.step, self.hours = state["average"], state["step"], state["hours"]
        return True

    def learn(self, batch: dict[str, Tensor]) -> dict[str, float]:
        """One step; returns the losses."""
        rate = schedule(self.hours / self.config.hours, self.step) * self.config.rate
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["share"]
        self.network.train()
        terms = losses(predict(self.network, batch), Truth(batch["alpha"], batch["shadow"], batch["foreground"]))
        total = torch.stack(list(terms.values())).sum()
        if not bool(torch.isfinite(total)):
            step = "Resume from the last checkpoint with another seed."
            raise EngineError("INTERNAL", f"The loss is not finite at step {self.step}.", step)
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        self._follow(min(0.995, self.step / (self.step + 20)))
        return {name: float(value.detach()) for name, value in ({"total": total} | terms).items()}

    @torch.no_grad()
    def _follow(self, keep: float) -> None:
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value, 1 - keep)

    def averaged(self) -> PlateNet:
        """A network with the averaged weights, ready to matte."""
        network = PlateNet()
        network.load_state_dict(self.average)
        return network.eval()


def load_checkpoint(folder: Path) -> dict[str, Any]:
    """State of a run: ``network``, ``average``, ``optimiser``, ``step``, ``hours``, ``settings``.

    Raises:
        EngineError: FILE_MISSING without a checkpoint; BAD_REQUEST for a broken one, or one of another network.
    """
    path = folder / "checkpoint.pt"
    if not path.exists():
        raise EngineError("FILE_MISSING", f"There is no checkpoint in {folder}.", "Name the folder of a run.")
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True)
        PlateNet().load_state_dict(state["network"])
    except (KeyError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        step = "Train into another folder, or check out the code it was made with."
        raise EngineError("BAD_REQUEST", f"{path} is broken, or of another network.", step) from error
    return state


def schedule(progress: float, step: int) -> float:
    """Share of the peak rate: 100 steps of warm-up, then a cosine to 1 %."""
    return min(1.0, (step + 1) / 100) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0))))


def train(config: Config, encoder: dict[str, Tensor] | None = None) -> Trainer:
    """Train until the schedule's hours are spent; resumes by itself, and can be interrupted at any moment.

    Writes ``checkpoint.pt`` and ``log.jsonl`` (one JSON line a checkpoint: step, hours, losses, validation).
    """
    config.folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(config, encoder)
    log.info("resumed" if trainer.resume() else "started", extra={"step": trainer.step})
    sizes = ((config.size, config.batch), (config.size * 3 // 2, config.batch // 2))
    streams = [
        iter(DataLoader(_Stream(config, size, batch, config.seed + trainer.step + 1), batch_size=None, num_workers=1))
        for size, batch in sizes
    ]
    running: dict[str, float] = {}
    last, saved = time.monotonic(), time.monotonic()
    while trainer.hours < config.hours:
        late = trainer.hours > config.hours / 2 and trainer.step % 2 == 1
        terms = trainer.learn(next(streams[int(late)]))
        running = {name: running.get(name, value) * 0.98 + value * 0.02 for name, value in terms.items()}
        now = time.monotonic()
        trainer.hours, last = trainer.hours + (now - last) / 3600, now
        if now - saved > config.save_minutes * 60 or trainer.hours >= config.hours:
            saved = now
            _record(trainer, running)
    return trainer


def _record(trainer: Trainer, running: dict[str, float]) -> None:
    trainer.save()
    line = {
        "step": trainer.step,
        "hours": round(trainer.hours, 3),
        **{name: round(value, 5) for name, value in running.items()},
        "validation": validate(
            trainer.averaged(), trainer.config.assets, trainer.config.folder / "cache", trainer.config.size
        ),
    }
    log.info("%s", line)
    with (trainer.config.folder / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def describe(config: Config) -> dict[str, str]:
    """The run's settings as text, for the weights' metadata."""
    return {name: str(value) for name, value in asdict(config).items() if name not in {"folder", "assets"}}
