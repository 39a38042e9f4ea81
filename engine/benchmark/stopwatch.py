"""Time of the network within the stage that calls it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.benchmark.contender import Contender
from engine.network.keyer import Keyer
from engine.network.platenet import Prediction
from engine.network.platenet.light import Noise


@dataclass(frozen=True)
class Seconds:
    """Time on the wall, and on all cores together."""

    wall: float
    cpu: float

    def __add__(self, other: Seconds) -> Seconds:
        return Seconds(self.wall + other.wall, self.cpu + other.cpu)


def now(device: str) -> Seconds:
    """The time, once everything asked of the device is done."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    return Seconds(time.perf_counter(), time.process_time())


def since(start: Seconds, device: str) -> Seconds:
    """The time that has passed."""
    end = now(device)
    return Seconds(end.wall - start.wall, end.cpu - start.cpu)


@dataclass
class Notes:
    """What was seen of a frame.

    Attributes:
        calls: time in the keyer, over all tiles.
        inside: of that, time in the network proper, where the keyer calls it whole.
        refined_share: of the last tile, what a sparse refiner computed at full resolution; None for a dense network.
    """

    calls: Seconds = Seconds(0, 0)
    inside: Seconds = Seconds(0, 0)
    refined_share: float | None = None

    @property
    def network(self) -> Seconds:
        """Time of the network, without conversions that only our pipeline needs where those can be told apart."""
        return self.inside if self.inside.wall > 0 else self.calls


@dataclass
class Stopwatch:
    """A `Keyer` that does what another one does, and notes how long that took."""

    keyer: Keyer
    entrant: Contender
    device: str
    notes: Notes = field(default_factory=Notes)

    @property
    def stride(self) -> int:
        """Of the other one."""
        return self.keyer.stride

    @property
    def margin(self) -> int | None:
        """Of the other one."""
        return self.keyer.margin

    @property
    def bytes_per_pixel(self) -> int:
        """Of the other one."""
        return self.keyer.bytes_per_pixel

    @property
    def takes_hint(self) -> bool:
        """Of the other one."""
        return self.keyer.takes_hint

    def at(self, height: int, width: int, noise: Noise | None = None) -> Stopwatch:
        """The other one for pictures of this size, with the same notes."""
        return Stopwatch(self.keyer.at(height, width, noise), self.entrant, self.device, self.notes)

    def __call__(self, frame: Tensor, plate: Tensor, valid: Tensor, hint: Tensor) -> Prediction:
        """Matte a batch, and note."""
        starts: list[Seconds] = []
        before = self.entrant.network.register_forward_pre_hook(lambda *_: starts.append(now(self.device)))
        after = self.entrant.network.register_forward_hook(lambda *_: self._note_inside(starts.pop()))
        start = now(self.device)
        with before, after:
            prediction = self.keyer(frame, plate, valid, hint)
        self.notes.calls += since(start, self.device)
        self.notes.refined_share = getattr(self.keyer, "refined_share", None)
        return prediction

    def _note_inside(self, start: Seconds) -> None:
        self.notes.inside += since(start, self.device)
