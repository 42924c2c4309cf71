"""That the benchmarks run; how long anything takes is asserted nowhere."""

import re

from click.testing import CliRunner

from tests.benchmarks.__main__ import main
from tests.benchmarks.page import machine, table
from tests.benchmarks.stages import STAGES


def test_the_short_form_measures_every_stage_and_writes_the_page(tmp_path):
    page = tmp_path / "benchmarks.md"
    result = CliRunner().invoke(main, ["--smoke", "--page", str(page)], catch_exceptions=False)
    assert result.exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.strip()] == [
        line for line in result.output.splitlines() if line.strip()
    ]
    assert all(stage in text for stage in STAGES)
    rows = {cells[0]: cells[1:] for cells in _rows(text)}
    assert {"mp3", "flac", "musrec", "decoding what is heard, plainly", "1", "1 min"} <= set(rows)
    assert all(float(rows["musrec"][i]) > 0 for i in range(2))
    # A process that holds torch and an encoder, and not what its parent had.
    assert 50 < float(rows["musrec"][-1]) < 1000


def _rows(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]


def test_tables_are_markdown_and_stand_in_columns():
    lines = table(["what", "ms"], [["a", "1"], ["longer", "1000"]]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert re.fullmatch(r"\|-+\|-+:\|", lines[1])


def test_the_machine_is_named_by_its_processor_and_not_by_its_name():
    import platform

    assert re.search(r"\d+ cores", machine())
    assert "numpy" in machine()
    assert platform.node() not in machine().split()
