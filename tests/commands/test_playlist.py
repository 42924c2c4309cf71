"""`musrecd playlist`: writing, showing, handing to MPD; what is wrong with one playlist keeps no other from it."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from musrecd.cli import main
from musrecd.playlists import mpd
from tests.playlists.conftest import N_TITLES, invented_path, write_library

LISTS = """
    - {name: First, seeds: FILE, number: 3}
    - {name: Second/1, seeds: FILE, number: 5, order: flow}
"""
BROKEN = "    - {name: Broken, seeds: nobody knows}\n"


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    return tmp_path / "lists"


@pytest.fixture
def playlist(tmp_path, lists):
    """Return a function: arguments of `musrecd playlist` → Result; `more` are more playlists, in YAML."""
    library, seed = write_library(tmp_path), os.fsdecode(invented_path(tmp_path, 0))

    def run(*arguments: str, more: str = "", table: str = f"playlist_dir: {lists}") -> Result:
        text = (LISTS + more).replace("FILE", json.dumps(seed))
        config = f"musrec:\n  library: {library}\n  playlists:\n    {table}\n    lists:{text}"
        (tmp_path / "config.yaml").write_text(config)
        return CliRunner().invoke(main, ["--config", str(tmp_path / "config.yaml"), "playlist", *arguments])

    return run


def paths_in(file: Path) -> list[bytes]:
    return [line for line in file.read_bytes().splitlines() if not line.startswith(b"#")]


def test_all_are_written_and_then_left_alone(playlist, lists):
    result = playlist()
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        f"First: 3 tracks in {lists}/First.m3u8",
        f"Second/1: 5 tracks in {lists}/Second_1.m3u8",
    ]
    first, second = paths_in(lists / "First.m3u8"), paths_in(lists / "Second_1.m3u8")
    assert set(second) > set(first)
    assert set(first) < {invented_path(lists.parent, number) for number in range(1, N_TITLES)}
    before = {path.name: path.stat().st_mtime_ns for path in lists.iterdir()}
    assert set(before) == {"First.m3u8", "Second_1.m3u8"}
    assert playlist().output.count("(unchanged)") == 2
    assert {path.name: path.stat().st_mtime_ns for path in lists.iterdir()} == before


def test_only_the_named_are_written(playlist, lists):
    assert playlist("First").exit_code == 0
    assert [path.name for path in lists.iterdir()] == ["First.m3u8"]


def test_pretending_shows_them_and_writes_nothing(playlist, lists):
    result = playlist("-p", "First")
    lines = result.output.splitlines()
    assert lines[0] == "First:"
    assert len(lines) == 4
    assert all(line.startswith("  ") for line in lines[1:])
    assert not lists.exists()


def test_json_says_what_is_written_and_what_would_be(playlist, lists):
    (would_be,) = json.loads(playlist("--json", "--pretend", "First").output)
    assert not would_be["written"]
    (written,) = json.loads(playlist("--json", "First").output)
    assert written["written"]
    assert written["tracks"] == would_be["tracks"]
    assert [os.fsencode(track["path"]) for track in written["tracks"]] == paths_in(lists / "First.m3u8")
    assert set(written["tracks"][0]) == {"path", "artist", "title", "album", "length"}


def test_one_that_cannot_be_made_keeps_no_other_from_being_written(playlist, lists):
    result = playlist(more=BROKEN)
    assert result.exit_code == 1
    assert "musrecd: playlist 'Broken': 'nobody knows' leads to no track" in result.output
    assert len(list(lists.iterdir())) == 2
    errors = [entry["error"] for entry in json.loads(playlist("--json", more=BROKEN).stdout)]
    assert errors[:2] == ["", ""]
    assert "nobody knows" in errors[2]


def test_what_a_person_changed_stays_and_is_said(playlist, lists):
    playlist()
    with (lists / "First.m3u8").open("a") as file:
        file.write("/mine.mp3\n")
    before = (lists / "First.m3u8").read_bytes()
    result = playlist("First")
    assert result.exit_code == 1
    assert "stays as it is" in result.output
    assert (lists / "First.m3u8").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["Third"], "no playlist is called 'Third'; there are First, Second/1"),
        (["--replace"], "--replace goes with --mpd"),
        (["-p", "--mpd"], "either --pretend or --mpd"),
        (["--mpd"], "music_directory"),
        ([""], "an empty name"),
    ],
)
def test_mistakes_are_one_line(playlist, lists, arguments, line):
    result = playlist(*arguments)
    assert result.exit_code != 0
    assert line in result.output
    assert not lists.exists()


def test_without_a_folder_it_says_what_to_set(playlist):
    result = playlist(table="prefix: ''")
    assert result.exit_code == 1
    assert "set `playlist_dir:`" in result.output
    assert playlist("-p", table="prefix: ''").exit_code == 0


def test_mpd_is_given_all_tracks_in_order(playlist, monkeypatch, lists):
    given = []

    def queue(paths, config, *, replace):
        given.append((paths, replace))
        return paths[:1]

    monkeypatch.setattr(mpd, "queue", queue)
    result = playlist("--mpd", "--replace")
    ((paths, replace),) = given
    assert replace
    assert len(paths) == 8
    assert f"musrecd: left out: {os.fsdecode(paths[0])}" in result.output
    assert "handed to MPD" in result.output
    assert not lists.exists()
