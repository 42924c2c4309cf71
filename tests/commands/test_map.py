"""`musrecd map`: the files it writes, what is marked in them, and what it refuses."""

import json
import re
import shutil

import pytest


def data_of(page) -> dict:
    text = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', page.read_text(encoding="utf-8"), re.S
    )
    return json.loads(text[1])


def test_a_page_shows_every_track_by_its_name(knowing, rendered_files, tmp_path):
    result = knowing("map", tmp_path / "out.html")
    assert result.exit_code == 0
    assert result.stderr == f"Wrote {len(rendered_files)} tracks to {tmp_path}/out.html\n"
    data = data_of(tmp_path / "out.html")
    assert len(data["titles"]) == len(set(zip(data["x"], data["y"], strict=True))) == len(rendered_files)
    assert sum(group["size"] for group in data["groups"]) == len(rendered_files)
    known = json.loads(knowing("similar", rendered_files[0], "--json", "-n", 100).output)["results"]
    assert {result["title"] for result in known} < set(data["titles"])
    assert data["title"] == "12 tracks by their sound, coloured by genre"


def test_a_picture_is_a_png_and_both_are_the_same_each_time(knowing, tmp_path):
    for name in ("out.png", "out.html"):
        knowing("map", tmp_path / name)
        first = (tmp_path / name).read_bytes()
        knowing("map", tmp_path / name)
        assert (tmp_path / name).read_bytes() == first
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


def test_seeds_and_the_way_to_another_track_are_marked(knowing, rendered_files, tmp_path):
    start, end = (json.loads(knowing("show", path, "--json").output)[0] for path in rendered_files[:2])
    knowing("map", tmp_path / "out.html", "--seeds", rendered_files[0], "--to", f"{end['artist']} {end['title']}")
    data = data_of(tmp_path / "out.html")
    titles = data["titles"]
    assert [titles[i] for i in data["seeds"]] == [start["title"]]
    assert [titles[data["path"][0]], titles[data["path"][-1]]] == [start["title"], end["title"]]
    assert len(set(data["path"])) == len(data["path"]) == 10


def test_a_file_from_outside_gets_a_place_and_is_not_stored(knowing, make_audio, rendered_files, tmp_path):
    make_audio(tmp_path / "new song.wav", 6.0)
    knowing("map", tmp_path / "out.html", "--seeds", tmp_path / "new song.wav", "--to", rendered_files[0])
    data = data_of(tmp_path / "out.html")
    assert [data["titles"][i] for i in data["seeds"]] == ["new song.wav"]
    assert len(data["titles"]) == len(rendered_files) + 1
    assert data["path"][0] == len(rendered_files)
    assert json.loads(knowing("status", "--json").output)["files"] == len(rendered_files)


def test_a_copy_from_outside_is_the_track_of_the_library(knowing, rendered_files, tmp_path):
    copy = tmp_path / f"copy{rendered_files[0].suffix}"
    shutil.copy(rendered_files[0], copy)
    for seed in (copy, rendered_files[0]):
        knowing("map", tmp_path / f"{seed.stem}.html", "--seeds", seed)
    assert data_of(tmp_path / "copy.html") == data_of(tmp_path / f"{rendered_files[0].stem}.html")


@pytest.mark.parametrize("group", ["mood", "artist"])
def test_colours_can_stand_for_something_else(knowing, tmp_path, group):
    knowing("map", tmp_path / "out.html", "--group", group)
    names = {each["name"] for each in data_of(tmp_path / "out.html")["groups"]}
    artists = {each for each in data_of(tmp_path / "out.html")["artists"]}
    assert names <= (artists | {"Other"} if group == "artist" else {"Calm", "Energetic", "Other"})


def test_a_music_file_is_never_taken_for_the_output(knowing, rendered_files, tmp_path):
    precious = tmp_path / f"precious{rendered_files[0].suffix}"
    shutil.copy(rendered_files[0], precious)
    result = knowing("map", precious)
    assert result.exit_code == 1
    assert "has to be called something.png or .html" in result.stderr
    assert precious.read_bytes() == rendered_files[0].read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no/folder/out.html"], "there is no folder no/folder"),
        (["out.html", "--seeds", "nothing like that"], "neither a file nor in the path"),
        (["out.html", "--to", "something"], "name it with --seeds"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(knowing, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    result = knowing("map", *arguments)
    assert result.exit_code != 0
    assert message in result.stderr
    assert not (tmp_path / "out.html").exists()


def test_an_empty_library_has_no_map(musrecd, tmp_path):
    (tmp_path / "music").mkdir()
    musrecd("scan", tmp_path / "music")
    result = musrecd("map", tmp_path / "out.html")
    assert result.exit_code == 1
    assert result.stderr == "musrecd: the library is empty; run `musrecd scan FOLDER` first\n"
