"""`musrecd recommend`: lists of files and names, in the library or not, and what is said of them."""

import json
import os
import shutil

import pytest


@pytest.fixture
def lists(tmp_path, rendered_files):
    """Return a function that writes a list: paths are written as they are, names as names."""

    def write(name, *lines):
        path = tmp_path / name
        path.write_bytes(b"\n".join(os.fsencode(str(line)) for line in lines) + b"\n")
        return path

    return write


def paths(answer: dict, way: str) -> list[str]:
    return [each["path"] for each in answer[f"by_{way}"]]


def test_files_that_nobody_heard_before_are_ranked_as_known_ones_and_not_stored(
    musrecd, heard, lists, rendered_files, tmp_path
):
    arguments = ["recommend", "--liked", lists("liked.m3u", "#EXTM3U", *rendered_files[:3])]
    arguments += ["--from", lists("candidates.m3u8", *rendered_files[3:]), "--json", "-n", 100]
    result = musrecd(*arguments)
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    for way in ("genre", "sound"):
        assert sorted(paths(answer, way)) == sorted(map(str, rendered_files[3:]))
        scores = [each["score"] for each in answer[f"by_{way}"]]
        assert scores == sorted(scores, reverse=True)
    assert answer["liked"] == 3
    assert answer["favourites"]
    assert all(each["like"] for each in answer["by_sound"])
    assert not (tmp_path / "library.db").exists()
    shutil.copytree(heard, tmp_path, dirs_exist_ok=True)
    known = json.loads(musrecd(*arguments).stdout)
    before, after = ({each["path"]: each["score"] for each in found["by_sound"]} for found in (answer, known))
    assert after == pytest.approx(before, abs=1e-3)


def test_names_match_tracks_of_the_library(knowing, lists, rendered_files):
    known = json.loads(knowing("show", rendered_files[0], "--json").stdout)[0]
    name = f"{known['artist'].upper()} - {known['title']}"
    liked = lists("liked.txt", "# a comment", name, "Nobody - Nothing at all")
    result = knowing("recommend", "--liked", liked, "--from", lists("all.m3u", *rendered_files), "--json", "-n", 100)
    answer = json.loads(result.stdout)
    assert result.exit_code == 1
    assert "Nobody - Nothing at all: no track of the library is called so" in result.stderr
    assert answer["failures"] == {"Nobody - Nothing at all": "no track of the library is called so"}
    # What is liked is no candidate.
    assert sorted(paths(answer, "sound")) == sorted(map(str, rendered_files[1:]))


def test_a_file_that_moved_is_found_by_the_name_beside_it(knowing, lists, rendered_files):
    known = json.loads(knowing("show", rendered_files[0], "--json").stdout)[0]
    liked = lists("liked.m3u", "#EXTM3U", f"#EXTINF:6,{known['artist']} - {known['title']}", "/gone/away.mp3")
    result = knowing("recommend", "--liked", liked, "--from", lists("all.m3u", *rendered_files), "--json", "-n", 100)
    assert result.exit_code == 0
    assert str(rendered_files[0]) not in paths(json.loads(result.stdout), "genre")


def test_what_fails_is_named_and_counted_and_copies_of_liked_tracks_are_no_candidates(
    knowing, lists, rendered_files, tmp_path
):
    (tmp_path / "bad.mp3").write_bytes(b"no music")
    copy = tmp_path / f"copy{rendered_files[0].suffix}"
    shutil.copy(rendered_files[0], copy)
    candidates = lists("candidates.m3u", "bad.mp3", "gone.mp3", copy.name, rendered_files[1])
    result = knowing("recommend", "--liked", lists("liked.m3u", rendered_files[0]), "--from", candidates)
    assert result.exit_code == 1
    assert f"{tmp_path}/bad.mp3: not a format" in result.stderr
    assert f"{tmp_path}/gone.mp3: there is no such file" in result.stderr
    assert result.stderr.endswith("2 tracks could not be found or heard\n")
    assert "By genre, 1 of 1 candidate" in result.stdout


def test_the_text_gives_the_evidence(knowing, lists, rendered_files):
    arguments = ["--liked", lists("a.m3u", *rendered_files[:3]), "--from", lists("b.m3u", *rendered_files[3:]), "-n", 2]
    result = knowing("recommend", *arguments, "--by", "sound")
    assert result.stdout.startswith("Favourites among 3 liked tracks\n")
    assert "By sound, 2 of 9 candidates" in result.stdout
    assert "By genre" not in result.stdout


def test_a_playlist_holds_the_ranking_and_never_replaces_a_file(knowing, lists, rendered_files, tmp_path):
    arguments = ["recommend", "--liked", lists("a.m3u", *rendered_files[:3]), "--from", lists("b.m3u", *rendered_files)]
    arguments += ["--by", "sound", "--json", "-n", 4]
    answer = json.loads(knowing(*arguments, "--playlist", tmp_path / "out.m3u8").stdout)
    lines = (tmp_path / "out.m3u8").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#EXTM3U"
    assert [line for line in lines if not line.startswith("#")] == paths(answer, "sound")
    before = (tmp_path / "a.m3u").read_bytes()
    for taken in (tmp_path / "a.m3u", tmp_path / "out.m3u8", rendered_files[0]):
        assert knowing(*arguments, "--playlist", taken).exit_code == 1
    assert (tmp_path / "a.m3u").read_bytes() == before


@pytest.mark.parametrize(
    ("liked", "candidates", "message"),
    [
        ([], ["x"], "the list of liked tracks is empty"),
        (["gone.mp3"], ["gone.mp3"], "none of the liked tracks could be found and heard"),
        ("first", "first", "all candidates are liked tracks already"),
    ],
)
def test_lists_that_lead_nowhere_are_told_in_one_line(knowing, lists, rendered_files, liked, candidates, message):
    first, second = ([rendered_files[0]] if lines == "first" else lines for lines in (liked, candidates))
    result = knowing("recommend", "--liked", lists("a.m3u", *first), "--from", lists("b.m3u", *second))
    assert result.exit_code == 1
    assert f"musrecd: {message}" in result.stderr


def test_a_list_that_is_none_is_told_in_one_line(knowing, lists, rendered_files, tmp_path):
    music = next(path for path in rendered_files if path.suffix == ".flac")
    for wrong, message in ((music, "is no playlist"), (tmp_path / "gone.m3u", "cannot be read: No such file")):
        result = knowing("recommend", "--liked", wrong, "--from", lists("b.m3u", *rendered_files))
        assert result.exit_code == 1
        assert message in result.stderr
