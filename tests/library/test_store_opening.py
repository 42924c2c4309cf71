"""Opening for writing: a library is made or found; what is none is refused and left alone."""

import os
import random

import pytest

from musrecd.errors import LibraryError
from musrecd.library import writable
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from tests.library.checks import TAGS


def test_folders_are_made(path):
    deep = path.parent / "a" / "b" / "library.db"
    with Library.open(deep):
        pass
    assert deep.exists()


def test_file_without_a_byte_is_a_new_library(path):
    path.touch()
    with Library.open(path):
        pass
    assert LibraryReader.open(path).encoder() is None


NOT_A_LIBRARY = {
    "text": b"this is not a library\n" * 500,
    "two bytes": b"xy",
    "short": b"SQLite format 3\x00",
    "zeros": bytes(8192),
    "random": random.Random(1).randbytes(10_000),
}


@pytest.mark.parametrize("content", NOT_A_LIBRARY.values(), ids=NOT_A_LIBRARY)
@pytest.mark.parametrize("opened", [Library, LibraryReader])
def test_other_file_is_refused_and_left_alone(path, opened, content):
    path.write_bytes(content)
    with pytest.raises(LibraryError, match="name another file") as caught:
        opened.open(path)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("opened", [Library, LibraryReader])
def test_truncated_library_is_refused_and_left_alone(library, path, opened):
    library.close()
    os.truncate(path, path.stat().st_size // 2)
    content = path.read_bytes()
    with pytest.raises(LibraryError, match="is damaged; let `musrecd run` restore"):
        opened.open(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("opened", [Library, LibraryReader])
def test_folder_is_refused(path, opened):
    path.mkdir()
    with pytest.raises(LibraryError):
        opened.open(path)


def test_page_overwritten_is_found_by_verify(library, path, make):
    for number in range(200):
        library.add(make.file(b"/%d" % number), make.analysis(number), TAGS)
    library.close()
    data = bytearray(path.read_bytes())
    data[-4096 * 3 : -4096 * 2] = random.Random(1).randbytes(4096)
    path.write_bytes(data)
    with pytest.raises(LibraryError, match="is damaged; let `musrecd run` restore"), Library.open(path) as library:
        library.verify()


def test_control_characters_of_a_path_do_not_reach_the_message(path):
    strange = path.parent / "a\nb\x1b[31m.db"
    strange.write_text("text")
    with pytest.raises(LibraryError) as caught:
        Library.open(strange)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["a?b#c%41.db", "ü \udcff.db", "'\";--.db", "file:x?mode=memory"])
def test_odd_names_of_the_library(path, make, name):
    odd = path.with_name(name)
    with Library.open(odd) as library:
        library.register_encoder(make.encoder())
        library.add(make.file(b"/a"), make.analysis(1), TAGS)
        library.backup(path)
    assert odd.exists()
    with LibraryReader.open(odd) as reader, LibraryReader.open(path) as copy:
        assert reader.summary().files == copy.summary().files == 1


def test_journal_is_a_rollback_journal_where_wal_is_not_safe(path, make, monkeypatch):
    for safe, mode in ((False, "delete"), (True, "wal"), (False, "delete")):
        monkeypatch.setattr(writable, "wal_is_safe", lambda safe=safe: safe)
        with Library.open(path) as library:
            library.register_encoder(make.encoder())
            with LibraryReader.open(path) as reader:
                assert reader.summary().journal_mode == mode


def test_backup_over_the_library_itself_is_refused(library, path):
    before = path.stat()
    with pytest.raises(LibraryError, match="the library itself"):
        library.backup(path)
    assert path.stat() == before
