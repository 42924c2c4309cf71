"""The beets commands, as a person types them."""

import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from musrecd.library.reader import LibraryReader
from tests.beetsplug.conftest import make_beet


def ids(beet, *query) -> list[str]:
    return beet("ls", "-f", "$id", *query).stdout.split()


def test_help_explains_itself(beet):
    text = beet("help", "similar").stdout
    for words in (
        "QUERY",
        "--number",
        "--min-score",
        "--json",
        "--path",
        "--format",
        "--preset mix --explain",
        "--unlike",
    ):
        assert words in text


def test_similar_shows_seed_and_scores_best_first(beet):
    result = beet("similar", "id:1", "-n", 4)
    header, *lines = result.stdout.splitlines()
    assert header.startswith("Sounds like ")
    scores = [float(line.split()[0]) for line in lines]
    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)


def test_several_matches_are_seeds_together_and_none_is_an_answer(beet):
    answer = json.loads(beet("similar", "id:1..3", "--json", "-n", 100).stdout)
    assert [seed["id"] for seed in answer["seeds"]] == [1, 2, 3] or len(answer["seeds"]) == 3
    found = {result["id"] for result in answer["results"]}
    assert found == set(map(int, ids(beet))) - {1, 2, 3}


def test_format_path_and_number_follow_beets_habits(beet):
    assert beet("similar", "id:1", "-n", 2, "-f", "$id|$musrec_score").stdout.count("|") == 2
    paths = beet("similar", "id:1", "-n", 3, "-p").stdout.splitlines()
    assert len(paths) == 3
    assert all(Path(path).is_file() for path in paths)


def test_least_score_is_kept(beet):
    everything = json.loads(beet("similar", "id:1", "--json", "-n", 100).stdout)["results"]
    middle = everything[5]["score"]
    kept = json.loads(beet("similar", "id:1", "--json", "-n", 100, "--min-score", middle - 0.00005).stdout)["results"]
    assert kept == [result for result in everything if result["score"] >= middle]


def test_copies_of_the_seed_are_left_out(tmp_path, tiny_weights, rendered_files):
    beet = make_beet(tmp_path, tiny_weights)
    (tmp_path / "new").mkdir()
    for name, source in (("one", rendered_files[0]), ("same", rendered_files[0]), ("other", rendered_files[1])):
        shutil.copy(source, tmp_path / "new" / f"{name}{source.suffix}")
    beet("import", "-A", tmp_path / "new")
    beet("analyse")
    answer = json.loads(beet("similar", "id:1", "--json").stdout)
    assert len(answer["results"]) == 1


def test_tracks_not_heard_yet_are_counted_with_the_command_that_helps(tmp_path, tiny_weights, rendered):
    beet = make_beet(tmp_path, tiny_weights)
    beet("import", "-A", rendered)
    nothing = beet("similar", "id:1")
    assert nothing.returncode == 1
    assert "beet analyse" in nothing.stderr
    assert beet("analyse", "id:1..4").returncode == 0
    some = beet("similar", "id:1")
    assert some.returncode == 0
    assert "8 tracks not analysed yet: run `beet analyse`" in some.stderr
    assert len(some.stdout.splitlines()) == 4
    seeds = beet("similar", "id:6..11")
    assert seeds.returncode == 1
    assert "not analysed yet; run `beet analyse id:6..11` first" in seeds.stderr


def test_a_track_that_is_asked_about_is_heard_at_once(tmp_path, tiny_weights, rendered_files):
    beet = make_beet(tmp_path, tiny_weights)
    (tmp_path / "new").mkdir()
    for number in range(3):
        shutil.copy(rendered_files[number], tmp_path / "new")
    beet("import", "-A", tmp_path / "new")
    assert beet("analyse", "id:1").returncode == 0
    answer = beet("similar", "id:3")
    assert answer.returncode == 0, answer.stderr
    assert len(answer.stdout.splitlines()) == 2
    assert len(json.loads(beet("similar", "id:3", "--json").stdout)["results"]) == 1


def test_genres_and_year_of_beets_are_known_to_the_library(tmp_path, tiny_weights, rendered_files):
    beet = make_beet(tmp_path, tiny_weights)
    (tmp_path / "new").mkdir()
    shutil.copy(rendered_files[0], tmp_path / "new")
    beet("import", "-A", tmp_path / "new")
    beet("modify", "-yW", "id:1", "genres=Dub; Acid Jazz", "year=1994")

    def tags():
        with LibraryReader.open(tmp_path / "musrec.db") as reader:
            [path] = reader.analysed_paths("tiny-1")
            return reader.tracks_at([path], "tiny-1")[path].tags

    assert beet("analyse").returncode == 0
    assert (tags().genres, tags().year) == (("Dub", "Acid Jazz"), 1994)
    assert beet("modify", "-yw", "id:1", "genres=Ska", "year=0", "title=Another").returncode == 0
    assert (tags().genres, tags().year, tags().title) == (("Ska",), None, "Another")


def test_a_track_that_cannot_be_heard_is_named_with_the_reason(tmp_path, tiny_weights, rendered):
    beet = make_beet(tmp_path, tiny_weights)
    beet("import", "-A", rendered)
    beet("analyse", "id:1..3")
    path = Path(os.fsdecode(beet("ls", "-p", "id:5").stdout.strip()))
    path.write_bytes(b"nothing")
    for _ in range(2):
        answer = beet("similar", "id:5")
        assert answer.returncode == 1
        assert path.name in answer.stderr
        assert "Traceback" not in answer.stderr


def test_tagpredict_prints_genres_and_changes_nothing(beet):
    before = beet("ls", "-f", "$id $genres $mtime").stdout
    result = beet("tagpredict", "id:1..2")
    assert len(result.stdout.splitlines()) == 2
    assert all(line.count("%") == 3 for line in result.stdout.splitlines())
    answer = json.loads(beet("tagpredict", "id:1", "--json", "-n", 5).stdout)
    probabilities = [each["probability"] for each in answer["results"][0]["predicted"]]
    assert len(probabilities) == 5
    assert probabilities == sorted(probabilities, reverse=True)
    assert all(0 <= p <= 1 for p in probabilities)
    assert beet("ls", "-f", "$id $genres $mtime").stdout == before


def test_a_damaged_analysis_is_no_error_for_the_others(tmp_path, tiny_weights, rendered_files):
    beet = make_beet(tmp_path, tiny_weights)
    beet("import", "-A", rendered_files[0].parent, rendered_files[1].parent, rendered_files[2].parent)
    assert beet("analyse").returncode == 0
    n_tracks = len(beet("ls").stdout.splitlines())
    with sqlite3.connect(tmp_path / "musrec.db") as connection:
        connection.execute("UPDATE outputs SET probabilities = zeroblob(4) WHERE id = (SELECT max(id) FROM outputs)")
    connection.close()
    result = beet("tagpredict")
    assert result.returncode == 0
    assert len(result.stdout.splitlines()) == n_tracks - 1
    assert "1 track not analysed yet: run `beet analyse`" in result.stderr
    assert "Analysed 1 track" in beet("analyse").stdout
    assert len(beet("tagpredict").stdout.splitlines()) == n_tracks


def test_analyse_again_finds_nothing_new_and_force_does(beet):
    assert "Analysed 0 tracks" in beet("analyse").stdout
    assert "Analysed 2 tracks" in beet("analyse", "id:1..2", "-f", "-t", 1).stdout


def test_a_moved_and_retagged_track_needs_no_new_analysis(tmp_path, tiny_weights, rendered_files):
    beet = make_beet(tmp_path, tiny_weights)
    beet("import", "-A", rendered_files[0].parent)
    beet("analyse")
    beet("modify", "-y", "title=Elsewhere")
    beet("write")
    beet("move", "-d", tmp_path / "elsewhere")
    answers = beet("similar", "id:1")
    assert answers.returncode == 0
    assert "not analysed" not in answers.stderr
    again = beet("analyse").stdout
    assert "Analysed 0 tracks" in again
    assert "recognised" not in again, "what beets moved and wrote is known without another look"


def test_import_hears_what_it_imports_and_names_what_fails(tmp_path, tiny_weights, rendered_files):
    beet = make_beet(tmp_path, tiny_weights, auto=True)
    (tmp_path / "new").mkdir()
    for source in rendered_files[:2]:
        shutil.copy(source, tmp_path / "new")
    result = beet("import", "-A", tmp_path / "new")
    assert result.returncode == 0, result.stderr
    assert beet("similar", "id:1").returncode == 0
    assert "Analysed 0 tracks in 0:00; 2 known before; 0 failed." in beet("analyse").stdout


def test_a_file_that_fails_is_named_and_the_others_are_heard(tmp_path, tiny_weights, rendered_files):
    beet = make_beet(tmp_path, tiny_weights)
    beet("import", "-A", rendered_files[0].parent, rendered_files[-1].parent)
    broken = Path(beet("ls", "-p", "id:1").stdout.strip())
    broken.write_bytes(b"no music any more" * 100)
    result = beet("analyse")
    assert result.returncode == 1
    assert f"{broken}: not a format" in result.stderr
    assert "1 could not be analysed" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["similar", "title:nothing-like-that"], "no track matches title:nothing-like-that"),
        (["similar"], "which track? Give a query"),
        (["similar", "id:1", "-n", "0"], "musrec.number: must be a whole number from 1"),
        (["similar", "id:1", "--min-score", "3"], "musrec.min_score: must be a number from -1"),
        (["analyse", "-t", "-1"], "musrec.threads: must be a whole number from 0"),
        (["analyse", "year:abc.."], "invalid query"),
        (["similar", "id:1", "--in", "year:abc.."], "invalid query"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(beet, arguments, line):
    result = beet(*arguments)
    assert result.returncode == 1
    assert line in result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_an_unknown_key_is_refused_by_name(tmp_path, tiny_weights):
    beet = make_beet(tmp_path, tiny_weights)
    config = tmp_path / "config.yaml"
    config.write_text(config.read_text().replace("threads:", "treads:"))
    result = beet("analyse")
    assert result.returncode == 1
    assert "unknown key musrec.treads" in result.stderr


def test_tags_cannot_steer_the_terminal(beet):
    import pty

    beet("modify", "-yMW", "id:2", "title=evil\x1b[2Jtitle")
    master, slave = pty.openpty()
    try:
        import subprocess
        import sys

        environment = os.environ | {"BEETSDIR": _folder_of(beet)}
        run = [sys.executable, "-c", "import sys; from beets.ui import main; main(sys.argv[1:])"]
        subprocess.run([*run, "similar", "id:1", "-n", "100"], env=environment, stdout=slave, check=True, timeout=60)
        shown = os.read(master, 100_000)
    finally:
        os.close(slave)
        os.close(master)
    assert b"evil" in shown
    assert b"\x1b[2J" not in shown


def _folder_of(beet) -> str:
    return os.path.dirname(beet("config", "-p").stdout.splitlines()[0])
