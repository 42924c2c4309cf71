"""Files as the writer knows them: pending, failed, moved, copied, missing; and any sequence of all that."""

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musrecd.errors import LibraryError
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.types import Tags
from tests.library.checks import TAGS, check_consistent, dump, query


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
