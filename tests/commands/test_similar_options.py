"""What else can be said to `musrecd similar`: likes and unlikes, pools, ways, reasons, playlists."""

import json
import shutil

import pytest


def paths(knowing, *arguments: object) -> list[str]:
    result = knowing("similar", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return [found["path"] for found in json.loads(result.output)["results"]]


def test_likes_files_and_words_are_taken_together(knowing, rendered_files, tmp_path):
    one, two, three = rendered_files[:3]
    outside = tmp_path / f"copy{three.suffix}"
    shutil.copy(three, outside)
    together = paths(knowing, one, "--like", two, "--file", outside, "-n", 100)
    assert set(together) == set(map(str, rendered_files[3:]))
    assert paths(knowing, one, "--unlike", two, "-n", 100) != paths(knowing, one, "-n", 100)
    assert str(two) not in paths(knowing, one, "--unlike", two, "-n", 100)


def test_only_what_words_find_is_in_the_pool(knowing, rendered_files):
    found = paths(knowing, rendered_files[0], "--in", rendered_files[1].parent.name, "-n", 100)
    assert found
    assert all(rendered_files[1].parent.name in path for path in found)


def test_a_way_leads_from_one_to_the_other(knowing, rendered_files):
    way = paths(knowing, rendered_files[0], "--to", rendered_files[1], "-n", 4)
    assert (way[0], way[-1], len(way)) == (str(rendered_files[0]), str(rendered_files[1]), 5)
    assert knowing("similar", rendered_files[0], "--to", rendered_files[1]).output.startswith("From ")


def test_a_way_needs_two_tracks_of_the_library(knowing, rendered_files, tmp_path, make_audio):
    outside = tmp_path / "new.wav"
    make_audio(outside)
    result = knowing("similar", outside, "--to", rendered_files[1])
    assert result.exit_code == 1
    assert "tracks of the library" in result.stderr


def test_reasons_and_broken_rules_are_shown(knowing, rendered_files):
    result = knowing("similar", rendered_files[0], "--preset", "mix", "--explain", "-n", 5)
    assert "alike" in result.output
    found = json.loads(knowing("similar", rendered_files[0], "--preset", "mix", "-n", 5, "--json").output)
    if any(each["breaks"] for each in found["results"]):
        assert "But" in result.output.splitlines()[1]
        assert "break" in found["notes"][0]


def test_an_answer_is_written_as_a_playlist_beside_what_is_shown(knowing, rendered_files, tmp_path):
    playlist = tmp_path / "near.m3u8"
    result = knowing("similar", rendered_files[0], "-n", 3, "-p", "--playlist", playlist)
    lines = [line for line in playlist.read_text().splitlines() if not line.startswith("#")]
    assert lines == result.stdout.splitlines()
    assert "3 tracks in" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bpm", "quick"], "--bpm quick"),
        (["--label", "pianno"], "no label"),
        (["--order", "backwards"], "score, flow"),
        (["--in", "nothing like that"], "neither a file nor"),
        (["--playlist", "near.txt"], ".m3u8"),
        (["--mpd"], "music_directory"),
    ],
)
def test_mistakes_get_one_line(knowing, rendered_files, arguments, words):
    result = knowing("similar", rendered_files[0], *arguments)
    assert result.exit_code in (1, 2)
    assert words in result.stderr
    assert "Traceback" not in result.stderr
