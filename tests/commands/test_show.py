"""`musrecd show`: the same of a file, whether the library knows it or it is heard now."""

import json
import shutil

import pytest

from musrecd.keys import camelot, open_key


def sheets(result) -> list[dict]:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_a_file_is_described_alike_in_the_library_and_outside(musrecd, heard, rendered_files, tmp_path):
    outside = sheets(musrecd("show", rendered_files[0], "--json"))[0]
    shutil.copytree(heard, tmp_path, dirs_exist_ok=True)
    inside = sheets(musrecd("show", rendered_files[0], "--json"))[0]
    assert inside["heard_at"]
    assert outside["heard_at"] is None
    same = inside.keys() - {"heard_at", "tempo_candidates", "tempo_is_steady", "second_key", "tuning_cents"}
    assert {key: inside[key] for key in same} == {key: outside[key] for key in same}
    assert inside["title"]
    assert inside["encoder"] == "tiny-1"
    assert set(inside["sounds_like"]) == {"genre", "instrument", "voice", "mood"}
    assert inside["tempo_candidates"] is None
    assert inside["length"] == pytest.approx(6, abs=0.2)


def test_heard_now_it_says_what_else_it_could_be(knowing, rendered_files):
    sheet = sheets(knowing("show", rendered_files[0], "--hear", "--json"))[0]
    assert sheet["tempo_candidates"]
    assert sheet["bpm"] not in [each["bpm"] for each in sheet["tempo_candidates"]]
    assert (sheet["camelot"], sheet["open_key"]) == (camelot(sheet["key"]), open_key(sheet["key"]))
    assert sheet["second_key"] != sheet["key"]


def test_words_and_files_together_each_track_once(knowing, rendered_files):
    sheet = sheets(knowing("show", rendered_files[0], "--json"))[0]
    found = sheets(knowing("show", rendered_files[1], sheet["artist"], sheet["title"], rendered_files[0], "--json"))
    assert [each["path"] for each in found] == [str(rendered_files[1]), str(rendered_files[0])]


def test_only_so_many_of_what_words_name(knowing, rendered, rendered_files):
    result = knowing("show", rendered.name, "-n", 2, "--json")
    assert len(json.loads(result.stdout)) == 2
    assert result.stderr == f"and {len(rendered_files) - 2} other tracks; -n shows more\n"


def test_copies_of_the_recording_are_listed(knowing, rendered_files, tmp_path):
    copy = tmp_path / f"copy{rendered_files[0].suffix}"
    shutil.copy(rendered_files[0], copy)
    assert sheets(knowing("show", copy, "--json"))[0]["copies"] == [str(rendered_files[0])]
    knowing("similar", copy, "--store")
    assert sheets(knowing("show", rendered_files[0], "--json"))[0]["copies"] == [str(copy)]


def test_the_page_is_readable_on_80_columns(knowing, rendered_files, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    result = knowing("show", rendered_files[0], "--hear")
    first, *lines = result.stdout.splitlines()
    assert first == str(rendered_files[0])
    names = [line[:13].strip() for line in lines]
    assert names[0] == "Artist"
    assert {"Title", "Length", "Tempo", "Key", "Sounds like", "Heard", "Recording"} <= set(names)
    assert all(line[13] == " " or line[:13].strip() == "" or len(line[:13].rstrip()) < 13 for line in lines)


def test_a_tag_cannot_steer_the_terminal(musrecd, rendered_files, tmp_path):
    import mediafile

    path = tmp_path / f"odd{rendered_files[0].suffix}"
    shutil.copy(rendered_files[0], path)
    tags = mediafile.MediaFile(path)
    tags.title = "red \x1b[31m title"
    tags.save()
    result = musrecd("show", path)
    assert "red \\x1b[31m title" in result.stdout
    assert "\x1b" not in result.stdout


def test_what_cannot_be_heard_is_named_and_ends_nothing(knowing, rendered_files, tmp_path):
    (tmp_path / "bad.mp3").write_bytes(b"no music")
    result = knowing("show", tmp_path / "bad.mp3", rendered_files[0], "--json")
    assert result.exit_code == 1
    assert [each["path"] for each in json.loads(result.stdout)] == [str(rendered_files[0])]
    assert result.stderr.startswith(f"musrecd: {tmp_path}/bad.mp3: not a format")


def test_silence_has_no_tempo_and_no_key(musrecd, make_audio, tmp_path):
    import numpy as np

    make_audio(tmp_path / "silence.wav", y=np.zeros(44_100 * 6, np.float32))
    sheet = sheets(musrecd("show", tmp_path / "silence.wav", "--json"))[0]
    assert (sheet["bpm"], sheet["key"], sheet["camelot"]) == (None, None, None)
    assert "none heard" in musrecd("show", tmp_path / "silence.wav").stdout


def test_words_need_a_library(musrecd):
    result = musrecd("show", "some", "words")
    assert result.exit_code == 1
    assert "musrecd scan" in result.stderr
