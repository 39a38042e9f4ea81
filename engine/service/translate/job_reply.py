"""A job's steps to wire."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import astuple
from typing import TYPE_CHECKING

from engine.service.job_kinds.work import FileMade, Finished, JobStep, Progressed
from host_bridge.wire.v1 import job_pb2

if TYPE_CHECKING:
    from engine.pipeline.decode import Header, PartHeader


class JobReply:
    """The events of one job, in order.

    Args:
        job_id: of every event.
        chunk_bytes: size of the pieces that files are sent in.
    """

    def __init__(self, job_id: str, chunk_bytes: int) -> None:
        self._id = job_id
        self._chunk_bytes = chunk_bytes
        self._files: list[job_pb2.JobFile] = []

    def events(self, step: JobStep) -> Iterator[job_pb2.JobEvent]:
        """Tell a step; a file in pieces, its name on the first."""
        match step:
            case Progressed(done, message):
                yield job_pb2.JobEvent(job_id=self._id, progress=job_pb2.JobProgress(done=done, message=message))
            case FileMade():
                yield from self._file(step)
            case Finished():
                yield job_pb2.JobEvent(job_id=self._id, done=self._done(step))

    def _file(self, made: FileMade) -> Iterator[job_pb2.JobEvent]:
        sha256 = hashlib.sha256(made.data).hexdigest()
        self._files.append(job_pb2.JobFile(name=made.name, sha256=sha256, size=len(made.data)))
        for start in range(0, max(len(made.data), 1), self._chunk_bytes):
            piece = made.data[start : start + self._chunk_bytes]
            chunk = job_pb2.JobChunk(name="" if start else made.name, data=piece)
            yield job_pb2.JobEvent(job_id=self._id, chunk=chunk)

    def _done(self, step: Finished) -> job_pb2.JobDone:
        if isinstance(step.result, dict):
            return job_pb2.JobDone(json=json.dumps(step.result), files=self._files)
        return job_pb2.JobDone(probe=_probe_result(step.result), files=self._files)


def _probe_result(header: Header) -> job_pb2.ProbeResult:
    return job_pb2.ProbeResult(format=header.format, parts=[_part(part) for part in header.parts])


def _part(part: PartHeader) -> job_pb2.PartInfo:
    return job_pb2.PartInfo(
        name=part.name,
        channels=part.channels,
        data_window=astuple(part.data_window),
        display_window=astuple(part.display_window),
        pixel_aspect=part.pixel_aspect,
        depth=part.depth,
        deep=part.deep,
    )
