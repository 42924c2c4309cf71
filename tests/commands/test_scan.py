"""`musrecd scan`: the library follows the folders."""

import os
import shutil
from pathlib import Path

import pytest

from musrecd.daemon import client


@pytest.fixture
def music(tmp_path, rendered_files) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    for path in rendered_files[:4]:
        shutil.copy(path, folder)
    return folder


def test_says_in_one_line_what_it_did_and_ends_with_0(musrecd, music):
    result = musrecd("scan", music)
    assert result.exit_code == 0
    assert result.stderr.startswith("Analysed 4 tracks in 0:0")
    assert result.stderr.endswith("0 failed.\n")
    assert "4 known before; 0 failed." in musrecd("scan", music).stderr


def test_a_failed_file_gets_one_line_and_status_1(musrecd, music):
    (music / "bad\x1b[31m.mp3").write_bytes(b"no music" * 50)
    result = musrecd("scan", music)
    assert result.exit_code == 1
    line, summary = result.stderr.splitlines()
    assert line.startswith(f"{music}/bad\\x1b[31m.mp3: not a format")
    assert "Analysed 4 tracks" in summary
    assert "1 failed." in summary


def test_odd_things_in_folders_end_no_scan(musrecd, music):
    os.mkfifo(music / "fifo.mp3")
    (music / "folder.mp3").mkdir()
    with open(os.fsencode(music) + b"/caf\xe9.wav", "wb") as file:
        file.write(next(music.glob("*.wav")).read_bytes())
    result = musrecd("scan", music, music / "gone", music / "fifo.mp3")
    assert result.exit_code == 1
    assert f"{music}/gone: cannot be read: No such file or directory" in result.stderr
    assert f"{music}/fifo.mp3: not a regular file" in result.stderr
    assert "Analysed 4 tracks" in result.stderr or "Analysed 5 tracks" in result.stderr


def test_vanished_files_answer_no_more_and_come_back_without_analysis(musrecd, music):
    musrecd("scan", music)
    gone = sorted(music.iterdir())[0]
    gone.rename(music.parent / gone.name)
    musrecd("scan", music)
    assert "1 missing" in musrecd("status").output
    (music.parent / gone.name).rename(gone)
    result = musrecd("scan", music)
    assert "Analysed 0 tracks" in result.stderr
    assert "missing" not in musrecd("status").output


def test_an_emptied_folder_is_taken_for_unmounted(musrecd, music):
    musrecd("scan", music)
    for path in music.iterdir():
        path.unlink()
    result = musrecd("scan", music)
    assert "holds no music any more; its 4 tracks stay" in result.stderr
    assert "missing" not in musrecd("status").output


def test_no_folder_at_all_is_a_usage_error(musrecd):
    result = musrecd("scan")
    assert result.exit_code == 2
    assert "name a folder, or set `folders:`" in result.stderr


def test_a_damaged_library_is_told_in_one_line(musrecd, music, tmp_path):
    (tmp_path / "library.db").write_text("this is no database, and long enough to be looked at " * 20)
    result = musrecd("scan", music)
    assert result.exit_code == 1
    assert result.stderr.startswith("musrecd: ")
    assert len(result.stderr.splitlines()) == 1


def test_where_a_daemon_runs_it_is_told_of_the_damage(musrecd, tmp_path, monkeypatch):
    (tmp_path / "library.db").write_text("this is no database, and long enough to be looked at " * 20)
    asked = []
    monkeypatch.setattr(client, "ask", lambda _library, request, **_options: asked.append(request) or {})
    result = musrecd("failures")
    assert result.exit_code == 1
    assert "the daemon sees to it" in result.stderr
    assert asked == [{"do": "check"}]


def test_a_bad_configuration_is_told_in_one_line(musrecd, music, tmp_path):
    (tmp_path / "config.yaml").write_text("musrec: {libary: x}\n")
    result = musrecd("scan", music)
    assert result.exit_code == 2
    assert result.stderr.startswith("musrecd: unknown key musrec.libary")


def test_files_where_no_walk_looks_are_not_taken_for_missing(musrecd, music):
    source = next(music.glob("*.flac"), next(iter(music.iterdir())))
    (music / ".hidden").mkdir()
    odd = [music / ".hidden" / source.name, music / "song.bin"]
    for path in odd:
        shutil.copy(source, path)
    musrecd("scan", music, *odd)
    (music.parent / "link").symlink_to(music)
    musrecd("scan", music)
    assert "missing" not in musrecd("status").output


@pytest.mark.parametrize("kind", ["folder", "fifo"])
def test_a_library_that_is_no_file_is_refused_at_once(musrecd, music, tmp_path, kind):
    name = tmp_path / "odd"
    name.mkdir() if kind == "folder" else os.mkfifo(name)
    result = musrecd("--library", name, "scan", music)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1


def test_an_empty_name_is_not_the_current_folder(musrecd):
    result = musrecd("scan", "")
    assert result.exit_code == 2
    assert "an empty name" in result.stderr
