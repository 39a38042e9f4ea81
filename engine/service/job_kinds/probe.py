"""What an image's headers say."""

from __future__ import annotations

from collections.abc import Iterator

from engine.service.job_kinds.work import Finished, JobStep, JobWork
from engine.service.translate.requests import file_ref
from host_bridge.wire.v1 import job_pb2


def run(spec: job_pb2.ProbeSpec, work: JobWork) -> Iterator[JobStep]:
    """Read the headers of all parts; it needs no colour space."""
    header = work.compute.probe(work.load(file_ref(spec.image, "probe.image")))
    yield Finished(header)
