"""`musrecd tag`, `undo` and `journal` over files that no beets manages."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import av
import pytest

from musrecd.tagging import files
from musrecd.tagging.files import Change, Rules

SURE = ("--threshold", "0")


@pytest.fixture
def music(tmp_path, rendered_files) -> Path:
    """Copies of a file of each format; the first has a genre, the others have none."""
    folder = tmp_path / "music"
    folder.mkdir()
    for path in {path.suffix: path for path in rendered_files}.values():
        copy = shutil.copy(path, folder)
        files.write(os.fsencode(copy), Change(genres=()), Rules(settle_s=0.0))
    files.write(bytes(sorted(folder.iterdir())[0]), Change(genres=("Polka",)), Rules(settle_s=0.0))
    return folder


def genres(folder: Path) -> list[tuple[str, ...]]:
    return [files.read(bytes(path)).genres for path in sorted(folder.iterdir())]


def contents(folder: Path) -> list[str]:
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())]


def test_it_hears_what_is_new_and_only_shows_what_it_would_write(musrecd, music):
    before = contents(music)
    result = musrecd("tag", *SURE, music)
    assert result.exit_code == 0
    first, *others = result.stdout.splitlines()
    assert "Polka" in first
    assert "(has a genre)" in first
    assert others
    assert all("→" in line for line in others)
    assert f"{len(others)} files would be written; --write does it" in result.stderr
    assert contents(music) == before


def test_write_fills_and_undo_gives_back_the_very_bytes(musrecd, music):
    before = contents(music)
    n_new = len(before) - 1
    result = musrecd("tag", "-w", *SURE, music)
    assert f"{n_new} files written, 1 left as they are" in result.stderr
    assert genres(music)[0] == ("Polka",)
    assert all(genres(music))
    assert len(musrecd("journal").stdout.splitlines()) == n_new
    assert f"{n_new} writes would be taken back" in musrecd("undo", "-p", "last").stderr
    assert f"{n_new} writes taken back" in musrecd("undo", "last").stderr
    assert contents(music) == before
    again = musrecd("undo", "last")
    assert again.exit_code == 1
    assert "nothing to take back" in again.stderr
    # Who took ours back does not want them again.
    assert "0 files written" in musrecd("tag", "-w", *SURE, music).stderr


def test_extend_adds_and_force_replaces_but_not_both(musrecd, music):
    musrecd("tag", "-w", "-e", *SURE, music)
    assert genres(music)[0][0] == "Polka"
    assert len(genres(music)[0]) == 2
    musrecd("tag", "-w", "-f", "-n", 2, *SURE, music)
    assert "Polka" not in genres(music)[0]
    assert {len(each) for each in genres(music)} == {2}
    assert musrecd("tag", "-e", "-f", music).exit_code == 2


def test_files_are_written_at_and_below_the_paths_that_are_named_only(musrecd, music):
    paths = sorted(music.iterdir())
    musrecd("tag", "-w", *SURE, paths[1])
    assert [bool(each) for each in genres(music)] == [True, True, *[False] * (len(paths) - 2)]
    assert [entry["path"] for entry in json.loads(musrecd("journal", "--json", paths[1]).stdout)] == [str(paths[1])]
    assert json.loads(musrecd("journal", "--json", paths[2]).stdout) == []


def test_the_journal_says_what_somebody_changed_since(musrecd, music):
    musrecd("tag", "-w", *SURE, music)
    path = sorted(music.iterdir())[1]
    files.write(bytes(path), Change(genres=("Mine",)), Rules(settle_s=0.0))
    entries = {entry["path"]: entry for entry in json.loads(musrecd("journal", "--json").stdout)}
    assert entries.pop(str(path))["since"] == "changed since"
    assert {entry["since"] for entry in entries.values()} == {""}
    assert "changed since" in musrecd("journal").stdout
    result = musrecd("undo", "since", "2020-01-01")
    assert result.exit_code == 1
    assert "changed by somebody since" in result.stderr
    assert files.read(bytes(path)).genres == ("Mine",)


def test_a_file_that_may_not_be_written_is_named_and_counted(musrecd, music):
    sorted(music.iterdir())[1].chmod(0o444)
    result = musrecd("tag", "-w", *SURE, music)
    assert result.exit_code == 1
    assert "it is write-protected" in result.stderr
    assert "1 failed" in result.stderr
    assert genres(music)[1] == ()
    assert all(genres(music)[2:])


def test_a_large_change_is_asked_about(musrecd, music, rendered_files, monkeypatch):
    monkeypatch.setattr("musrecd.commands.tag.ASK_FROM", 2)
    result = musrecd("tag", "-w", *SURE, music)
    assert result.exit_code == 1
    assert "say --yes" in result.stderr
    assert not any(genres(music)[1:])
    assert musrecd("tag", "-w", "-y", *SURE, music).exit_code == 0


def test_what_cannot_be_heard_is_no_reason_to_stop(musrecd, music):
    (music / "broken.mp3").write_bytes(b"no music at all")
    result = musrecd("tag", "-w", *SURE, music)
    assert result.exit_code == 1
    assert "broken.mp3" in result.stderr
    assert (music / "broken.mp3").read_bytes() == b"no music at all"


def test_json_says_what_would_be_written(musrecd, music):
    rows = json.loads(musrecd("tag", "--json", *SURE, music).stdout)
    assert rows[0]["genres"] == ["Polka"]
    assert rows[0]["would_write"] is None
    assert rows[1]["would_write"] == [rows[1]["predicted"][0]["genre"]]


def test_tempo_and_key_are_written_on_request_only(musrecd, music):
    for path in music.iterdir():
        files.write(bytes(path), Change(tempo=(), key=()), Rules(settle_s=0.0))
    before = contents(music)
    rows = json.loads(musrecd("tag", "--json", *SURE, music).stdout)
    assert {(row["bpm"], row["key"]) for row in rows} == {(None, None)}
    rows = json.loads(musrecd("tag", "--json", "--tempo", "--key", "-n", 0, music).stdout)
    wanted = [(row["bpm"], row["key"]) for row in rows]
    assert any(bpm for bpm, _ in wanted)
    assert any(key for _, key in wanted)
    assert musrecd("tag", "-w", "--tempo", "--key", "-n", 0, music).exit_code == 0
    found = [files.read(bytes(path)) for path in sorted(music.iterdir())]
    assert [(int(tags.tempo[0]) if tags.tempo else None, *(tags.key or (None,))) for tags in found] == wanted
    assert genres(music) == [("Polka",), *[()] * (len(wanted) - 1)]
    assert " BPM" in musrecd("journal").stdout
    assert musrecd("undo", "last").exit_code == 0
    assert contents(music) == before


def test_no_number_is_no_threshold(musrecd, music):
    result = musrecd("tag", "-w", "--threshold", "nan", music)
    assert result.exit_code == 2
    assert "not a number" in result.stderr
    assert not any(genres(music)[1:])


def test_a_format_without_tags_is_named_before_anything_is_written(musrecd, music):
    sound = next(path for path in music.iterdir() if path.suffix == ".m4a")
    with av.open(str(sound)) as source, av.open(str(music / "bare.aac"), "w", format="adts") as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    result = musrecd("tag", *SURE, music)
    assert f"{music / 'bare.aac'}: its format has no tags that can be written" in result.stderr
    assert "bare.aac" not in result.stdout
    assert f"{len(genres_shown(result))} files would be written" in result.stderr


def genres_shown(result) -> list[str]:
    return [line for line in result.stdout.splitlines() if "→" in line]


def test_the_journal_says_what_was_taken_back_and_when_it_was_written(musrecd, music):
    musrecd("tag", "-w", *SURE, music)
    musrecd("undo", "last")
    rows = musrecd("journal").stdout.splitlines()
    n_back = sum("undo of run 1, 20" in row for row in rows)
    assert n_back == len(rows) / 2 == len(list(music.iterdir())) - 1


def test_undo_last_takes_back_what_it_can_names_the_rest_and_goes_on(musrecd, music):
    paths = sorted(music.iterdir())
    musrecd("tag", "-w", *SURE, paths[1])
    musrecd("tag", "-w", *SURE, paths[2], paths[3])
    files.write(bytes(paths[2]), Change(genres=("Mine",)), Rules(settle_s=0.0))
    first = musrecd("undo", "last")
    assert first.exit_code == 1
    assert f"{paths[2]}: changed by somebody since" in first.stderr
    assert "1 write taken back, 1 were not" in first.stderr
    second = musrecd("undo", "last")
    assert second.exit_code == 0
    assert genres(music)[1:4] == [(), ("Mine",), ()]


def test_since_wants_a_date(musrecd, music):
    musrecd("tag", music)
    result = musrecd("undo", "since", "tomorrow")
    assert result.exit_code == 1
    assert "no date such as" in result.stderr
