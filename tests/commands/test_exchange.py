"""`musrecd export` and `musrecd import`: nobody hears the same recording twice."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from musrecd.analysis.card import read_card
from musrecd.ingest.tags import read_tags
from musrecd.library.store import Library
from musrecd.types import Analysis


@pytest.fixture
def music(tmp_path, rendered_files) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    for path in rendered_files[:4]:
        shutil.copy(path, folder)
    return folder


@pytest.fixture
def filled(tmp_path, tiny_weights) -> None:
    """The library of `musrecd` holds four recordings."""
    info = read_card(tiny_weights).info
    embedding, probabilities = np.eye(info.dim, dtype=np.float32), np.zeros(len(info.labels), np.float32)
    with Library.open(tmp_path / "library.db") as library:
        library.register_encoder(info)
        for number in range(4):
            library.keep(Analysis(f"{number:040x}", info.version, embedding[number], probabilities, 60.0))


def test_what_another_library_heard_needs_no_hearing_here(musrecd, music, tmp_path):
    musrecd("scan", music)
    output = tmp_path / "all.musrec"
    result = musrecd("export", output)
    assert result.exit_code == 0
    assert result.stderr == f"Wrote 4 tracks to {output}\n"
    assert output.stat().st_mode & 0o077 == 0
    assert os.listdir(tmp_path).count("all.musrec") == 1
    content = output.read_bytes()
    assert b"music/" not in content
    titles = [read_tags(os.fsencode(path)).title for path in music.iterdir()]
    assert all(titles)
    assert not any(title.encode() in content for title in titles)

    other = ("--library", tmp_path / "other.db")
    assert musrecd(*other, "import", output).stderr == f"{output}: took over 4 tracks; 0 known before\n"
    elsewhere = music.rename(tmp_path / "elsewhere")
    result = musrecd(*other, "scan", elsewhere)
    assert result.stderr.startswith("Analysed 0 tracks in ")
    assert "4 recognised" in result.stderr
    assert musrecd(*other, "similar", "-p", sorted(elsewhere.iterdir())[0]).exit_code == 0
    assert musrecd(*other, "import", output).stderr == f"{output}: took over 0 tracks; 4 known before\n"


def test_an_export_replaces_an_export_and_nothing_else(musrecd, filled, music, tmp_path):
    song = sorted(music.iterdir())[0]
    before = song.read_bytes()
    result = musrecd("export", song)
    assert result.exit_code == 1
    assert result.stderr == f"musrecd: {song} is there and no export; name another file\n"
    assert song.read_bytes() == before
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    assert musrecd("export", tmp_path / "dangling").exit_code == 1
    assert "cannot be written: No such file" in musrecd("export", tmp_path / "no" / "folder").stderr
    for _ in range(2):
        assert musrecd("export", tmp_path / "all.musrec").exit_code == 0
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".musrec-")]


def test_what_cannot_be_taken_over_is_told_and_ends_with_1(musrecd, filled, music, tmp_path):
    output = tmp_path / "all.musrec"
    musrecd("export", output)
    cut = tmp_path / "cut.musrec"
    cut.write_bytes(output.read_bytes()[:-6])
    os.mkfifo(tmp_path / "fifo")
    files = [tmp_path / "gone", music, tmp_path / "fifo", sorted(music.iterdir())[0], cut]
    result = musrecd("--library", tmp_path / "other.db", "import", *files)
    assert result.exit_code == 1
    told = [line.partition(": ")[2] for line in result.stderr.splitlines()]
    assert told == [
        "cannot be read: No such file or directory",
        "not a regular file",
        "not a regular file",
        "it is no file that `musrecd export` wrote",
        "took over 3 tracks; 0 known before; the file is cut short or damaged, the rest of it is lost",
    ]


def test_without_a_library_there_is_nothing_to_export(musrecd, tmp_path):
    result = musrecd("export", tmp_path / "all.musrec")
    assert result.exit_code == 1
    assert "there is no library" in result.stderr
    assert not (tmp_path / "all.musrec").exists()
