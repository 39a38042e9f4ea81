"""One job other than matting, from its spec to its files: what every such command runs through."""

from __future__ import annotations

import secrets
import uuid
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from host_bridge.connection.client import translated_errors
from host_bridge.connection.transfer import Transfer
from host_bridge.errors import BridgeError
from host_bridge.events import Advanced
from host_bridge.files.partfile import PartFile, unwritable
from host_bridge.wire.v1 import job_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from google.protobuf.message import Message

    from host_bridge.cancellation import Cancellation
    from host_bridge.connection.client import Engine
    from host_bridge.files.content import Content
    from host_bridge.wire.v1 import engine_pb2, image_pb2


@dataclass(frozen=True)
class EngineJob:
    """A job as it is asked for.

    Attributes:
        kind: field of ``JobRequest.spec``.
        spec: its message; images by hash, without paths.
        contents: the files that it names, by hash.
        color: its colour, where a configuration may have to be uploaded.
        outputs: final path of every file that the kind makes, by the name that it documents.
        overwrite: replace files at those paths.
    """

    kind: str
    spec: Message
    contents: Mapping[str, Content] = field(default_factory=dict)
    color: image_pb2.ColorSetup | None = None
    outputs: Mapping[str, Path] = field(default_factory=dict)
    overwrite: bool = False

    def check_outputs(self) -> None:
        """Look at the places of its files before any work begins.

        Raises:
            BridgeError: ``OUTPUT_NOT_WRITABLE`` for a missing folder, ``OUTPUT_EXISTS``.
        """
        for path in self.outputs.values():
            if not path.parent.is_dir():
                message = f"The output folder {path.parent} does not exist."
                raise BridgeError("OUTPUT_NOT_WRITABLE", message, "Make it, or correct -o.")
            if path.exists() and not self.overwrite:
                step = "Choose another output, or move that file away; --overwrite replaces it."
                raise BridgeError("OUTPUT_EXISTS", f"{path} exists.", step)


def run_engine_job(
    job: EngineJob, engine: Engine, emit: Callable[[Advanced], None], cancellation: Cancellation
) -> job_pb2.JobDone:
    """Upload what the engine lacks, run the job, and write its files under their final names at its end.

    Args:
        job: what to do; call its `check_outputs` first.
        engine: who does it.
        emit: hears of progress.
        cancellation: ends it: nothing is left behind then.

    Returns:
        The job's last event.

    Raises:
        BridgeError: whatever ends it; ``UNSUPPORTED`` where the engine does not know the kind.
    """
    description = engine.describe()
    _check_kind(job.kind, description)
    transfer = Transfer(engine, description, cancellation)
    _check_room(transfer.unseen_bytes(job.contents), description)
    transfer.upload(job.contents)
    if job.color is not None:
        transfer.upload_config(job.color, job.contents)
    spec = transfer.addressed(job.spec, job.contents)
    request = job_pb2.JobRequest(job_id=uuid.uuid4().hex, **{job.kind: spec})  # type: ignore[arg-type]
    if request.ByteSize() > description.limits.message_bytes:
        raise BridgeError("LIMIT_EXCEEDED", "The job names too many files for one message.", "Name fewer frames.")
    with ExitStack() as exits:
        files = _JobFiles(job.outputs)
        exits.callback(files.discard)
        call = engine.run_job(request)
        exits.callback(call.cancel)
        with cancellation.watch(call.cancel), translated_errors(engine.address):
            for event in call:
                match event.WhichOneof("event"):
                    case "progress":
                        emit(Advanced(event.progress.done, event.progress.message))
                    case "chunk":
                        files.take(event.chunk)
                    case "done":
                        cancellation.check()
                        files.deliver(event.done)
                        return event.done
    raise BridgeError("ENGINE_LOST", "The engine ended the job early.", engine.address.advice)


class _JobFiles:
    """The files of a job while they arrive, each beside its final place."""

    def __init__(self, outputs: Mapping[str, Path]) -> None:
        self._outputs = outputs
        self._parts: dict[str, PartFile] = {}
        self._name = ""

    def take(self, chunk: job_pb2.JobChunk) -> None:
        """Append a piece; a named one begins a file."""
        if chunk.name:
            self._begin(chunk.name)
        self._parts[self._name].write(chunk.data)

    def deliver(self, done: job_pb2.JobDone) -> None:
        """Check every file, then give each its final name."""
        for file in done.files:
            self._parts[file.name].finish(file.sha256, file.size)
        for name in [file.name for file in done.files]:
            final = self._outputs[name]
            try:
                self._parts[name].path.replace(final)
            except OSError as error:
                raise unwritable(final, error) from error
            del self._parts[name]

    def discard(self) -> None:
        """Remove what has not been delivered."""
        for part in self._parts.values():
            part.discard()

    def _begin(self, name: str) -> None:
        if name not in self._outputs:
            raise BridgeError(
                "VERSION_MISMATCH",
                f"The engine sends a file '{name}' that was not asked for.",
                "Install the same PlateKey on both sides.",
            )
        final = self._outputs[name]
        self._name = name
        self._parts[name] = PartFile(final.with_name(f".{final.name}.{secrets.token_hex(4)}.part"), final)


def _check_kind(kind: str, description: engine_pb2.DescribeResponse) -> None:
    if kind not in description.features.jobs:
        raise BridgeError(
            "UNSUPPORTED",
            f"This engine ({description.version}) runs no {kind} jobs.",
            "Install the same PlateKey on both sides, or stop the old engine with 'platekey stop'.",
        )


def _check_room(size: int, description: engine_pb2.DescribeResponse) -> None:
    """All uploads of a job must lie in the store at once."""
    room = description.limits.store_bytes
    if size > room:
        raise BridgeError(
            "LIMIT_EXCEEDED",
            f"The job needs {size / 2**30:.1f} GiB of files, and the engine holds {room / 2**30:.1f}.",
            "Name fewer frames, or use an engine that reads the same disk (--root).",
        )
