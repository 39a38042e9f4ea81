"""One matting job from its options to its files: only what is missing or stale is computed."""

from __future__ import annotations

from collections import Counter, deque
from contextlib import closing
from typing import TYPE_CHECKING

import fileseq
from google.protobuf import json_format

from host_bridge.connection.client import Engine, Identity
from host_bridge.connection.stream import MatteStream, Work
from host_bridge.connection.transfer import Transfer
from host_bridge.errors import BridgeError, from_detail
from host_bridge.events import Event, FrameLost, FrameReady, JobStarted, Notice, StageBegan
from host_bridge.files.outputs import Outputs
from host_bridge.files.shot import open_shot
from host_bridge.knobs import build_knobs
from host_bridge.outcome import Outcome
from host_bridge.request import MatteRequest
from host_bridge.staleness import withdraw_stale

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from host_bridge.cancellation import Cancellation
    from host_bridge.files.cache import FrameCache
    from host_bridge.files.content import Hasher
    from host_bridge.files.partfile import PartFile
    from host_bridge.options import MatteOptions
    from host_bridge.wire.v1 import matte_pb2

    Connect = Callable[[MatteOptions, Cancellation], AbstractContextManager[Engine]]

WINDOW = 2
"""Frames in the engine at once: while one is computed the next is already there."""

_LOST_ENGINE = frozenset({"ENGINE_UNAVAILABLE", "ENGINE_LOST", "ENGINE_STOPPING"})
"""Reasons that a fresh engine may cure."""

_ENDS_JOB = _LOST_ENGINE | {"OUTPUT_NOT_WRITABLE", "CANCELLED", "TOKEN_WRONG"}
"""Reasons that no later frame of the job escapes."""

_FUTILE_ENGINES = 3
"""Engines lost in a row, without a frame delivered in between, after which the job gives up."""


class MatteJob:
    """A job, ready to run once.

    Args:
        options: what is asked for.
        connect: finds or starts an engine for them.
        cache: results of earlier jobs.
        hasher: hashes of files seen before.
        emit: hears what happens, in the thread that runs the job.
        cancellation: ends it.
    """

    def __init__(
        self,
        options: MatteOptions,
        connect: Connect,
        cache: FrameCache,
        hasher: Hasher,
        emit: Callable[[Event], None],
        cancellation: Cancellation,
    ) -> None:
        self._options = options
        self._connect = connect
        self._cache = cache
        self._emit = emit
        self._cancellation = cancellation
        window = build_knobs(options.knobs).temporal_window
        self._shot = open_shot(options, window)
        self._outputs = Outputs(options.output, self._shot.frames, self._shot.inputs(), options.overwrite)
        self._request = MatteRequest(options, self._shot, hasher)
        self._todo = deque(self._shot.frames)
        self._losses: Counter[int] = Counter()
        self._sent_again: set[int] = set()
        self._parts: dict[int, PartFile] = {}
        self._outcome = Outcome()
        self._device = ""
        self._found = False

    def run(self) -> Outcome:
        """Deliver every frame that can be made.

        Raises:
            BridgeError: what ends the whole job: cancelled, output not writable, token refused, no engine at all, or a
                request that the engine refuses.
        """
        futile = 0
        while self._todo:
            before = self._outcome.delivered.total()
            try:
                self._run_on_one_engine()
            except BridgeError as error:
                self._cancellation.check()
                if error.reason not in _LOST_ENGINE:
                    raise
                futile = 1 if self._outcome.delivered.total() > before else futile + 1
                if futile == _FUTILE_ENGINES or not (self._device or self._found):
                    self._give_up(error)
        return self._outcome

    def _run_on_one_engine(self) -> None:
        self._found = False
        with self._connect(self._options, self._cancellation) as engine:
            self._found = not self._options.engine  # one of this machine that dies before it is asked is replaced
            identity = engine.identify(self._options.device)
            self._meet(identity)
            self._withdraw_stale(identity)
            transfer = Transfer(engine, identity.description, self._cancellation)
            stream = self._open_stream(engine, identity, transfer)
            try:
                with closing(stream.run(self._works(identity, transfer))) as replies:
                    for work, reply in replies:
                        self._take(work, reply)
            finally:
                self._recover(stream, engine.address.advice)

    def _meet(self, identity: Identity) -> None:
        """A frame's pixels are promised on one device only; say so where a restart has changed it."""
        if self._device and identity.device.name != self._device:
            self._emit(Notice(f"The job goes on on {identity.device.name}; it began on {self._device}."))
        elif not self._device:
            self._emit(JobStarted(self._shot.frames, identity.device.name))
        self._device = identity.device.name

    def _withdraw_stale(self, identity: Identity) -> None:
        if stale := withdraw_stale(self._todo, self._request, self._outputs, identity, self._cancellation):
            numbers = fileseq.framesToFrameRange(stale)
            self._emit(Notice(f"Withdrew results of other inputs or settings: {numbers}. The cache may hold them."))

    def _open_stream(self, engine: Engine, identity: Identity, transfer: Transfer) -> MatteStream:
        setup = transfer.addressed(self._request.setup, self._request.contents)
        limits = identity.description.limits
        if setup.ByteSize() > limits.message_bytes:
            raise BridgeError(
                "LIMIT_EXCEEDED",
                f"The list of {len(setup.plate.entries)} plate images is larger than the engine takes at once.",
                "Render the shot in shorter ranges.",
            )
        transfer.upload_config(setup.color, self._request.contents)
        # Frames that were in a lost engine go one at a time, so that only the one that kills it is blamed.
        window = 1 if any(self._losses[number] for number in self._todo) else WINDOW
        return MatteStream(engine, setup, min(window, limits.frames_in_flight), self._cancellation)

    def _works(self, identity: Identity, transfer: Transfer) -> Iterator[Work]:
        while self._todo:
            self._cancellation.check()
            number = self._todo.popleft()
            try:
                work = self._prepare(number, identity, transfer)
            except BridgeError as error:
                if error.reason in _ENDS_JOB:
                    self._todo.appendleft(number)
                    raise
                self._fail(number, error)
            else:
                if work:
                    yield work

    def _prepare(self, number: int, identity: Identity, transfer: Transfer) -> Work | None:
        """The frame's work, with its files at the engine; None where its result is already there."""
        frame = self._request.frame(number)
        key = self._request.key(frame.message, identity)
        if self._outputs.is_fresh(number, key):
            self._succeed(FrameReady(number, self._outputs.paths[number], "fresh"))
            return None
        part = self._outputs.begin(number)
        if self._cache.copy_to(key, part):
            self._succeed(FrameReady(number, self._outputs.deliver(number, part, key), "cache"))
            return None
        transfer.upload(frame.contents)
        message = transfer.addressed(frame.message, frame.contents)
        message.key = key
        return Work(message)

    def _take(self, work: Work, reply: matte_pb2.MatteReply) -> None:
        match reply.WhichOneof("reply"):
            case "progress":
                self._emit(StageBegan(work.number, reply.progress.stage, reply.progress.done))
            case "chunk":
                self._part(work.number).write(reply.chunk.data)
            case "done":
                self._deliver(work, reply.done)
            case "failed":
                self._refused(work.number, from_detail(reply.failed.error))

    def _deliver(self, work: Work, done: matte_pb2.FrameDone) -> None:
        part = self._part(work.number)
        del self._parts[work.number]
        part.finish(done.sha256, done.size)
        path = self._outputs.deliver(work.number, part, work.message.key)
        self._cache.put(work.message.key, done.sha256, path)
        report = json_format.MessageToDict(done.report, preserving_proto_field_name=True)
        self._succeed(FrameReady(work.number, path, "made", report))

    def _part(self, number: int) -> PartFile:
        if number not in self._parts:
            self._parts[number] = self._outputs.begin(number)
        return self._parts[number]

    def _refused(self, number: int, error: BridgeError) -> None:
        """A file that left the engine's store before its turn is uploaded again, once."""
        if error.reason == "BLOB_MISSING" and number not in self._sent_again:
            self._sent_again.add(number)
            self._todo.appendleft(number)
        else:
            self._fail(number, error)

    def _recover(self, stream: MatteStream, advice: str) -> None:
        """After a stream: drop half files, and put back what was in flight; a frame lost twice has failed."""
        for part in self._parts.values():
            part.discard()
        self._parts.clear()
        for number in sorted(stream.in_flight, reverse=True):
            self._losses[number] += 1
            if self._losses[number] == 1:
                self._todo.appendleft(number)
            else:
                self._fail(number, _killed_twice(number, advice))

    def _give_up(self, error: BridgeError) -> None:
        if not self._outcome.delivered.total() and not self._outcome.failures:
            raise error
        while self._todo:
            self._fail(self._todo.popleft(), error)

    def _succeed(self, ready: FrameReady) -> None:
        self._outcome.delivered[ready.origin] += 1
        if ready.report:
            self._outcome.reports[ready.frame] = ready.report
        self._emit(ready)

    def _fail(self, number: int, error: BridgeError) -> None:
        self._outcome.failures[number] = error
        self._emit(FrameLost(number, error))


def _killed_twice(number: int, advice: str) -> BridgeError:
    return BridgeError(
        "ENGINE_LOST",
        f"Frame {number}: the engine died while it worked on it, and so did a fresh one.",
        advice,
    )
