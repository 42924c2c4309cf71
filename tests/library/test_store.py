"""The writer: what it is told is there afterwards, wholly, whoever else writes and whenever it is killed."""

import os
import random
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musrecd.errors import LibraryError
from musrecd.library import store
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.types import EncoderInfo, Label, Tags

TAGS = Tags("artist", "title", "album")


def dump(path):
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def query(path, sql):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def check_consistent(path):
    """Hold everything against everything: rows, counters, BLOBs, vector files."""
    assert query(path, "PRAGMA integrity_check") == [("ok",)]
    assert query(path, "PRAGMA foreign_key_check") == []
    with LibraryReader.open(path) as reader:
        for number, version, n_rows in query(path, "SELECT id, version, n_rows FROM encoders"):
            sql = f'SELECT recording_id, "row" FROM analyses WHERE encoder_id = {number} ORDER BY "row"'
            analyses = query(path, sql)
            assert [row for _, row in analyses] == list(range(n_rows))
            vectors = reader.vectors(version)
            assert vectors.shape[0] == n_rows
            ids = [recording for recording, _ in analyses]
            np.testing.assert_array_equal(vectors, reader.embeddings(ids, version))
            assert reader.rows_of(ids, version) == dict(analyses)
    n_outputs = query(path, "SELECT count(*) FROM outputs")
    assert n_outputs == query(path, "SELECT count(*) FROM analyses")


# Opening


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
    with Library.open(path) as library, pytest.raises(LibraryError, match="is damaged; let `musrecd run` restore"):
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
        monkeypatch.setattr(store, "wal_is_safe", lambda safe=safe: safe)
        with Library.open(path) as library:
            library.register_encoder(make.encoder())
            with LibraryReader.open(path) as reader:
                assert reader.summary().journal_mode == mode


def test_backup_over_the_library_itself_is_refused(library, path):
    before = path.stat()
    with pytest.raises(LibraryError, match="the library itself"):
        library.backup(path)
    assert path.stat() == before


# Encoders and analyses


def test_encoder_may_not_change_its_meaning(library, make, path):
    library.register_encoder(make.encoder())
    before = dump(path)
    for changed in (
        EncoderInfo(make.version, make.dim + 1, make.labels),
        EncoderInfo(make.version, make.dim, make.labels[::-1]),
    ):
        with pytest.raises(LibraryError, match="a version of its own"):
            library.register_encoder(changed)
    for refused in (EncoderInfo("v", 0, make.labels), EncoderInfo("a\udcffb", 1, ())):
        with pytest.raises(LibraryError):
            library.register_encoder(refused)
    assert dump(path) == before


def test_adding_again_changes_one_row_only(library, path, make):
    for number in (1, 2, 3):
        library.add(make.file(b"/%d" % number), make.analysis(number), TAGS)
    library.add(make.file(b"/2"), make.analysis(2, seed=22), TAGS)
    check_consistent(path)
    with LibraryReader.open(path) as reader:
        expected = [make.unit(1), make.unit(22), make.unit(3)]
        np.testing.assert_array_equal(reader.vectors(make.version), expected)


BAD = {
    "nan": lambda a: {"embedding": np.full_like(a.embedding, np.nan)},
    "inf": lambda a: {"embedding": np.where(a.embedding == a.embedding[0], np.inf, a.embedding)},
    "too big": lambda a: {"embedding": a.embedding.astype(np.float64) * 1e300},
    "zeros": lambda a: {"embedding": a.embedding * 0},
    "long": lambda a: {"embedding": a.embedding * 1.01},
    "short": lambda a: {"embedding": a.embedding * 0.99},
    "wrong dim": lambda a: {"embedding": a.embedding[:-1]},
    "matrix": lambda a: {"embedding": a.embedding[None]},
    "nan probability": lambda a: {"probabilities": a.probabilities * np.nan},
    "few probabilities": lambda a: {"probabilities": a.probabilities[:-1]},
    "nan duration": lambda a: {"duration_s": float("nan")},
    "inf bpm": lambda a: {"bpm": float("inf")},
    "nan confidence": lambda a: {"key_confidence": float("nan")},
    "unknown version": lambda a: {"encoder_version": "enc-9"},
    "audio id": lambda a: {"audio_id": "x" * 40},
    "short audio id": lambda a: {"audio_id": "0" * 39},
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("number", [1, 2], ids=["known", "new"])
def test_bad_analysis_is_refused_and_nothing_written(library, path, make, bad, number):
    library.add(make.file(b"/1"), make.analysis(1), TAGS)
    before = dump(path)
    good = make.analysis(number)
    with pytest.raises(LibraryError):
        library.add(make.file(b"/2"), replace(good, **bad(good)), TAGS)
    assert dump(path) == before
    check_consistent(path)


any_text = st.text(st.characters(exclude_categories=[]))
any_path = st.binary(min_size=1).map(lambda name: b"/" + name)
any_int = st.integers(-(2**70), 2**70)


@settings(max_examples=60, deadline=None)
@given(
    path_of_file=any_path,
    texts=st.tuples(any_text, any_text, any_text),
    size=any_int,
    mtime_ns=any_int,
    n_damaged=any_int,
    key=any_text,
)
def test_odd_values_come_back_sane(make, fast_folder, path_of_file, texts, size, mtime_ns, n_damaged, key):
    file = make.file(path_of_file, size, mtime_ns)
    analysis = replace(make.analysis(1), n_damaged_packets=n_damaged, key=key, bpm=2**70)
    with tempfile.TemporaryDirectory(dir=fast_folder) as folder:
        path = Path(folder) / "library.db"
        with Library.open(path) as library:
            library.register_encoder(EncoderInfo(make.version, make.dim, (Label(key, key), *make.labels[1:])))
            library.add_failure(file, make.version, *texts[:2])
            assert list(library.pending([file], make.version)) == []
            library.add(file, analysis, Tags(*texts))
            assert list(library.pending([file], make.version)) == []
        with LibraryReader.open(path) as reader:
            track = reader.tracks_at([path_of_file], make.version)[path_of_file]
            assert reader.encoder().labels[0] == Label(key, key)
    assert track.path == path_of_file
    for stored, given_text in zip((track.tags.artist, track.tags.title, track.tags.album), texts, strict=True):
        assert stored.encode() is not None
        assert "\x00" not in stored
        if given_text.isprintable() and len(given_text) < 1000:
            assert stored == given_text


# Files


def names(files):
    return [file.path for file in files]


def test_pending_is_what_is_not_done(library, make):
    done, failed, new = make.file(b"/done"), make.file(b"/failed"), make.file(b"/new")
    library.add(done, make.analysis(1), TAGS)
    library.add_failure(failed, make.version, "no sound", "nothing to hear")
    files = [new, failed, done]

    def pending(files, version=make.version, **options):
        return names(library.pending(iter(files), version, **options))

    assert pending(files) == [b"/new"]
    assert pending(files, retry_failed=True) == [b"/new", b"/failed"]
    assert pending(files, force=True) == [b"/new", b"/done"]
    assert pending(files, force=True, retry_failed=True) == [b"/new", b"/failed", b"/done"]
    assert pending([done._replace(size=7), failed._replace(mtime_ns=7)]) == [b"/done", b"/failed"]
    assert pending(files, "enc-2") == [b"/new", b"/failed", b"/done"]


def test_what_cannot_be_read_is_pending_until_it_is_given_up(library, make):
    file = make.file(b"/a")
    for attempt in range(1, 4):
        library.add_failure(file, make.version, "unreadable", "no permission")
        assert list(library.pending([file], make.version)) == [file]
        given_up = attempt == 3
        assert list(library.pending([file], make.version, give_up_after=3)) == ([] if given_up else [file])
    assert list(library.pending([file], make.version, give_up_after=3, retry_failed=True)) == [file]
    changed = make.file(b"/a", size=7)
    assert list(library.pending([changed], make.version, give_up_after=3)) == [changed]


def test_pending_takes_more_files_than_a_statement_has_variables(library, make):
    library.add(make.file(b"/1234"), make.analysis(1), TAGS)
    files = [make.file(b"/%d" % number) for number in range(2500)]
    expected = [file for file in files if file.path != b"/1234"]
    assert list(library.pending(files, make.version)) == expected


def test_failure_keeps_the_good_row_and_counts_attempts(library, path, make):
    file, changed = make.file(b"/a"), make.file(b"/a", size=2)
    library.add(file, make.analysis(1), TAGS)
    for _ in range(3):
        library.add_failure(changed, make.version, "worker", "crashed")
    with LibraryReader.open(path) as reader:
        assert b"/a" in reader.tracks_at([b"/a"], make.version)
        assert [failure.attempts for failure in reader.failures()] == [3]
        library.add_failure(file, make.version, "worker", "crashed")
        assert [failure.attempts for failure in reader.failures()] == [1]
        library.add(changed, make.analysis(1), TAGS)
        assert reader.failures() == []


def test_attach_needs_a_known_recording(library, path, make):
    before = dump(path)
    for audio_id in (make.audio_id(1), "", "' OR 1=1 --", "\udcff"):
        with pytest.raises(LibraryError):
            library.attach(make.file(b"/a"), audio_id, TAGS)
    assert dump(path) == before


def test_copy_moved_and_retagged_share_one_analysis(library, path, make):
    library.add(make.file(b"/a"), make.analysis(1), TAGS)
    library.attach(make.file(b"/copy"), make.audio_id(1), TAGS)
    library.attach(make.file(b"/a", mtime_ns=2), make.audio_id(1), Tags("new"))
    assert library.move(b"/copy", b"/moved")
    assert not library.move(b"/unknown", b"/a")
    check_consistent(path)
    with LibraryReader.open(path) as reader:
        (tracks,) = reader.tracks_in_rows([0], make.version).values()
    assert [(track.path, track.tags) for track in tracks] == [(b"/a", Tags("new")), (b"/moved", TAGS)]


def test_swap_of_two_files(library, path, make):
    library.add(make.file(b"/a"), make.analysis(1), TAGS)
    library.add(make.file(b"/b"), make.analysis(2), TAGS)
    for source, destination in ((b"/a", b"/t"), (b"/b", b"/a"), (b"/t", b"/b"), (b"/b", b"/b")):
        assert library.move(source, destination)
    with LibraryReader.open(path) as reader:
        tracks = reader.tracks_at([b"/a", b"/b", b"/t"], make.version)
    assert {name: track.duration_s for name, track in tracks.items()} == {b"/a": 182.0, b"/b": 181.0}


def test_missing_files_are_not_forgotten(library, path, make):
    files = [make.file(b"/%d" % number) for number in range(3)]
    for number, file in enumerate(files):
        library.add(file, make.analysis(number), TAGS)

    def present():
        with LibraryReader.open(path) as reader:
            found = reader.analysed_paths(make.version)
            assert reader.summary().missing == 3 - len(found)
            return found

    assert library.mark_missing([b"/0", b"/1", b"/2", b"/unknown"]) == 3
    assert library.mark_missing([b"/0"]) == 0
    assert present() == set()
    assert list(library.pending(files[:1], make.version)) == []
    assert present() == {b"/0"}
    assert names(library.pending([files[1]._replace(size=9)], make.version)) == [b"/1"]
    assert present() == {b"/0"}  # what is there now is something else
    library.attach(files[1], make.audio_id(1), TAGS)
    assert present() == {b"/0", b"/1"}
    assert library.mark_seen(file.path for file in files) == 1
    assert present() == {b"/0", b"/1", b"/2"}


def test_failures_of_missing_files_are_forgotten(library, path, make):
    library.add_failure(make.file(b"/a"), make.version, "no sound", "")
    library.mark_missing([b"/a"])
    assert query(path, "SELECT count(*) FROM failures") == [(0,)]


paths = st.sampled_from([b"/a", b"/b", b"/c", b"/d\xff", b"/e'\n"])
recordings = st.integers(1, 4)
operations = st.one_of(
    st.tuples(st.just("add"), paths, recordings, st.integers(1, 9)),
    st.tuples(st.just("attach"), paths, recordings),
    st.tuples(st.just("move"), paths, paths),
    st.tuples(st.just("fail"), paths),
    st.tuples(st.just("missing"), paths),
    st.tuples(st.just("seen"), paths),
    st.tuples(st.just("reopen")),
)


class Model:
    """What a library is, told with dictionaries."""

    def __init__(self, make):
        self.make = make
        self.files, self.seeds, self.missing, self.failures = {}, {}, set(), Counter()

    def put(self, path, number):
        self.files[path] = number
        self.missing.discard(path)
        self.failures.pop(path, None)

    def apply(self, library, name, *args):
        getattr(self, name)(library, *args)

    def add(self, library, path, number, seed):
        library.add(self.make.file(path), self.make.analysis(number, seed), TAGS)
        self.seeds[number] = seed
        self.put(path, number)

    def attach(self, library, path, number):
        if number in self.seeds:
            library.attach(self.make.file(path), self.make.audio_id(number), TAGS)
            self.put(path, number)
        else:
            with pytest.raises(LibraryError):
                library.attach(self.make.file(path), self.make.audio_id(number), TAGS)

    def move(self, library, source, destination):
        assert library.move(source, destination) == (source in self.files)
        if source in self.files:
            self.missing -= {source, destination}
            self.files[destination] = self.files.pop(source)
        if source in self.failures:
            self.failures[destination] = self.failures.pop(source)

    def fail(self, library, path):
        library.add_failure(self.make.file(path), self.make.version, "no sound", "")
        self.failures[path] += 1

    def missing_(self, library, path):
        n_marked = library.mark_missing([path])
        assert n_marked == (path in self.files and path not in self.missing)
        self.missing |= {path} & self.files.keys()
        self.failures.pop(path, None)

    def seen(self, library, path):
        assert library.mark_seen([path]) == (path in self.missing)
        self.missing.discard(path)

    def check(self, path):
        make = self.make
        check_consistent(path)
        with LibraryReader.open(path) as reader:
            present = self.files.keys() - self.missing
            assert reader.analysed_paths(make.version) == present
            tracks = reader.tracks_at(list(self.files), make.version)
            assert {p: track.duration_s - 180 for p, track in tracks.items()} == {p: self.files[p] for p in present}
            assert {failure.path: failure.attempts for failure in reader.failures()} == self.failures
            rows = reader.vectors(make.version)
            assert len(rows) == len(self.seeds)
            for row, number in enumerate(self.seeds):  # in the order they were first added
                np.testing.assert_array_equal(rows[row], make.unit(self.seeds[number]))


@settings(max_examples=60, deadline=None)
@given(st.lists(operations, max_size=25))
def test_any_sequence_of_changes(make, fast_folder, sequence):
    with tempfile.TemporaryDirectory(dir=fast_folder) as folder:
        path = Path(folder) / "library.db"
        model = Model(make)
        library = Library.open(path)
        library.register_encoder(make.encoder())
        for name, *args in sequence:
            if name == "reopen":
                library.close()
                library = Library.open(path)
            else:
                model.apply(library, "missing_" if name == "missing" else name, *args)
        model.check(path)
        library.close()


# Others that write, and the end without warning
