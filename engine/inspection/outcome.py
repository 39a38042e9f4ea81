"""All that an inspection has found, as one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from engine.inspection.findings import Finding, of_plate, of_shot
from engine.inspection.measure import Measured
from engine.inspection.verdicts import Line, Verdict, judge, worst
from engine.pipeline.continuity import Continuity
from engine.pipeline.registration import is_black
from engine.values import Array


@dataclass(frozen=True)
class Inspection:
    """What came of it.

    Attributes:
        lines: a verdict for each figure.
        findings: sentences.
        measured: the frames behind them.
    """

    lines: list[Line]
    findings: list[Finding]
    measured: list[Measured]

    @property
    def verdict(self) -> Verdict:
        """The worst of all."""
        return worst([*(line.verdict for line in self.lines), *(found.verdict for found in self.findings)])

    def as_json(self) -> dict[str, object]:
        """By the keys that ``InspectSpec`` documents."""
        return {
            "verdict": self.verdict,
            "lines": [asdict(line) for line in self.lines],
            "findings": [asdict(found) for found in self.findings],
            "frames": [_figures(one) for one in self.measured],
        }


def conclude(measured: Sequence[Measured], plate: Array | None, continuity: Continuity, count: int) -> Inspection:
    """Weigh everything.

    Args:
        measured: frames that were measured.
        plate: ``(H, W, 3)`` linear as read; None where none could be.
        continuity: of the frames that were looked through.
        count: frames that the shot has; 0 for a still picture.
    """
    faults = list(of_plate(plate)) if plate is not None else []
    usable = plate is None or not is_black(plate)
    return Inspection(judge(measured), [*faults, *of_shot(measured, continuity, count, usable)], list(measured))


def _figures(one: Measured) -> dict[str, object]:
    named = {item.name: getattr(one, item.name) for item in fields(one) if item.name not in ("number", "look")}
    return {"frame": one.number, **named}
