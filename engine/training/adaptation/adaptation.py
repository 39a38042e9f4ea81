"""An adaptation, step by step: key the clip, measure, learn and measure by turns, keep the best, or the base.

Every step is short, so that a device can serve others between two of them. The state is on disk after each check and at
an early end, so that an adaptation that was ended goes on where it was.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Generator
from contextlib import suppress
from dataclasses import astuple, dataclass
from typing import Any, TypeAlias, TypeVar

from torch import Tensor, nn

from engine.errors import EngineError
from engine.network.device import is_out_of_memory
from engine.network.table import ModelCard, card, load_network
from engine.pipeline.session import Session
from engine.training.adaptation.clip import LEAST, Clip, key_frame
from engine.training.adaptation.held_out import HeldOut, Measured
from engine.training.adaptation.model_file import model_bytes
from engine.training.adaptation.samples import sample_size
from engine.training.adaptation.trainers import averaged, make_trainer, require_method
from engine.training.adaptation.wish import Adapted, Wish, spread
from engine.training.checkpoint import has_checkpoint, load_checkpoint, save_checkpoint
from engine.training.trainer import Trainer

Found = TypeVar("Found")
Steps: TypeAlias = Generator[tuple[float, str], None, Found]
"""The share that is done and what is being done, after each step; at last what was found."""

_KEYING = 0.4
"""Share of the seconds after which no more frames are keyed, if there are enough to learn from."""

_PIECE = 1.0
"""Seconds of learning after which others may use the device."""

_CHECKS, _PATIENCE = 8, 3
"""Checks on the held-out frames while learning; as many in a row without a gain end it."""


@dataclass
class _Best:
    """The best weights so far that help, and the last figures; none while nothing helps."""

    before: Measured
    measured: Measured
    weights: dict[str, Tensor] | None = None
    waiting: int = 0

    def take(self, measured: Measured, weights: dict[str, Tensor]) -> None:
        """Hear of a check: of those that help, the one with the least error is the best."""
        helps = measured.helps(self.before)
        if helps and (self.weights is None or measured.exact < self.measured.exact):
            self.measured, self.weights, self.waiting = measured, copy.deepcopy(weights), 0
            return
        self.waiting += 1
        if self.weights is None:
            self.measured = measured


class Adaptation:
    """One adaptation, to be stepped through once; the base model is never changed.

    Args:
        wish: what is asked for.
        session: of the device; used during the steps only.

    Attributes:
        result: what came of it, after the last step.

    Raises:
        EngineError: what the wish has wrong; MODEL_UNKNOWN; UNSUPPORTED for a network that the method cannot teach.
    """

    def __init__(self, wish: Wish, session: Session) -> None:
        wish.check()
        self.result: Adapted | None = None
        self._wish, self._session = wish, session
        self._base: ModelCard = card(wish.job.knobs.model)
        require_method(wish.method, self._base)
        self._spent = 0.0

    def steps(self) -> Steps[None]:
        """Work; yields the share that is done and what is being done, after each step. Stop asking to end it.

        Raises:
            EngineError: whatever the pipeline finds wrong with a frame; BAD_REQUEST where no subject is certain;
                OUT_OF_MEMORY; LIMIT_EXCEEDED where the disk is full.
        """
        try:
            yield from self._work()
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            step = "Close other programs that use the device, name frames at half the size, or adapt on the CPU."
            message = f"{self._session.device} has too little memory to adapt {self._base.name}."
            raise EngineError("OUT_OF_MEMORY", message, step) from error
        except OSError as error:
            message = f"The adaptation's files in {self._wish.folder} cannot be written ({error.strerror or error})."
            step = "Make room there and start again: it goes on from the last check."
            raise EngineError("LIMIT_EXCEEDED", message, step) from error

    def _work(self) -> Steps[None]:
        self._wish.folder.mkdir(parents=True, exist_ok=True)
        clip = yield from self._keyed()
        held_out = HeldOut(clip, self._base.architecture)
        network = load_network(self._base.name, self._session.device)
        before = yield from self._measured(held_out, network, "measuring the model")
        trainer = make_trainer(self._wish, clip, self._base.name, max(self._wish.seconds - self._spent, 1.0))
        best = self._resumed(trainer, before)
        try:
            yield from self._learned(trainer, held_out, best)
        except GeneratorExit:
            with suppress(OSError):  # nobody waits for an answer any more; what the last check left is there
                self._save(trainer, best)
            raise
        self._conclude(clip, trainer, before, best)
        shutil.rmtree(self._wish.folder, ignore_errors=True)
        yield 1.0, "done"

    def _keyed(self) -> Steps[Clip]:
        """Key the clip's frames, the most spread ones first, as far as their share of the time allows."""
        frames = dict(self._wish.frames)
        wanted = spread(sorted(frames))
        clip = Clip(self._wish.folder, tuple(sorted(wanted)))
        keyed: list[int] = []
        for number in wanted:
            if len(keyed) >= LEAST and self._spent > _KEYING * self._wish.seconds:
                break
            yield self._done, f"keying frame {number}"
            began = self._wish.clock()
            if not clip.has(number):
                key_frame(self._wish.job, frames[number](), self._session, clip, lambda: False)
            keyed.append(number)
            self._spent += self._wish.clock() - began
        clip = Clip(self._wish.folder, tuple(sorted(keyed)))
        _check_clip(clip)
        return clip

    def _measured(self, held_out: HeldOut, network: nn.Module, what: str) -> Steps[Measured]:
        measuring = held_out.measure(network)
        while True:
            began = self._wish.clock()
            found = next(measuring)
            self._spent += self._wish.clock() - began
            if found is not None:
                return found
            yield self._done, what

    def _learned(self, trainer: Trainer, held_out: HeldOut, best: _Best) -> Steps[None]:
        """Learn and check by turns, until the time is spent or nothing is gained any more."""
        checked = int(trainer.spent * _CHECKS)
        while trainer.spent < 1 and best.waiting < _PATIENCE:
            if not self._learn_piece(trainer):
                break
            yield self._done, f"learning, step {trainer.step}"
            if int(min(trainer.spent, 1.0) * _CHECKS) > checked:
                checked = int(trainer.spent * _CHECKS)
                spent = self._spent
                measured = yield from self._measured(held_out, averaged(trainer), f"checking step {trainer.step}")
                trainer.hours += (self._spent - spent) / 3600
                best.take(measured, trainer.average.values)
                self._save(trainer, best)

    def _learn_piece(self, trainer: Trainer) -> bool:
        """Learn for a moment; false where the loss is no number any more, which ends learning and loses nothing."""
        began = self._wish.clock()
        try:
            while trainer.spent < 1 and self._wish.clock() - began < _PIECE:
                step = self._wish.clock()
                trainer.learn(trainer.recipe.source.batch(trainer.step, trainer.spent))
                trainer.hours += (self._wish.clock() - step) / 3600
        except EngineError as error:
            if error.reason != "INTERNAL":
                raise
            return False
        finally:
            self._spent += self._wish.clock() - began
        return True

    def _conclude(self, clip: Clip, trainer: Trainer, before: Measured, best: _Best) -> None:
        after = best.measured
        helped = best.weights is not None
        weights = best.weights or load_network(self._base.name, "cpu").state_dict()
        facts = {
            "clip": f"frames {clip.numbers[0]}-{clip.numbers[-1]}",
            "method": self._wish.method,
            "helped": str(helped),
            "error before": f"{before.exact:g}",
            "error after": f"{after.exact:g}",
            "steps": str(trainer.step),
        }
        self.result = Adapted(
            data=model_bytes(weights, self._base, facts),
            helped=helped,
            before=before,
            after=after,
            steps=trainer.step,
            seconds=self._spent,
            learned=clip.learned,
            held_out=clip.held_out,
            model=self._base.name,
        )

    @property
    def _done(self) -> float:
        return min(self._spent / self._wish.seconds, 0.99)

    def _save(self, trainer: Trainer, best: _Best) -> None:
        trainer.save()
        state: dict[str, Any] = {"measured": astuple(best.measured)}
        state |= {"weights": best.weights, "waiting": best.waiting, "spent": self._spent}
        place = self._wish.folder / "best"
        place.mkdir(exist_ok=True)
        save_checkpoint(place, state)

    def _resumed(self, trainer: Trainer, before: Measured) -> _Best:
        place = self._wish.folder / "best"
        if not (trainer.resume() and has_checkpoint(place)):
            return _Best(before, before)
        state = load_checkpoint(place)
        self._spent = max(self._spent, state["spent"])
        return _Best(before, Measured(*state["measured"]), state["weights"], state["waiting"])


def _check_clip(clip: Clip) -> None:
    """Refuse a clip that nothing can be learned from.

    Raises:
        EngineError: BAD_REQUEST where fewer than two frames show a subject that is certain; SIZE_MISMATCH for pictures
            smaller than a sample.
    """
    if len(clip.subjects) < 2:
        message = f"The model finds a subject that is certain in {len(clip.subjects)} of {len(clip.numbers)} frames."
        step = "Name frames in which the subject is in view and keyed well, or draw a core matte."
        raise EngineError("BAD_REQUEST", message, step)
    if not sample_size(clip):
        message = f"The clip's frames are {clip.size[1]} x {clip.size[0]}, too small to adapt to."
        raise EngineError("SIZE_MISMATCH", message, "Name frames of the size that is delivered.")
