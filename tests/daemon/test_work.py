"""What is heard next and what becomes of it, with workers that answer when the test says so."""

import os
import time
from concurrent.futures import Future

import numpy as np
import pytest

from musrecd.daemon.hearing import Heard
from musrecd.daemon.settling import Settling
from musrecd.daemon.work import Work
from musrecd.errors import LibraryDamagedError, LibraryUnavailableError
from musrecd.ingest.vanished import is_below
from musrecd.ingest.work import Outcome, Task
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.types import Analysis, EncoderInfo, Job, KnownRecording, Priority, Tags

INFO = EncoderInfo("enc-1", 4, ())


class Workers:
    """Take files and keep them until the test lets one be done."""

    def __init__(self, room: int = 2) -> None:
        self.size, self.taken = room, {}

    @property
    def room(self) -> int:
        return self.size - len(self.taken)

    @property
    def paths(self) -> set[bytes]:
        return set(self.taken)

    def hear(self, task: Task) -> bool:
        self.taken[task.file.path] = task
        return True

    def outcome(self, heard: Heard) -> Outcome:
        return heard.future.result()


class Scene:
    """A library, a clock, a disk and workers."""

    def __init__(self, folder) -> None:
        self.now = 1000.0
        self.folder = folder
        self.library = Library.open(folder / "library.db")
        self.library.register_encoder(INFO)
        self.workers = Workers()
        self.settling = Settling(4.0)
        self.unmounted: set[bytes] = set()
        self.work = Work(
            self.library,
            INFO.version,
            self.workers,
            self.settling,
            lambda path: any(is_below(path, folder) for folder in self.unmounted),
            clock=lambda: self.now,
        )

    def file(self, name: str, content: bytes = b"sound") -> bytes:
        (self.folder / name).write_bytes(content)
        return bytes(self.folder / name)

    def wait(self, *paths: bytes, priority: Priority = Priority.NEW) -> None:
        self.library.enqueue(paths, priority)

    def done(self, path: bytes, heard=None, reason: str = "", message: str = "") -> None:
        task = self.workers.taken.pop(path)
        future: Future[Outcome] = Future()
        future.set_result(Outcome(task.file, heard, Tags(), reason, message))
        self.work.finish(Heard(task, future))
        self.work.store()

    def settled(self) -> list[bytes]:
        """What was waited for until it stands still, as if a while had passed."""
        return [file.path for file in self.settling.settled(time.monotonic() + 60)]

    def waiting(self) -> set[bytes]:
        return {job.path for job in self.library.due_jobs(self.now, 1000)}

    def missing(self) -> int:
        with LibraryReader.open(self.library.path) as reader:
            return reader.summary().missing

    def failures(self) -> dict[bytes, str]:
        with LibraryReader.open(self.library.path) as reader:
            return {failure.path: failure.reason for failure in reader.failures()}


@pytest.fixture
def scene(tmp_path):
    found = Scene(tmp_path)
    yield found
    found.library.close()


def analysis(number: int = 1) -> Analysis:
    return Analysis(f"{number:040x}", INFO.version, np.array([1, 0, 0, 0], np.float32), np.empty(0, np.float32), 9.0)


def test_as_many_are_begun_as_there_is_room_for_the_most_urgent_first(scene):
    late, soon, now = (scene.file(name) for name in ("late.mp3", "soon.mp3", "now.mp3"))
    scene.wait(late, priority=Priority.BACKFILL)
    scene.wait(soon)
    scene.wait(now, priority=Priority.ASKED)
    scene.work.feed()
    assert list(scene.workers.taken) == [now, soon]
    scene.work.feed()
    scene.done(now, analysis())
    scene.work.feed()
    assert list(scene.workers.taken) == [soon, late]
    assert scene.waiting() == {soon, late}, "until they are stored"


def test_what_is_known_by_now_is_not_heard_again(scene):
    path = scene.file("a.mp3")
    scene.wait(path)
    scene.work.feed()
    scene.done(path, analysis())
    scene.wait(path)
    scene.work.feed()
    assert not scene.workers.taken
    assert scene.waiting() == set()


@pytest.mark.parametrize("is_known", [False, True])
def test_only_files_of_new_recordings_wait_for_genres(scene, is_known):
    """What was heard before, by worse ears, was left without a genre by its owner."""
    path, scene.work._tags_new = scene.file("a.mp3"), True
    if is_known:
        scene.library.add(scene.work._look(path)._replace(size=1), analysis(), Tags())
        scene.library.register_encoder(INFO, 1)
    scene.wait(path)
    scene.work.feed()
    scene.done(path, analysis()._replace(hearing=1))
    assert scene.library.tag_queue.is_due(scene.now) is not is_known


def test_a_moved_file_is_recognised(scene):
    first, second = scene.file("a.mp3"), scene.file("b.mp3")
    scene.wait(first, second)
    scene.work.feed()
    scene.done(first, analysis(7))
    scene.done(second, KnownRecording(analysis(7).audio_id))
    assert scene.library.unchanged([scene.work._look(path) for path in (first, second)]) == {first, second}


@pytest.mark.parametrize(("reason", "tries"), [("worker", 2), ("unreadable", 5), ("not audio", 1), ("no sound", 1)])
def test_a_broken_file_is_not_tried_for_ever(scene, reason, tries):
    path = scene.file("a.mp3")
    scene.wait(path)
    for attempt in range(1, 8):
        scene.work.feed()
        if path not in scene.workers.taken:
            break
        scene.done(path, reason=reason, message="broken")
        before = scene.now
        scene.work.feed()
        assert not scene.workers.taken, "not at once"
        scene.now += 60 * 5**attempt
        assert scene.now - before >= 60
    assert attempt == tries + 1
    assert scene.waiting() == set()


def test_a_file_that_a_person_wants_again_is_tried_again(scene):
    path = scene.file("a.mp3")
    scene.wait(path)
    scene.work.feed()
    scene.done(path, reason="not audio", message="broken")
    scene.wait(path)
    scene.work.feed()
    assert not scene.workers.taken
    scene.wait(path, priority=Priority.ASKED)
    scene.work.feed()
    assert list(scene.workers.taken) == [path]


def test_a_file_that_vanished_before_is_not_heard(scene):
    path = bytes(scene.folder / "gone.mp3")
    scene.wait(path, bytes(scene.folder / "unmounted" / "gone.mp3"))
    scene.work.feed()
    assert not scene.workers.taken
    assert scene.waiting() == set()


def test_what_vanished_while_it_was_heard_stays_heard_under_its_new_name(scene):
    path = scene.file("a.mp3")
    scene.wait(path)
    scene.work.feed()
    (scene.folder / "a.mp3").rename(scene.folder / "b.mp3")
    scene.done(path, analysis(3))
    assert scene.missing() == 1
    moved = scene.work._look(bytes(scene.folder / "b.mp3"))
    scene.library.attach(moved, analysis(3).audio_id, Tags())
    assert list(scene.library.pending([moved], INFO.version)) == []


def test_what_changed_while_it_was_heard_is_heard_again_when_it_stands_still(scene):
    path = scene.file("a.mp3")
    scene.wait(path)
    scene.work.feed()
    scene.file("a.mp3", b"longer sound")
    scene.done(path, analysis())
    assert path in scene.settling
    assert scene.settled() == [path]


def test_what_is_no_music_is_not_heard_unless_a_person_asks(scene):
    path = scene.file("words", b"no sound")
    scene.wait(path)
    scene.work.feed()
    assert not scene.workers.taken
    scene.wait(path, priority=Priority.ASKED)
    scene.work.feed()
    assert list(scene.workers.taken) == [path]


def test_what_cannot_be_stored_is_kept_and_nothing_new_is_begun(scene, monkeypatch):
    first, second, third = (scene.file(name) for name in ("a.mp3", "b.mp3", "c.mp3"))
    scene.wait(first, second, third)
    scene.work.feed()
    add = scene.library.add

    monkeypatch.setattr(scene.library, "add", raising(LibraryUnavailableError("the disk is full")))
    with pytest.raises(LibraryUnavailableError):
        scene.done(first, analysis(1))
    assert not scene.work.feed()
    assert list(scene.workers.taken) == [second]
    with pytest.raises(LibraryUnavailableError):
        scene.done(second, analysis(2))
    assert scene.work.n_done == 0
    monkeypatch.setattr(scene.library, "add", add)
    scene.work.store()
    assert scene.work.n_done == 2
    assert scene.waiting() == {third}


def test_what_changed_while_it_could_not_be_stored_is_noticed(scene, monkeypatch):
    path = scene.file("a.mp3")
    scene.wait(path)
    scene.work.feed()
    with monkeypatch.context() as patch:
        patch.setattr(scene.library, "add", raising(LibraryUnavailableError("locked")))
        with pytest.raises(LibraryUnavailableError):
            scene.done(path, analysis())
    scene.file("a.mp3", b"longer sound")
    scene.work.store()
    assert scene.settled() == [path]


def test_numbers_that_the_library_refuses_cost_one_file(scene):
    bad, good = scene.file("bad.mp3"), scene.file("good.mp3")
    scene.wait(bad, good)
    scene.work.feed()
    scene.done(bad, analysis(1)._replace(duration_s=float("nan")))
    scene.done(good, analysis(2))
    assert scene.failures() == {bad: "audio"}
    assert scene.waiting() == set()


def test_a_damaged_library_is_no_fault_of_a_file(scene, monkeypatch):
    path = scene.file("a.mp3")
    scene.wait(path)
    scene.work.feed()
    monkeypatch.setattr(scene.library, "add", raising(LibraryDamagedError("damaged")))
    with pytest.raises(LibraryDamagedError):
        scene.done(path, analysis())
    assert scene.failures() == {}


def test_what_workers_lost_waits_on(scene, monkeypatch):
    path = scene.file("a.mp3")
    scene.wait(path)
    scene.work.feed()
    task = scene.workers.taken.pop(path)
    monkeypatch.setattr(scene.workers, "outcome", lambda heard: None)
    scene.work.finish(Heard(task, Future()))
    scene.work.store()
    assert scene.waiting() == {path}
    scene.work.feed()
    assert list(scene.workers.taken) == [path]


def test_a_file_that_was_written_a_moment_ago_waits_until_it_stands_still(scene):
    fresh, old, asked = (scene.file(name) for name in ("fresh.mp3", "old.mp3", "asked.mp3"))
    for path, age_s in ((fresh, 1), (old, 100), (asked, 1)):
        os.utime(path, (scene.now - age_s, scene.now - age_s))
    scene.wait(fresh, old)
    scene.wait(asked, priority=Priority.ASKED)
    scene.work.feed()
    assert list(scene.workers.taken) == [asked, old]
    assert scene.waiting() == {asked, old}
    assert scene.settled() == [fresh]
    scene.now += 4
    assert Job(fresh, Priority.NEW) in scene.library.due_jobs(scene.now, 10), "it keeps its place"


def test_a_file_that_is_waited_for_is_not_heard_meanwhile(scene):
    path = scene.file("a.mp3")
    scene.settling.note([path], time.monotonic())
    scene.wait(path)
    scene.work.feed()
    assert not scene.workers.taken
    assert scene.waiting() == set()
    assert scene.settled() == [path]


def test_of_what_may_be_unmounted_nothing_is_marked(scene):
    (scene.folder / "mount").mkdir()
    gone, kept = scene.file("gone.mp3"), scene.file("mount/kept.mp3")
    scene.wait(gone, kept)
    scene.work.feed()
    scene.done(gone, analysis(1))
    scene.done(kept, analysis(2))
    for path in (gone, kept):
        os.unlink(path)
    scene.unmounted.add(bytes(scene.folder / "mount"))
    scene.wait(gone, kept)
    scene.work.feed()
    assert scene.waiting() == set()
    assert scene.missing() == 1


def test_what_waits_on_a_disk_that_is_away_keeps_its_place(scene):
    """Else it would be taken for new when the disk is back."""
    (scene.folder / "mount").mkdir()
    path = scene.file("mount/a.mp3")
    scene.wait(path, priority=Priority.BACKFILL)
    scene.unmounted.add(bytes(scene.folder / "mount"))
    os.rename(scene.folder / "mount", scene.folder / "away")
    scene.work.feed()
    assert scene.waiting() == set()
    scene.unmounted.clear()
    os.rename(scene.folder / "away", scene.folder / "mount")
    scene.wait(path, priority=Priority.NEW)
    assert scene.library.due_jobs(scene.now, 10) == [Job(path, Priority.BACKFILL)]
    scene.work.feed()
    assert list(scene.workers.taken) == [path]


def test_what_needs_no_hearing_is_dropped_a_few_at_a_time(scene):
    scene.wait(*(bytes(scene.folder / f"{number}.mp3") for number in range(120)))
    last = scene.file("there.mp3")
    scene.wait(last)
    left = []
    while scene.work.feed():
        left.append(len(scene.waiting()))
    assert left == [71, 21]
    assert list(scene.workers.taken) == [last]


def test_a_file_without_permission_wakes_nobody(scene, monkeypatch):
    path = scene.file("a.mp3")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    scene.wait(path)
    scene.work.feed()
    assert not scene.workers.taken
    assert scene.failures() == {path: "unreadable"}
    assert scene.waiting() == set()
    scene.now += 61
    assert scene.waiting() == {path}


def raising(error: Exception):
    def refuse(*_args):
        raise error

    return refuse
