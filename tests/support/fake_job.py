"""A kind of job whose spec's text says what it does; tests put it in the place of a real kind."""

from __future__ import annotations

import threading
import time

from engine.errors import EngineError
from engine.service.job_kinds.work import FileMade, Finished, Progressed

DATA = bytes(range(256)) * 10_000
"""More than two chunks."""

ended = threading.Event()
"""Set when a run has been left, however."""


def run(spec, work):
    """Do what ``spec.title`` says: work, fail, last until it is cancelled, or use the device."""
    try:
        yield Progressed(0.25, "beginning")
        if spec.title == "fail":
            yield FileMade("page.html", b"half a job")
            raise EngineError("REGISTRATION_FAILED", "Nothing fits.", "Take others.", inliers=3)
        if spec.title == "last":
            yield FileMade("page.html", b"half a job")
            while True:
                work.job.check()
                time.sleep(0.005)
        if spec.title == "device":
            answer = yield from work.on_device("", lambda session, progress: progress(0.5, "there") or session)
            yield Finished({"session": answer})
            return
        yield FileMade("page.html", DATA)
        yield FileMade("empty.txt", b"")
        yield Finished({"pages": 1})
    finally:
        ended.set()
