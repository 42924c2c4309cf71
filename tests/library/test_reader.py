"""The reader: right answers whatever the names, read-only, and errors of one line."""

import sqlite3
import unicodedata
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musrecd.errors import LibraryError
from musrecd.library import reader as reader_module
from musrecd.library.database import in_list
from musrecd.library.encoding import fold
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.library.suggestions import SUGGESTED, note_suggested
from musrecd.types import Priority, Tags


@pytest.fixture
def filled(library, path, make):
    """Fill a library with 1,200 recordings, more than one statement has variables."""
    with library._transaction():
        for number in range(1, 1201):
            analysis = make.analysis(number)
            recording_id = library._analyses.put(analysis)
            library._files.put(make.file(b"/music/%d.mp3" % number), recording_id, Tags(f"artist {number}"))
    return library


@pytest.fixture
def reader(filled, path):
    with LibraryReader.open(path) as reader:
        yield reader


def test_library_that_does_not_exist(path):
    with pytest.raises(LibraryError, match=r"no library at .* yet; make one with `musrecd scan FOLDER`"):
        LibraryReader.open(path)
    assert not path.exists()
    path.touch()
    with pytest.raises(LibraryError, match="no library at"):
        LibraryReader.open(path)
    assert path.read_bytes() == b""


def test_reader_cannot_write(reader):
    with pytest.raises(LibraryError):
        reader._rows("DELETE FROM files")


def test_empty_library_answers(path):
    with Library.open(path), LibraryReader.open(path) as reader:
        assert reader.encoder() is None
        assert reader.tracks_at([b"/a"], "v") == {}
        assert reader.tracks_in_rows([0], "v") == {0: []}
        assert reader.rows_of([1], "v") == {}
        assert reader.analysed_paths("v") == set()
        assert not reader.knows("0" * 40, "v")
        assert reader.find("a") == reader.failures() == []
        assert reader.summary().analysed == {}
        for ask in (reader.vectors, lambda version: reader.embeddings([], version)):
            with pytest.raises(LibraryError, match="no analyses of encoder version 'v'"):
                ask("v")


def test_registered_encoder_has_no_rows_yet(library, path, make):
    with LibraryReader.open(path) as reader:
        assert reader.encoder() == make.encoder()
        assert reader.vectors(make.version).shape == (0, make.dim)
        assert reader.embeddings([], make.version).shape == (0, make.dim)
        assert reader.probabilities([], make.version) == {}


def test_encoder_with_most_rows_answers_and_of_equals_the_newest(library, path, make):
    library.register_encoder(make.encoder("new"))
    with LibraryReader.open(path) as reader:
        assert reader.encoder().version == "new"
        library.add(make.file(b"/a"), make.analysis(1), Tags())
        assert reader.encoder().version == make.version
        library.add(make.file(b"/a"), make.analysis(1, version="new"), Tags())
        assert reader.encoder().version == "new"


def test_tracks_by_path(reader, make):
    paths = [b"/music/%d.mp3" % number for number in range(1202)]
    tracks = reader.tracks_at(paths, make.version)
    assert set(paths) - tracks.keys() == {b"/music/0.mp3", b"/music/1201.mp3"}
    assert tracks[b"/music/7.mp3"].tags == Tags("artist 7")
    assert tracks[b"/music/7.mp3"].duration_s == 187.0
    assert reader.tracks_at(paths, "other") == {}


def test_tracks_by_row(filled, reader, make):
    filled.attach(make.file(b"/a copy"), make.audio_id(8), Tags("copy"))
    filled.mark_missing([b"/music/3.mp3"])
    found = reader.tracks_in_rows(np.array([7, 2, 5000, -1]), make.version)
    assert {row: [track.path for track in tracks] for row, tracks in found.items()} == {
        7: [b"/a copy", b"/music/8.mp3"],
        2: [],
        5000: [],
        -1: [],
    }
    assert len(reader.tracks_in_rows(range(1200), make.version)) == 1200


def test_vectors_and_probabilities_in_the_order_asked(reader, make):
    rows = reader.rows_of(range(2000), make.version)
    assert len(rows) == 1200
    ids = [1200, 3, 700, 3]
    np.testing.assert_array_equal(reader.embeddings(ids, make.version), [make.unit(n) for n in ids])
    probabilities = reader.probabilities(np.array(ids), make.version)
    np.testing.assert_array_equal([probabilities[n] for n in ids], [make.analysis(n).probabilities for n in ids])
    np.testing.assert_array_equal(
        reader.vectors(make.version)[[rows[n] for n in ids]], reader.embeddings(ids, make.version)
    )
    assert reader.embeddings(list(rows), make.version).shape == (1200, make.dim)
    with pytest.raises(LibraryError, match="recording 5000 has no analysis"):
        reader.embeddings([1, 5000], make.version)


DAMAGE = {
    "embedding": "UPDATE outputs SET embedding = randomblob(length(embedding)) WHERE id % 4096 = 3",
    "probabilities": "UPDATE outputs SET probabilities = zeroblob(length(probabilities)) WHERE id % 4096 = 3",
    "checksum": "UPDATE outputs SET checksum = checksum + 1 WHERE id % 4096 = 3",
    "text": "UPDATE outputs SET embedding = 'text' WHERE id % 4096 = 3",
    "empty": "UPDATE outputs SET embedding = x'', probabilities = x'', checksum = 0 WHERE id % 4096 = 3",
    "gone": "DELETE FROM outputs WHERE id % 4096 = 3",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_analysis_is_named_or_left_out_and_waits_to_be_heard_again(filled, reader, path, make, damage):
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(damage).rowcount == 1
    assert len(reader.embeddings([3, 5], make.version)) == 2
    assert reader.waiting() == {}
    assert set(reader.probabilities([3, 4, 5], make.version)) == {3, 5}
    assert reader.waiting() == {Priority.NEW: 1}
    assert not reader.knows(make.audio_id(4), make.version)
    assert [job.path for job in filled.due_jobs(0.0, 10)] == [b"/music/4.mp3"]
    assert list(filled.pending([make.file(b"/music/4.mp3")], make.version))
    with pytest.raises(LibraryError, match=r"4\.mp3' is damaged"):
        reader.embeddings([3, 4, 5], make.version)
    filled.add(make.file(b"/music/4.mp3"), make.analysis(4), Tags())
    assert reader.waiting() == {}
    assert len(reader.embeddings([3, 4, 5], make.version)) == 3


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_the_check_finds_damaged_analyses_and_lets_them_wait(filled, reader, path, make, damage):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(damage)
    assert filled.verify() == 1
    assert not reader.knows(make.audio_id(4), make.version)
    assert [job.path for job in filled.due_jobs(0.0, 10)] == [b"/music/4.mp3"]


def test_a_damaged_analysis_is_no_error_where_nothing_can_be_noted(filled, reader, path, make, monkeypatch):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(DAMAGE["gone"])
    with filled.at_once():
        assert set(reader.probabilities([3, 4], make.version)) == {3}
    assert reader.waiting() == {}


def test_knows(reader, make):
    assert reader.knows(make.audio_id(1200), make.version)
    assert not reader.knows(make.audio_id(1201), make.version)
    assert not reader.knows(make.audio_id(1), "other")
    assert not reader.knows("' OR 1=1 --", make.version)


TRACKS = {
    b"/music/Sigur R\xc3\xb3s/01 Svefn-g-englar.mp3": Tags("Sigur Rós", "Svefn-g-englar", "Ágætis byrjun"),
    b"/music/100%_pure.mp3": Tags("Percent", "a_b", "x"),
    b"/music/\xff\xfe.mp3": Tags("Straße", "O'Brien; DROP TABLE files", ""),
    b"/other/a.mp3": Tags("AC/DC", "100 proof", "a%b"),
}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", 0),
        ("  \n", 0),
        ("music", 3),
        ("MUSIC mp3", 3),
        ("sigur ÁGÆTIS", 1),
        (unicodedata.normalize("NFD", "rós"), 1),
        ("STRASSE", 1),
        ("%", 2),
        ("100%", 1),
        ("a_b", 1),
        ("axb", 0),
        ("_", 1),
        ("o'brien", 1),
        ("ac/dc proof", 1),
        ("ac/dc sigur", 0),
        ("*", 0),
        ("\x00", 1),  # stands for itself and all else that is no text
        ("x " * 300, 1),
    ],
)
def test_find(library, path, make, words, expected):
    for number, (name, tags) in enumerate(TRACKS.items()):
        library.add(make.file(name), make.analysis(number), tags)
    library.attach(make.file(b"/music/sigur gone.mp3"), make.audio_id(0), TRACKS[b"/other/a.mp3"])
    library.mark_missing([b"/music/sigur gone.mp3"])
    with LibraryReader.open(path) as reader:
        found = reader.find(words)
    assert len(found) == expected
    assert [track.path for track in found] == sorted(track.path for track in found)
    assert all(TRACKS[track.path] == track.tags for track in found)


def test_find_after_a_move(library, path, make):
    library.add(make.file(b"/old name"), make.analysis(1), Tags("artist"))
    library.move(b"/old name", b"/new name")
    with LibraryReader.open(path) as reader:
        assert reader.find("old") == []
        assert [track.path for track in reader.find("new artist")] == [b"/new name"]


@given(st.text(st.characters(exclude_categories=[])))
def test_folding_twice_finds_what_folding_once_stored(text):
    for word in fold(text).split():
        assert word in fold(text)
        word.encode()


def test_summary_and_failures(filled, reader, path, make):
    filled.add_failure(make.file(b"/x"), make.version, "no sound", "nothing\x00")
    filled.add_failure(make.file(b"/a"), make.version, "worker", "m" * 5000)
    filled.add_failure(make.file(b"/c"), make.version, "worker", "")
    filled.mark_missing([b"/music/1.mp3"])
    summary = reader.summary()
    assert (summary.files, summary.recordings, summary.missing) == (1200, 1200, 1)
    assert summary.analysed == {make.version: 1200}
    assert summary.failures == {"no sound": 1, "worker": 2}
    assert summary.journal_mode in {"delete", "wal"}
    assert summary.database_bytes == path.stat().st_size
    failures = reader.failures()
    assert [failure.path for failure in failures] == [b"/a", b"/c", b"/x"]
    assert (failures[2].reason, failures[2].attempts, failures[2].message) == ("no sound", 1, "nothing\ufffd")
    assert len(failures[0].message) == 1000


def test_rows_that_are_asked_for_do_not_touch_the_blobs(reader):
    plans = {
        'SELECT recording_id FROM analyses WHERE encoder_id = 1 AND "row" = 5': "COVERING INDEX",
        "SELECT recording_id FROM files WHERE path = x'2f'": "PRIMARY KEY",
        "SELECT embedding FROM outputs WHERE id = 5": "INTEGER PRIMARY KEY",
    }
    for sql, expected in plans.items():
        assert expected in reader._rows("EXPLAIN QUERY PLAN " + sql)[0][3]


def test_errors_of_sqlite_become_one_line(reader, path):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("ALTER TABLE files RENAME TO gone")
    for ask in (reader.summary, lambda: reader.find("a"), lambda: reader.analysed_paths("enc-1")):
        with pytest.raises(LibraryError) as caught:
            ask()
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_text_that_is_no_text_becomes_one_line(library, path, make):
    library.add(make.file(b"/a"), make.analysis(1), Tags("artist"))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE files SET artist = CAST(x'ff' AS TEXT)")
    with LibraryReader.open(path) as reader, pytest.raises(LibraryError, match="is damaged"):
        reader.tracks_at([b"/a"], make.version)


IMPORTS = """
import sys
from pathlib import Path
from musrecd.library.reader import LibraryReader
with LibraryReader.open(Path(sys.argv[1])) as reader:
    version = reader.encoder().version
    assert reader.vectors(version).shape == (1200, 8)
    assert reader.find("artist") and reader.summary()
heavy = {"sqlite_utils", "torch", "librosa", "numba", "av", "scipy", "beets"}
print(sorted(heavy & sys.modules.keys()))
"""


def test_reader_imports_nothing_heavy(filled, path, start):
    output, _ = start(IMPORTS, path).communicate(timeout=20)
    assert output == "[]\n"


@pytest.mark.parametrize(
    ("sql", "begins"),
    [
        (reader_module._TRACKS_AT, "SEARCH f USING PRIMARY KEY (path=?)"),
        (reader_module._TRACKS_IN_ROWS, "SEARCH a USING COVERING INDEX analyses_by_row"),
        (SUGGESTED, "SCAN s"),
    ],
)
def test_a_look_up_of_many_begins_with_them_and_not_with_the_whole_library(filled, path, sql, begins):
    with closing(sqlite3.connect(path)) as connection:
        asked = in_list(sql, range(900))
        plan = connection.execute(f"EXPLAIN QUERY PLAN {asked}", [1] * asked.count("?")).fetchall()
    assert plan[0][3].startswith(begins)


def test_what_was_read_stays_as_long_as_the_rows_do(filled, path, reader, make):
    """Whoever asks about a million tracks notes what was suggested, which changes the library, but no row of it."""
    vectors, features = reader.vectors(make.version), reader.features(make.version)
    note_suggested(path, [7])
    assert reader.vectors(make.version) is vectors
    assert reader.features(make.version) is features
    filled.add(make.file(b"/music/7.mp3"), make.analysis(7, seed=77), Tags())
    again = reader.vectors(make.version)
    assert again is not vectors, "what is known of an array is of no other content"
    np.testing.assert_array_equal(again[reader.rows_of([7], make.version)[7]], make.unit(77))
    filled.add(make.file(b"/music/new.mp3"), make.analysis(5000), Tags())
    assert len(reader.vectors(make.version)) == len(vectors) + 1
    assert len(reader.features(make.version).bpm) == len(vectors) + 1
