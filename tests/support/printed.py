"""Prints, at the end of a run, the figures that tests measured; pytest's workers hand them on with their reports."""

from __future__ import annotations

PROPERTY = "measured"


def summary(terminalreporter) -> None:
    """Print what tests recorded as ``measured``."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    lines = [
        line
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, line in report.user_properties
        if name == PROPERTY
    ]
    if lines:
        terminalreporter.section("measured")
        for line in sorted(lines):
            terminalreporter.write_line(line)
