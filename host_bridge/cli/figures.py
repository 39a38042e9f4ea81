"""How well the clean plate lies under the frames: two figures a frame, and the worst of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping


def frame_figures(report: Mapping[str, object]) -> str:
    """``registered to 0.31 px, plate covers 99.2 %``, of a ``FrameReport`` without its zeros; empty for no report."""
    if not report:
        return ""
    registered = f"registered to {_residual(report):.2f} px, " if "inliers" in report else ""
    return f"{registered}plate covers {_coverage(report)}"


def worst_figures(reports: Mapping[int, Mapping[str, object]]) -> str:
    """One sentence with the largest registration residual and the smallest coverage; empty where nothing was made.

    Args:
        reports: ``FrameReport`` by the number of a frame that was made. A residual is the 95th percentile of the
            distance between the features of plate and frame; frames without registration have none.
    """
    if not reports:
        return ""
    least = min(reports, key=lambda number: cast("float", reports[number].get("valid_share", 0.0)))
    parts = [f"plate covers {_coverage(reports[least])} (frame {least})"]
    if registered := [number for number, report in reports.items() if "inliers" in report]:
        worst = max(registered, key=lambda number: _residual(reports[number]))
        parts.insert(0, f"registered to {_residual(reports[worst]):.2f} px (frame {worst})")
    return f"At worst: {', '.join(parts)}."


def _residual(report: Mapping[str, object]) -> float:
    return cast("float", report.get("residual_p95_px", 0.0))


def _coverage(report: Mapping[str, object]) -> str:
    return f"{cast('float', report.get('valid_share', 0.0)):.1%}".replace("%", " %")
