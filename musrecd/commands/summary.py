"""What a run did, in one line."""

from musrecd.display import clock, counted
from musrecd.ingest.report import Report


def summary_line(report: Report) -> str:
    """Return what a run did, in one line."""
    speed = f", {report.done / report.seconds:.1f} per second" if report.analysed and report.seconds > 1 else ""
    parts = [f"Analysed {counted(report.analysed, 'track')} in {clock(report.seconds)}{speed}"]
    if report.recognised:
        parts.append(f"{report.recognised:,} recognised (moved, copied or retagged)")
    if report.known:
        parts.append(f"{report.known:,} known before")
    if report.skipped:
        parts.append(f"{report.skipped:,} left out (failed before)")
    parts.append(f"{report.failed:,} failed")
    line = "; ".join(parts) + "."
    return f"Stopped. {line} Run the same command to go on." if report.interrupted else line
