"""The queue: most urgent first, then first come first served; it ends with what is stored and survives a kill."""

import pytest

from musrecd.library.store import Library
from musrecd.types import Job, Priority, Tags


@pytest.fixture
def queue(library, make):
    library.register_encoder(make.encoder())
    return library


def paths(library: Library, now: float = 100.0, number: int = 10) -> list[bytes]:
    return [job.path for job in library.due_jobs(now, number)]


def test_the_most_urgent_go_first_and_equals_in_the_order_of_arrival(queue):
    queue.enqueue([b"/back1", b"/back2"], Priority.BACKFILL)
    queue.enqueue([b"/again"], Priority.AGAIN)
    queue.enqueue([b"/new2", b"/new1"], Priority.NEW)
    queue.enqueue([b"/asked"], Priority.ASKED)
    assert paths(queue) == [b"/asked", b"/new2", b"/new1", b"/back1", b"/back2", b"/again"]
    assert paths(queue, number=2) == [b"/asked", b"/new2"]


def test_a_file_waits_once_and_keeps_the_better_place(queue):
    queue.enqueue([b"/a", b"/b"], Priority.AGAIN)
    queue.enqueue([b"/b"], Priority.NEW)
    queue.enqueue([b"/b"], Priority.BACKFILL)
    assert queue.due_jobs(0, 10) == [Job(b"/b", Priority.NEW), Job(b"/a", Priority.AGAIN)]


@pytest.mark.parametrize("patient", [False, True])
def test_what_was_there_before_never_becomes_new(queue, patient):
    """Who touches a file of the backlog, or looks through its folder again, would else have genres written into it."""
    queue.enqueue([b"/a"], Priority.BACKFILL)
    queue.enqueue([b"/a"], Priority.NEW, patient=patient)
    assert queue.due_jobs(0, 10) == [Job(b"/a", Priority.BACKFILL)]
    queue.enqueue([b"/a"], Priority.ASKED, patient=patient)
    assert queue.due_jobs(0, 10) == [Job(b"/a", Priority.ASKED)]


def test_what_is_deferred_was_not_tried(queue):
    queue.enqueue([b"/a", b"/b"], Priority.BACKFILL)
    queue.defer_jobs([b"/a", b"/unknown"], 500.0)
    assert paths(queue) == [b"/b"]
    assert queue.due_jobs(500.0, 10)[0] == Job(b"/a", Priority.BACKFILL)


def test_what_is_not_due_waits(queue):
    queue.enqueue([b"/later"], Priority.NEW, due_at=200.0)
    assert paths(queue, now=199.0) == []
    assert paths(queue, now=200.0) == [b"/later"]


def test_a_clock_that_was_set_back_lets_nothing_wait_for_years(queue):
    queue.enqueue([b"/a"], Priority.NEW, due_at=4e9)
    assert paths(queue, now=1e9) == [b"/a"]


def test_what_is_heard_waits_no_more(queue, make):
    queue.enqueue([b"/a", b"/b", b"/c"], Priority.NEW)
    queue.add(make.file(b"/a"), make.analysis(1), Tags())
    queue.attach(make.file(b"/b"), make.audio_id(1), Tags())
    assert paths(queue) == [b"/c"]


def test_a_failure_ends_the_wait_or_makes_it_longer(queue, make):
    queue.enqueue([b"/a", b"/b"], Priority.NEW)
    queue.add_failure(make.file(b"/a"), make.version, "not audio", "no")
    queue.add_failure(make.file(b"/b"), make.version, "worker", "crashed", retry_at=500.0)
    assert paths(queue) == []
    assert queue.due_jobs(500.0, 10) == [Job(b"/b", Priority.NEW, attempts=1)]


def test_who_only_looks_does_not_shorten_the_wait_for_another_try(queue, make):
    queue.enqueue([b"/a"], Priority.NEW)
    queue.add_failure(make.file(b"/a"), make.version, "unreadable", "no", retry_at=500.0)
    queue.enqueue([b"/a", b"/b"], Priority.NEW, patient=True)
    assert paths(queue) == [b"/b"]
    assert queue.due_jobs(500.0, 10) == [Job(b"/a", Priority.NEW, attempts=1), Job(b"/b", Priority.NEW)]
    queue.enqueue([b"/a"], Priority.ASKED)
    assert queue.due_jobs(0.0, 1) == [Job(b"/a", Priority.ASKED)], "at once, and as if it had never been tried"


def test_a_file_that_moves_keeps_its_place(queue):
    queue.enqueue([b"/a", b"/b"], Priority.NEW)
    queue.move_all([(b"/a", b"/z")])
    assert paths(queue) == [b"/z", b"/b"]


def test_files_that_swap_their_names_end_as_they_should(queue, make):
    for number, path in enumerate([b"/a", b"/b"]):
        queue.add(make.file(path), make.analysis(number), Tags(title=f"title {number}"))
    assert queue.move_all([(b"/a", b"/t"), (b"/b", b"/a"), (b"/t", b"/b")]) == 3
    again = queue.unchanged([make.file(b"/a"), make.file(b"/b"), make.file(b"/t")])
    assert again == {b"/a", b"/b"}


def test_what_vanished_waits_no_more(queue):
    queue.enqueue([b"/a", b"/b"], Priority.NEW)
    queue.mark_missing([b"/a"])
    assert paths(queue) == [b"/b"]


def test_the_queue_is_still_there_after_closing(queue):
    queue.enqueue([b"/a"], Priority.ASKED)
    with Library.open(queue.path) as again:
        assert again.due_jobs(0, 10) == [Job(b"/a", Priority.ASKED)]


def test_unchanged_files_are_those_that_were_heard_as_they_are(queue, make):
    queue.add(make.file(b"/a", size=5), make.analysis(1), Tags())
    assert queue.unchanged([make.file(b"/a", size=5), make.file(b"/b")]) == {b"/a"}
    assert queue.unchanged([make.file(b"/a", size=6)]) == set()


def test_what_is_renamed_over_a_file_of_the_backlog_is_not_new(queue):
    """So write those who write a file anew beside it."""
    queue.enqueue([b"/old", b"/other"], Priority.BACKFILL)
    queue.enqueue([b"/old.tmp", b"/new.tmp"], Priority.NEW)
    queue.move_all([(b"/old.tmp", b"/old"), (b"/new.tmp", b"/new")])
    assert set(queue.due_jobs(0, 10)) == {
        Job(b"/new", Priority.NEW),
        Job(b"/old", Priority.BACKFILL),
        Job(b"/other", Priority.BACKFILL),
    }
