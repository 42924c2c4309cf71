"""The items of beets are found by their numbers, whatever changed since those were noted."""

import itertools
import os
import sqlite3
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from musrecd.errors import LibraryError
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.types import Tags

FOLDER = b"/music"


@pytest.fixture
def beets(tmp_path):
    """A database like that of beets, with two items in its folder and one elsewhere."""
    database = tmp_path / "beets?.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "CREATE TABLE items (id INTEGER PRIMARY KEY, path BLOB, artist TEXT, title TEXT, album TEXT, genres TEXT, "
            "year INTEGER)"
        )
    put(database, 1, b"a.mp3", genres="Dub\\␀Techno", year=1999)
    put(database, 2, b"b.mp3")
    put(database, 7, b"/elsewhere/c.mp3")
    return database


_times = itertools.count(1_000_000_000)


def change(database, sql, *values):
    """Change beets' database as if that had been long ago, but later than everything before."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(sql, values)
    os.utime(database, (0, next(_times)))


def put(database, number, path, *, genres="", year=0):
    sql = "INSERT OR REPLACE INTO items VALUES (?, ?, 'Artist', ?, 'Album', ?, ?)"
    change(database, sql, number, path, f"Title {number}", genres, year)


@pytest.fixture
def heard(library, make):
    """The three files in rows 0 to 2, and one that beets has no item of in row 3."""
    for row, path in enumerate((b"/music/a.mp3", b"/music/b.mp3", b"/elsewhere/c.mp3", b"/music/not in beets.mp3")):
        library.add(make.file(path), make.analysis(row), Tags())
    return library


class Asked:
    """A new look at both databases for each question, as each `beet similar` has."""

    def __init__(self, path, database, version) -> None:
        self._path, self.database, self._version = path, database, version

    def __call__(self, question):
        with (
            LibraryReader.open(self._path) as reader,
            closing(reader.items(self.database, FOLDER, self._version)) as items,
        ):
            return question(items)

    def note(self):
        self(lambda items: items.note())
        # It would rest for a moment otherwise.
        change(self._path, "DELETE FROM meta WHERE key = 'items/rest'")

    def numbers(self, rows=range(6)):
        return {row: named.number for row, named in self(lambda items: items.in_rows(rows)).items()}

    def rows(self, *condition):
        return self(lambda items: items.rows(*condition)).tolist()

    @property
    def is_current(self):
        return self(lambda items: items.is_current)

    @property
    def n_unheard(self):
        return self(lambda items: items.count_unheard())


@pytest.fixture
def asked(heard, path, beets, make):
    return Asked(path, beets, make.version)


@pytest.mark.parametrize("is_noted", [False, True])
def test_rows_have_the_items_of_their_files(asked, is_noted):
    if is_noted:
        asked.note()
    assert asked.is_current == is_noted
    assert asked.numbers() == {0: 1, 1: 2, 2: 7}
    assert asked.rows() == [0, 1, 2]
    assert asked.rows("year = ?", [1999]) == [0]
    assert asked.rows("year = ?", [1]) == []
    assert asked.n_unheard == 0


def test_items_are_named_as_beets_does(asked):
    asked.note()
    found = asked(lambda items: items.in_rows([0, 1]))
    assert found[0].tags == Tags("Artist", "Title 1", "Album", ("Dub", "Techno"), 1999)
    assert found[1].tags == Tags("Artist", "Title 2", "Album", (), None)
    named = asked(lambda items: items.at([7, 1, 99]))
    assert {path: each.number for path, each in named.items()} == {b"/music/a.mp3": 1, b"/elsewhere/c.mp3": 7}


def test_an_item_that_was_renamed_is_found(asked, beets):
    asked.note()
    change(beets, "UPDATE items SET path = ? WHERE id = 1", b"not in beets.mp3")
    assert not asked.is_current
    assert asked.numbers() == {1: 2, 2: 7, 3: 1}
    assert asked.rows() == [1, 2, 3]
    asked.note()
    assert (asked.is_current, asked.numbers()) == (True, {1: 2, 2: 7, 3: 1})


def test_numbers_that_are_given_anew_name_the_new_item(asked, beets):
    asked.note()
    change(beets, "DELETE FROM items WHERE id = 7")
    put(beets, 7, b"not in beets.mp3")
    assert asked.numbers() == {0: 1, 1: 2, 3: 7}


def test_a_file_with_other_sound_is_in_another_row(asked, heard, make):
    asked.note()
    heard.add(make.file(b"/music/a.mp3", size=99), make.analysis(5), Tags())
    assert asked.numbers() == {4: 1, 1: 2, 2: 7}
    assert asked.rows() == [1, 2, 4]


def test_missing_files_are_no_results(asked, heard):
    asked.note()
    heard.mark_missing([b"/music/b.mp3"])
    assert asked.numbers() == {0: 1, 2: 7}
    asked.note()
    assert (asked.numbers(), asked.n_unheard) == ({0: 1, 2: 7}, 1)


def test_items_that_are_not_analysed_are_counted(asked, beets, heard, make):
    put(beets, 8, b"new.mp3")
    assert asked.n_unheard == 1
    asked.note()
    assert asked.n_unheard == 1
    put(beets, 9, b"newer.mp3")
    assert asked.n_unheard == 2
    heard.add(make.file(b"/music/new.mp3"), make.analysis(8), Tags())
    heard.add(make.file(b"/music/newer.mp3"), make.analysis(9), Tags())
    assert asked.n_unheard == 0
    asked.note()
    put(beets, 10, b"newest.mp3")
    assert asked.n_unheard == 1, "the newest are looked at, though all were analysed"


def test_another_encoder_and_another_beets_have_notes_of_their_own(asked, beets, heard, path, make, tmp_path):
    asked.note()
    other = tmp_path / "other.db"
    other.write_bytes(beets.read_bytes())
    change(other, "UPDATE items SET id = id + 100")
    assert Asked(path, other, make.version).numbers() == {0: 101, 1: 102, 2: 107}
    assert asked.numbers() == {0: 1, 1: 2, 2: 7}
    heard.register_encoder(make.encoder("another"))
    assert Asked(path, beets, "another").numbers() == {}
    assert Asked(path, beets, "another").n_unheard == 3


def test_nothing_is_noted_of_a_database_that_changes_just_now(asked, beets):
    os.utime(beets)
    asked.note()
    assert not asked.is_current


def test_noting_rests_while_everything_changes(asked, beets, path):
    asked(lambda items: items.note())
    change(path, "UPDATE meta SET value = '99999999999' WHERE key = 'items/rest'")
    put(beets, 8, b"not in beets.mp3")
    asked(lambda items: items.note())
    assert not asked.is_current
    assert asked.numbers() == {0: 1, 1: 2, 2: 7, 3: 8}


def test_a_library_that_cannot_be_written_is_answered_from(asked, path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        asked(lambda items: items.note())
    assert not asked.is_current
    assert asked.numbers() == {0: 1, 1: 2, 2: 7}


def test_a_database_that_cannot_be_read_is_an_error_of_one_line(path, heard, make, tmp_path):
    with pytest.raises(LibraryError) as caught:
        Asked(path, tmp_path / "gone.db", make.version).rows()
    assert len(str(caught.value).splitlines()) == 1


_STEPS = {
    "note": lambda asked, library, make, number, file: asked.note(),
    "rename": lambda asked, library, make, number, file: change(
        asked.database, "UPDATE items SET path = ? WHERE id = ?", file, number
    ),
    "remove": lambda asked, library, make, number, file: change(
        asked.database, "DELETE FROM items WHERE id = ?", number
    ),
    "add": lambda asked, library, make, number, file: put(asked.database, number, file),
    "hear": lambda asked, library, make, number, file: library.add(
        make.file(FOLDER + b"/" + file, size=number), make.analysis(number), Tags()
    ),
    "miss": lambda asked, library, make, number, file: library.mark_missing([FOLDER + b"/" + file]),
}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(sorted(_STEPS)), st.integers(0, 5), st.integers(0, 5)), max_size=8))
def test_whatever_happened_the_answer_is_that_of_going_through_everything(make, beets, tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("steps") / "library.db"
    change(beets, "DELETE FROM items")
    with Library.open(path) as library:
        library.register_encoder(make.encoder())
        asked = Asked(path, beets, make.version)
        for what, number, place in steps:
            _STEPS[what](asked, library, make, number, b"%d.mp3" % place)
            assert asked.numbers().keys() == set(asked.rows()) == expected(path, beets)


def expected(path, beets) -> set[int]:
    with closing(sqlite3.connect(path)) as ours, closing(sqlite3.connect(beets)) as theirs:
        paths = {FOLDER + b"/" + name for (name,) in theirs.execute("SELECT path FROM items")}
        rows = ours.execute(
            'SELECT f.path, a."row" FROM files f JOIN analyses a USING (recording_id) WHERE f.missing_since IS NULL'
        )
        return {row for file, row in rows if file in paths}
