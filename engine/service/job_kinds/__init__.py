"""Jobs other than matting: one file a kind, each with one function `run`.

A kind's function takes the job's spec as it came over the wire and a `JobWork`, and yields `Progressed`, `FileMade` and
at last one `Finished`. It raises `EngineError`; the service's door turns that into a status. To add a kind: its spec in
`job.proto`, a file here, a line in `KINDS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, Protocol

from engine.service.job_kinds.work import JobStep, JobWork

KINDS = {
    "probe": "engine.service.job_kinds.probe",
    "build_plate": "engine.service.job_kinds.build_plate",
    "adapt": "engine.service.job_kinds.adapt",
    "inspect": "engine.service.job_kinds.inspect",
    "report": "engine.service.job_kinds.report",
}
"""Field of `JobRequest.spec` -> module, loaded with the first job of its kind, so that an engine starts quickly."""


class Run(Protocol):
    """What a kind's module calls `run`."""

    def __call__(self, spec: Any, work: JobWork) -> Iterator[JobStep]:  # noqa: ANN401 - each kind has its own spec
        """Do the job."""


def run_of(kind: str) -> Run:
    """The function of a kind that is in `KINDS`."""
    run: Run = import_module(KINDS[kind]).run
    return run
