"""`beet similar` with all that can be said, and `similar:` in queries, over a library that beets and musrec share."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.beetsplug.conftest import _RUN


def results(beet, *arguments: object) -> list[dict[str, object]]:
    result = beet("similar", *arguments, "--json")
    assert result.returncode == 0, result.stderr
    found: list[dict[str, object]] = json.loads(result.stdout)["results"]
    return found


def ids(beet, *arguments: object) -> list[int]:
    return [int(str(found["id"])) for found in results(beet, *arguments)]


def listed(beet, *query: str) -> list[int]:
    return list(map(int, beet("ls", "-f", "$id", *query).stdout.split()))


def test_a_pool_keeps_what_a_query_finds_and_takes_all_its_words(beet):
    everything = ids(beet, "id:1", "-n", 100)
    assert set(ids(beet, "id:1", "--in", "id:3..6", "^id:5", "-n", 100)) == {3, 4, 6} & set(everything)
    # An album's field is one that SQLite alone cannot look for in the items.
    inside = listed(beet, "albumtypes::.*", "id:2..4")
    assert set(ids(beet, "id:1", "--in", "albumtypes::.*", "id:2..4", "-n", 100)) == set(inside)
    assert "no analysed track matches" in beet("similar", "id:1", "--in", "artist:nobodyatall").stderr


def test_a_file_in_no_library_answers_as_its_twin_in_it(beet, tmp_path, rendered_files):
    path = Path(beet("ls", "-p", "id:1").stdout.strip())
    assert ids(beet, "--file", path) == ids(beet, "id:1")
    environment = os.environ | {"BEETSDIR": str(path.parents[2]), "OMP_NUM_THREADS": "1"}
    for folder in path.parents:
        if (folder / "config.yaml").exists():
            environment["BEETSDIR"] = str(folder)
    command = [sys.executable, "-c", _RUN, "similar", "--file", "-", "--json"]
    piped = subprocess.run(
        command, env=environment, input=path.read_bytes(), capture_output=True, timeout=120, check=False
    )
    assert [found["id"] for found in json.loads(piped.stdout)["results"]] == ids(beet, "id:1")
    nonsense = tmp_path / "text.mp3"
    nonsense.write_text("no sound")
    result = beet("similar", "--file", nonsense)
    assert result.returncode == 1
    assert str(nonsense) in result.stderr
    assert "Traceback" not in result.stderr


def test_what_is_unlike_goes_down(beet):
    first, *_, last = ids(beet, "id:1", "-n", 100)
    without = ids(beet, "id:1", "--unlike", f"id:{first}", "-n", 100)
    assert first not in without
    assert last in without
    assert set(ids(beet, "--like", "id:1", "--like", "id:2", "-n", 100)) == set(ids(beet, "id:1..2", "-n", 100))


def test_rules_hold_or_are_named(beet):
    for found in results(beet, "id:1", "--preset", "mix", "-n", 100):
        why, breaks = found["why"], found["breaks"]
        assert isinstance(why, dict)
        assert isinstance(breaks, list)
        off = abs(why.get("tempo_ratio", 1) - 1)
        assert off <= 0.06 + 1e-4 or any(words.startswith("tempo") for words in breaks)
    assert all(not found["breaks"] for found in results(beet, "id:1", "--key", "same", "--strict", "-n", 100))
    assert all(found["why"]["relation"] == "same" for found in results(beet, "id:1", "--key", "same", "--strict"))


def test_reasons_stand_below_each_track(beet):
    lines = beet("similar", "id:1", "-n", 3, "--explain").stdout.splitlines()
    assert sum("sounds" in line for line in lines) == 3
    assert sum(bool(re.match(r"^-? ?\d\.\d\d  ", line.strip())) for line in lines) == 3


def test_a_way_begins_and_ends_where_it_should(beet):
    answer = ids(beet, "id:1", "--to", "id:2", "-n", 3)
    assert (answer[0], answer[-1]) == (1, 2)
    assert len(answer) == len(set(answer)) == 4
    assert beet("similar", "id:1", "--to", "id:2").stdout.startswith("From ")
    assert "same recording" in beet("similar", "id:1", "--to", "id:1").stderr
    assert "--in" in beet("similar", "id:1", "--to", "id:2", "--preset", "mix").stderr


def test_a_set_has_the_same_tracks_in_another_order(beet):
    assert sorted(ids(beet, "id:1", "-n", 6, "--order", "flow")) == sorted(ids(beet, "id:1", "-n", 6))


def test_an_answer_becomes_a_playlist_that_is_never_taken_from_its_owner(beet, tmp_path):
    playlist = tmp_path / "like it.m3u8"
    beet("similar", "id:1", "-n", 3, "--playlist", playlist)
    paths = [line for line in playlist.read_text().splitlines() if not line.startswith("#")]
    assert paths == beet("similar", "id:1", "-n", 3, "-p").stdout.splitlines()
    playlist.write_text("#EXTM3U\nmine.mp3\n")
    result = beet("similar", "id:1", "-n", 3, "--playlist", playlist)
    assert result.returncode == 1
    assert "stays as it is" in result.stderr
    assert playlist.read_text() == "#EXTM3U\nmine.mp3\n"


def test_explanations_tell_which_part_is_close(beet):
    explained = beet("similar", "id:1", "-n", 2, "--explain").stdout
    assert explained.count("closest: its 0:00–0:06 to 0:00–0:06 of what was asked about, ") == 2
    assert "closest" not in beet("similar", "id:1", "-n", 2).stdout
    [found] = results(beet, "id:1", "-n", 1)
    assert found["why"]["closest"]["span_s"] == [0.0, pytest.approx(6, abs=0.1)]


def test_fresh_answers_come_after_those_that_were_given(beet):
    first = results(beet, "id:1", "--fresh", "-n", 2)
    again = {found["id"]: found["score"] for found in results(beet, "id:1", "--fresh", "-n", 100)}
    assert all(again[found["id"]] < found["score"] for found in first)


def test_words_in_any_query_find_what_sounds_like_them(beet):
    title = beet("ls", "-f", "$title", "id:1").stdout.strip()
    like = sorted(ids(beet, f"title:{title}", "-n", 10))
    assert sorted(listed(beet, f"similar:{title}")) == like
    assert listed(beet, f"similar:{title}", "id:1") == []
    near = results(beet, f"title:{title}", "-n", 100)
    middle = float(str(near[4]["sound"])) - 0.0001
    expected = {1} | {found["id"] for found in near if float(str(found["sound"])) >= middle}
    assert set(listed(beet, f"similar:{title}~{middle:.4f}")) == expected
    assert listed(beet, "similar:~1.0") == []
    assert len(listed(beet, "similar:~-1")) == 12
    assert set(listed(beet, f"^similar:{title}")) == set(listed(beet)) - set(like)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ls", "similar:xyzzyx"], "no analysed track"),
        (["ls", "similar:"], "a likeness from -1 to 1"),
        (["ls", "similar:~7"], "a likeness from -1 to 1"),
        (["similar", "id:1", "--bpm", "fast"], "--bpm fast"),
        (["similar", "id:1", "--label", "guitarr"], "no label"),
        (["similar", "id:1", "--year", "199x"], "--year 199x"),
        (["similar", "id:1", "--preset", "dance"], "listen, mix, produce"),
        (["similar", "id:1", "--playlist", "list.txt"], ".m3u8"),
        (["similar", "id:1", "--mpd"], "music_directory"),
        (["similar", "--unlike", "id:1"], "which track"),
    ],
)
def test_mistakes_get_one_line(beet, arguments, words):
    result = beet(*arguments)
    assert result.returncode != 0
    assert words in result.stderr
    assert "Traceback" not in result.stderr
