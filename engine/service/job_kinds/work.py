"""What a job of any kind is given, and what it yields."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from engine.service.compute import Compute
from engine.service.device_queue import DeviceQueues
from engine.service.jobs import Job
from engine.service.library import FileRef
from engine.settings import Source

if TYPE_CHECKING:
    from engine.pipeline.decode import Header
    from engine.pipeline.session import Session

Result = TypeVar("Result")
Progress: TypeAlias = Callable[[float, str], None]
"""Told the share that is done, 0..1, and what is being done, in a few words."""


@dataclass(frozen=True)
class Progressed:
    """The job has come further: the share that is done, 0..1, and what is being done."""

    done: float
    message: str


@dataclass(frozen=True)
class FileMade:
    """A file is complete. ``name`` has no folder; a job's files have different names."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Finished:
    """The job's last step: an image's headers, or values that JSON can hold, by the keys its spec documents."""

    result: Header | dict[str, object]


JobStep: TypeAlias = Progressed | FileMade | Finished


@dataclass(frozen=True)
class JobWork:
    """What a job may use.

    Attributes:
        job: its id, and whether it is still wanted; ask ``job.check()`` at least once a second.
        load: reads a file that the spec names; raises `EngineError` where the engine does not hold it.
        compute: the pipeline's libraries.
        queues: the devices.
        default_device: where the spec names none.
    """

    job: Job
    load: Callable[[FileRef], Source]
    compute: Compute
    queues: DeviceQueues
    default_device: str

    def on_device(
        self, device: str, work: Callable[[Session, Progress], Result]
    ) -> Generator[Progressed, None, Result]:
        """Do something in the device's turn, as frames are matted; its progress is yielded meanwhile.

        Long work should come in several pieces, since other clients of the device wait for each.

        Args:
            device: id; empty for the default.
            work: called on the device's worker with its session and a function to tell progress by.

        Returns:
            What ``work`` returned. Its exceptions are raised here.

        Raises:
            EngineError: CANCELLED, LIMIT_EXCEEDED (no lane), or what ``work`` raises.
        """
        device = device or self.default_device
        told: SimpleQueue[Progressed | Future[Result] | None] = SimpleQueue()
        self.job.on_cancel(partial(told.put, None))
        with self.queues.of(device).lane() as lane:
            lane.submit(
                lambda: work(self.compute.session(device), lambda done, text: told.put(Progressed(done, text))),
                told.put,
            )
            while not isinstance(heard := told.get(), Future):
                self.job.check()
                if heard is not None:
                    yield heard
            return heard.result()
