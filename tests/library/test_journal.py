"""The journal of tags: begun before a file is touched, done afterwards, never forgotten."""

import sqlite3
from contextlib import closing

import pytest

from musrecd.library.journal import DAEMON, Plan
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.types import FileState, Tags

FILE = FileState(b"/a \xff.mp3", 10, 20)


def plan(path: bytes = FILE.path, number: int = 1, **others) -> Plan:
    return Plan(path, f"{number:040x}", ("Polka", "日本"), ("Rock",), {"TCON": ["Polka"]}, **others)


@pytest.fixture
def reader(library, path):
    with LibraryReader.open(path) as reader:
        yield reader


def test_what_is_begun_is_there_for_another_process_at_once(library, path):
    [number] = library.journal.begin(7, [plan(beets_before=(), beets_after=("Rock",), source="enc-1", probability=0.5)])
    with Library.open(path) as other:
        [entry] = other.journal.begun()
    assert (entry.number, entry.run, entry.state, entry.file) == (number, 7, "begun", None)
    assert entry.plan == plan(beets_before=(), beets_after=("Rock",), source="enc-1", probability=0.5)


def test_what_was_done_says_how_the_file_was_left_and_what_was_not_is_dropped(library, reader):
    first, second = library.journal.begin(1, [plan(), plan(b"/b.mp3", 2)])
    library.journal.finish([(first, FILE)], [second])
    assert library.journal.begun() == []
    [entry] = reader.journal.entries()
    assert (entry.state, entry.file) == ("done", FILE)


def test_numbers_are_never_used_again(library):
    [first] = library.journal.begin(1, [plan()])
    library.journal.finish([], [first])
    assert library.journal.begin(1, [plan()]) > [first]


def test_runs_are_counted(library, reader):
    runs = [library.journal.next_run(author) for author in ("beet", "musrecd", DAEMON)]
    assert runs == [1, 2, 3], "each is given once, also where nothing is written"
    assert reader.journal.last_run() is None
    for run in runs:
        library.journal.finish([(number, FILE) for number in library.journal.begin(run, [plan()])])
    assert reader.journal.last_run() == 2, "what the daemon wrote meanwhile is not what a person means"


def test_an_undo_marks_what_it_took_back_and_is_no_run_to_undo(library, reader):
    [first] = library.journal.begin(1, [plan()])
    library.journal.finish([(first, FILE)])
    [second] = library.journal.begin(2, [plan(undoes=first)])
    assert [entry.state for entry in reader.journal.entries()] == ["done", "begun"]
    library.journal.finish([(second, FILE)])
    assert [entry.state for entry in reader.journal.entries()] == ["undone", "done"]
    assert reader.journal.last_run() is None


def test_entries_are_found_by_run_time_number_and_path(library, reader, path):
    for run, name in enumerate((b"/a", b"/b", b"/a"), 1):
        library.journal.finish([(number, FILE) for number in library.journal.begin(run, [plan(name)])])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE tag_writes SET written_at = '2001-01-01T00:00:00+00:00' WHERE run = 1")
    journal = reader.journal
    assert [entry.run for entry in journal.entries()] == [1, 2, 3]
    assert [entry.run for entry in journal.entries(run=2)] == [2]
    assert [entry.run for entry in journal.entries(number=2)] == [2, 3]
    assert [entry.run for entry in journal.entries(since="2001-01-02")] == [2, 3]
    assert [entry.run for entry in journal.entries_at([b"/a", b"/nowhere"])] == [1, 3]


def test_the_newest_write_into_each_file_of_a_recording_is_found(library, reader):
    plans = [plan(b"/a", 1), plan(b"/b", 1), plan(b"/a", 1), plan(b"/c", 2)]
    numbers = library.journal.begin(1, plans)
    newest = reader.journal.newest([f"{1:040x}", f"{3:040x}"])
    assert [(entry.plan.path, entry.number) for entry in newest[f"{1:040x}"]] == [
        (b"/b", numbers[1]),
        (b"/a", numbers[2]),
    ]
    assert list(newest) == [f"{1:040x}"]


def test_the_journal_follows_files_that_are_renamed(library, reader, make):
    library.add(make.file(b"/a"), make.analysis(1), Tags())
    library.journal.begin(1, [plan(b"/a")])
    library.move(b"/a", b"/new")
    assert [entry.plan.path for entry in reader.journal.entries()] == [b"/new"]


def test_files_that_wait_for_genres_are_due_in_time_and_tried_again(library):
    queue = library.tag_queue
    assert not queue.is_due(1e9)
    queue.put([b"/a", b"/b"], 100.0)
    queue.put([b"/a"], 50.0)
    assert [queue.is_due(now) for now in (99.0, 100.0)] == [False, True]
    assert queue.due(99.0, 10) == []
    assert queue.due(100.0, 10) == [(b"/a", 0), (b"/b", 0)]
    queue.postpone(b"/a", 200.0)
    queue.remove([b"/b"])
    assert queue.due(150.0, 10) == []
    assert queue.due(200.0, 10) == [(b"/a", 1)]
    queue.postpone(b"/a", 1e12)
    assert queue.due(300.0, 10) == [(b"/a", 2)], "a clock that was set back makes nothing wait for years"
