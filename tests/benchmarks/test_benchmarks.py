"""That the benchmarks run; how long anything takes is asserted nowhere."""

import re

import pytest
from click.testing import CliRunner

from tests.benchmarks import __main__, cluster, start_up
from tests.benchmarks.__main__ import main
from tests.benchmarks.page import joined, machine, sections, table
from tests.benchmarks.sections import SECTIONS, Section
from tests.benchmarks.stages import STAGES

# Whose programs take long to start.
_BY_THEMSELVES = ("coverage", "search", "cluster")


def _run(*arguments):
    result = CliRunner().invoke(main, ["--smoke", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_short_form_measures_every_stage_and_writes_the_page(tmp_path):
    page = tmp_path / "benchmarks.md"
    output = _run("--page", page, "--only", ",".join(name for name in SECTIONS if name not in _BY_THEMSELVES))
    text = page.read_text(encoding="utf-8")
    assert _lines(text) == _lines(output)
    assert all(stage in text for stage in STAGES)
    rows = {cells[0]: cells[1:] for cells in _rows(text)}
    assert {"mp3", "flac", "musrec", "decoding what is heard, plainly", "1", "1 min", "musrecd scan"} <= set(rows)
    assert all(float(rows["musrec"][i]) > 0 for i in range(2))
    # A process that holds torch and an encoder, and not what its parent had.
    assert 50 < float(rows["musrec"][-1]) < 1000


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def test_what_is_said_of_asking_stands_on_the_page(tmp_path, monkeypatch):
    monkeypatch.setattr(start_up, "prepare", lambda folder, n_tracks: None)
    monkeypatch.setattr(start_up, "measure", lambda folder, n_tracks, runs: start_up.click.echo(f"{n_tracks} tracks"))
    assert "```text\n200 tracks\n```" in _run("--only", "search")


def test_each_way_of_scanning_with_others_has_its_row(monkeypatch):
    monkeypatch.setattr(cluster, "render", lambda folder, n_files: None)
    monkeypatch.setattr(cluster, "measure", lambda folder, way: (2.0, 0.5))
    rows = _rows(_run("--only", "cluster"))
    assert [row[0] for row in rows[2:]] == list(cluster.WAYS)
    assert all(row[1:] == ["2.0", "0.50", "500"] for row in rows[2:])


@pytest.fixture
def parts(monkeypatch):
    """Three parts that say how often they were measured."""
    counts = dict.fromkeys("abc", 0)

    def measure(name):
        def count(_):
            counts[name] += 1
            return f"{name} {counts[name]}"

        return count

    monkeypatch.setattr(__main__, "SECTIONS", {name: Section(name, f"Part {name}", measure(name)) for name in counts})
    monkeypatch.setattr(__main__.os, "getloadavg", lambda: (0.0, 0.0, 0.0))


def test_a_part_is_written_anew_and_leaves_the_others_as_they_were(parts, tmp_path):
    page = tmp_path / "page.md"
    _run("--page", page)
    before = page.read_text("utf-8") + "\n## Written by hand\n\nstays\n"
    page.write_text(before, "utf-8")
    _run("--page", page, "--only", "b")
    assert page.read_text("utf-8") == before.replace("b 1", "b 2")
    _run("--page", page, "--only", "c,a")
    assert page.read_text("utf-8") == before.replace("b 1", "b 2").replace("a 1", "a 2").replace("c 1", "c 2")


def test_a_part_from_another_machine_says_so(parts, tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    _run("--page", page)
    monkeypatch.setattr(__main__.page, "machine", lambda: "A newer one, 4 cores.")
    _run("--page", page, "--only", "b")
    found = sections(page.read_text("utf-8"))
    assert found["Part b"] == "b 2\n\nMeasured by itself: A newer one, 4 cores."
    assert "A newer one" not in found[""]
    assert found["Part a"] == "a 1"


def test_a_busy_machine_is_told(parts, monkeypatch):
    monkeypatch.setattr(__main__.os, "getloadavg", lambda: (1000.0, 0.0, 0.0))
    assert "The machine was busy with other things (1000 " in _run("--only", "a")


def test_parts_that_were_measured_are_kept_when_one_fails(parts, tmp_path, monkeypatch):
    def fail(_):
        raise RuntimeError("no")

    monkeypatch.setitem(__main__.SECTIONS, "b", Section("b", "Part b", fail))
    page = tmp_path / "page.md"
    with pytest.raises(RuntimeError):
        CliRunner().invoke(main, ["--page", str(page)], catch_exceptions=False)
    assert list(sections(page.read_text("utf-8"))) == ["", "Part a"]


def test_an_unknown_part_is_refused_with_those_that_there_are():
    result = CliRunner().invoke(main, ["--only", "analysis,nothing"])
    assert result.exit_code == 2
    assert "there is no nothing; there are analysis," in result.output


@pytest.mark.parametrize("text", ["", "# A\n\ntext\n", "# A\n\n## B\n\nb\n\n### C\n\nc\n\n## D\n\nd\n"])
def test_a_page_that_is_taken_apart_and_put_together_is_the_same(text):
    assert joined(sections(text)).strip() == text.strip()


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
