"""What came of a job: which frames are there, which failed and why, and what the shell hears of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from host_bridge.errors import BridgeError, ExitCode, exit_code_of

if TYPE_CHECKING:
    from host_bridge.events import Origin


@dataclass
class Outcome:
    """What came of a job.

    Attributes:
        delivered: frames whose file is there, by origin.
        failures: error of every frame that could not be made.
        reports: what the engine measured, by frame, of those that it made now.
    """

    delivered: Counter[Origin] = field(default_factory=Counter)
    failures: dict[int, BridgeError] = field(default_factory=dict)
    reports: dict[int, dict[str, object]] = field(default_factory=dict)

    @property
    def exit_code(self) -> ExitCode:
        """Exit code of a process that ran only this job."""
        return exit_code_of(self.failures.values(), self.delivered.total())

    def as_json(self) -> dict[str, object]:
        """Plain values: number of frames by origin, the failed frames and the exit code."""
        return {"delivered": dict(self.delivered), "failed": sorted(self.failures), "exit_code": int(self.exit_code)}
