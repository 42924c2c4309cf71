"""Genres and year as the library keeps them: as they were given, and anew whenever they were written."""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musrecd.errors import LibraryDamagedError
from musrecd.library.encoding import MAX_GENRES
from musrecd.library.reader import LibraryReader
from musrecd.library.recovery import put_right
from musrecd.library.store import Library
from musrecd.types import Tags

TAGS = Tags("artist", "title", "album", ("Acid Jazz", "Trip-Hop; Dub"), 1994)


def tags_of(path, make, name=b"/a") -> Tags:
    with LibraryReader.open(path) as reader:
        [track] = reader.tracks_at([name], make.version).values()
        assert [each.tags for each in reader.tracks_in_rows([0], make.version)[0] if each.path == name] == [track.tags]
        assert [each.tags for each in reader.find("artist") if each.path == name] == [track.tags]
    return track.tags


@pytest.fixture
def known(library, make):
    library.add(make.file(b"/a"), make.analysis(1), TAGS)
    return library


def test_all_ways_of_asking_know_them(known, path, make):
    assert tags_of(path, make) == TAGS
    known.attach(make.file(b"/a", mtime_ns=2), make.audio_id(1), Tags("artist"))
    assert tags_of(path, make) == Tags("artist")


def test_what_was_written_is_known_without_a_second_look(known, path, make):
    rewritten = make.file(b"/a", mtime_ns=2)
    known.refresh([rewritten], genres={b"/a": ("Dub",), b"/unknown": ("Rock",)})
    assert tags_of(path, make) == Tags("artist", "title", "album", ("Dub",), 1994)
    known.refresh([rewritten], tags={b"/a": Tags("artist of another name", genres=("Rock",), year=2001)})
    assert tags_of(path, make) == Tags("artist of another name", genres=("Rock",), year=2001)
    known.refresh([rewritten])
    assert tags_of(path, make).genres == ("Rock",)
    assert list(known.pending([rewritten], make.version)) == []


def test_they_move_with_the_file_and_survive_damage(known, path, make):
    known.move(b"/a", b"/b")
    known.close()
    with closing(sqlite3.connect(path)) as connection:
        [[page]] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'jobs'").fetchall()
    data = bytearray(path.read_bytes())
    data[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    path.write_bytes(data)
    put_right(path, LibraryDamagedError("damaged"), even_if_sound=True)
    assert tags_of(path, make, b"/b") == TAGS


def test_damaged_genres_are_none_and_stand_in_nobodys_way(known, path, make):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE files SET genres = '[1'")
    assert tags_of(path, make) == Tags("artist", "title", "album", (), 1994)


@settings(max_examples=50, deadline=None)
@given(
    genres=st.lists(st.text(st.characters(exclude_categories=[])), max_size=MAX_GENRES + 5),
    year=st.none() | st.integers(-(2**70), 2**70),
)
def test_odd_genres_come_back_sane(make, fast_folder, genres, year):
    with tempfile.TemporaryDirectory(dir=fast_folder) as folder:
        path = Path(folder) / "library.db"
        with Library.open(path) as library:
            library.register_encoder(make.encoder())
            library.add(make.file(b"/a"), make.analysis(1), Tags("artist", genres=tuple(genres), year=year))
        found = tags_of(path, make)
    assert len(found.genres) == min(len(genres), MAX_GENRES)
    for genre, stored in zip(genres, found.genres, strict=False):
        assert stored.encode() is not None
        assert stored == genre or not genre.isprintable()
    assert found.year == year or abs(year) >= 2**63
