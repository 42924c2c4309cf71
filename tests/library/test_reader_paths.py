"""What the reader knows of paths: below a folder, and in another program's database."""

import pytest

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


def test_a_file_that_beets_rewrote_needs_no_second_look(library, make):
    library.add(make.file(b"/a.mp3"), make.analysis(1), Tags())
    rewritten = make.file(b"/a.mp3", size=2000, mtime_ns=99)
    assert list(library.pending([rewritten], make.version)) == [rewritten]
    library.refresh([rewritten, make.file(b"/unknown.mp3")])
    assert list(library.pending([rewritten, make.file(b"/unknown.mp3")], make.version)) == [make.file(b"/unknown.mp3")]
