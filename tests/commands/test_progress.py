"""The one line that says what a run did."""

import pytest

from musrecd.commands.progress import ProgressBar
from musrecd.commands.summary import summary_line
from musrecd.ingest.report import Report


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (Report(), "Analysed 0 tracks in 0:00; 0 failed."),
        (Report(analysed=1, seconds=0.5), "Analysed 1 track in 0:00; 0 failed."),
        (Report(analysed=1500, failed=12, seconds=754), "Analysed 1,500 tracks in 12:34, 2.0 per second; 12 failed."),
        (
            Report(analysed=2, recognised=3, known=4, skipped=5, seconds=0.2),
            "Analysed 2 tracks in 0:00; 3 recognised (moved, copied or retagged); 4 known before; "
            "5 left out (failed before); 0 failed.",
        ),
        (
            Report(analysed=7, interrupted=True, seconds=0.9),
            "Stopped. Analysed 7 tracks in 0:01; 0 failed. Run the same command to go on.",
        ),
    ],
)
def test_summary_is_one_readable_line(report, line):
    assert summary_line(report) == line


def test_tells_how_many_workers_take_part():
    with ProgressBar("Analysing") as bar:
        bar.on_crew(1)
        assert bar._progress.tasks[0].description == "Analysing on 1 worker"
        bar.on_crew(1200)
        assert bar._progress.tasks[0].description == "Analysing on 1,200 workers"
