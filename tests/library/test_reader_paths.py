"""What the reader knows of paths: below a folder, and in another program's database."""

import sqlite3

import pytest

from musrecd.errors import LibraryError
from musrecd.library.reader import LibraryReader
from musrecd.types import Tags


@pytest.fixture
def folders(library, make):
    """Add four tracks in three folders, one of them missing, and one failure."""
    for number, path in enumerate([b"/a/1.mp3", b"/a/b/2.mp3", b"/ab/3.mp3", b"/a/gone.mp3"]):
        library.add(make.file(path), make.analysis(number), Tags())
    library.mark_missing([b"/a/gone.mp3"])
    library.add_failure(make.file(b"/a/bad.mp3"), make.version, "not audio", "no sound")
    return library


@pytest.fixture
def reader(folders, path):
    with LibraryReader.open(path) as reader:
        yield reader


@pytest.mark.parametrize(
    ("folder", "found"),
    [
        (b"/a", {b"/a/1.mp3", b"/a/b/2.mp3", b"/a/bad.mp3"}),
        (b"/a/", {b"/a/1.mp3", b"/a/b/2.mp3", b"/a/bad.mp3"}),
        (b"/a/b", {b"/a/b/2.mp3"}),
        (b"/a/1.mp3", {b"/a/1.mp3"}),
        (b"/", {b"/a/1.mp3", b"/a/b/2.mp3", b"/a/bad.mp3", b"/ab/3.mp3"}),
        (b"/nowhere", set()),
    ],
)
def test_paths_below_a_folder_with_failures_and_without_missing_ones(reader, folder, found):
    assert reader.paths_below(folder) == found


def test_recordings_are_found_by_their_sound(reader, make):
    ids = reader.recordings_of([make.audio_id(0), make.audio_id(2), make.audio_id(77)])
    assert len(ids) == 2
    assert set(ids) == {reader.tracks_at([p], make.version)[p].recording_id for p in (b"/a/1.mp3", b"/ab/3.mp3")}


@pytest.fixture
def other(tmp_path):
    database = tmp_path / "other library?.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE things (path BLOB)")
        connection.executemany("INSERT INTO things VALUES (?)", [(b"/a/1.mp3",), (b"/a/gone.mp3",), (b"/new.mp3",)])
    connection.close()
    return database


def test_files_of_another_database_that_are_not_analysed_are_counted(reader, make, other):
    count = reader.count_unanalysed(other, "SELECT path FROM other.things", [], make.version)
    assert count == 2
    assert reader.count_unanalysed(other, "SELECT path FROM other.things", [], "unknown") == 3
    prefixed = "SELECT CAST(? || path AS BLOB) AS path FROM other.things"
    assert reader.count_unanalysed(other, prefixed, [b"/elsewhere"], make.version) == 3


def test_another_database_that_cannot_be_read_is_an_error_of_one_line(reader, make, tmp_path):
    with pytest.raises(LibraryError) as caught:
        reader.count_unanalysed(tmp_path / "gone.db", "SELECT path FROM other.things", [], make.version)
    assert len(str(caught.value).splitlines()) == 1


def test_a_file_that_beets_rewrote_needs_no_second_look(library, make):
    library.add(make.file(b"/a.mp3"), make.analysis(1), Tags())
    rewritten = make.file(b"/a.mp3", size=2000, mtime_ns=99)
    assert list(library.pending([rewritten], make.version)) == [rewritten]
    library.refresh([rewritten, make.file(b"/unknown.mp3")])
    assert list(library.pending([rewritten, make.file(b"/unknown.mp3")], make.version)) == [make.file(b"/unknown.mp3")]
