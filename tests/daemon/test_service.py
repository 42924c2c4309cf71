"""The daemon at work: real files, real workers, a real library; it runs in a thread of the test."""

import shutil
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from musrecd.config import Config
from musrecd.daemon import hearing, lookout
from musrecd.daemon.hints import Touched
from musrecd.daemon.looking import Looked
from musrecd.daemon.messages import Ask, LookThrough, Stop, Upkeep
from musrecd.daemon.service import Service
from musrecd.errors import MusrecError
from musrecd.ingest.pool import kill_children
from musrecd.ingest.work import Outcome
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.types import Analysis

VERSION = "tiny-1"


class Daemon:
    """A service in a thread, and what its library holds."""

    def __init__(self, config: Config) -> None:
        self.config, self._looks = config, 0
        self._made: Future[Service] = Future()
        self._thread = Thread(target=self._run)
        self._thread.start()
        self.service = self._made.result(60)

    def _run(self) -> None:
        with Library.open(self.config.library, busy_timeout_s=0.3) as library:
            service = Service(self.config, library)
            note_look = service.state.note_look

            def count(looked: Looked) -> None:
                note_look(looked)
                self._looks += 1

            service.state.note_look = count
            self._made.set_result(service)
            service.run()

    def end(self) -> float:
        """Stop it and return the seconds that took."""
        began = time.monotonic()
        self.service.tell(Stop())
        self._thread.join(60)
        assert not self._thread.is_alive()
        return time.monotonic() - began

    @property
    def n_looks(self) -> int:
        """How many looks ended."""
        return self._looks

    def findable(self) -> set[str]:
        with LibraryReader.open(self.config.library) as reader:
            return {Path(path.decode()).name for path in reader.analysed_paths(VERSION)}

    def rows(self) -> int:
        with LibraryReader.open(self.config.library) as reader:
            return reader.summary().analysed.get(VERSION, 0)

    def failures(self) -> dict[str, str]:
        with LibraryReader.open(self.config.library) as reader:
            return {Path(f.path.decode()).name: f.message for f in reader.failures()}


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch):
    """Processes that let others go first get nowhere on a busy machine."""
    for module in (hearing, lookout):
        monkeypatch.setattr(module, "_NICENESS", 0)


@pytest.fixture
def daemon(config) -> Iterator[Daemon]:
    """A running daemon over `music`, which is empty unless the test put something there before asking for it."""
    running = Daemon(config)
    yield running
    running.end()


@pytest.fixture
def songs(rendered_files) -> list[Path]:
    """Four short files that sound different."""
    return [path for path in rendered_files if path.suffix in (".mp3", ".flac", ".ogg")][:4]


def test_a_file_that_is_copied_in_is_soon_findable_and_not_heard_twice(daemon, music, songs, until):
    shutil.copy(songs[0], music / songs[0].name)
    until(lambda: daemon.findable() == {songs[0].name})
    shutil.copytree(songs[1].parent, music / "more")
    until(lambda: len(daemon.findable()) == 1 + len(list(songs[1].parent.iterdir())))
    looks = daemon.n_looks
    before = daemon.service._work.n_done
    daemon.service.tell(LookThrough())
    until(lambda: daemon.n_looks > looks)
    time.sleep(0.5)
    assert daemon.service._work.n_done == before


def test_what_was_there_before_is_found(config, music, songs, until):
    for song in songs[:2]:
        shutil.copy(song, music / song.name)
    daemon = Daemon(config)
    try:
        until(lambda: daemon.findable() == {song.name for song in songs[:2]})
    finally:
        daemon.end()


def test_renaming_keeps_the_analysis_and_deleting_marks_as_missing(daemon, music, songs, until):
    shutil.copy(songs[0], music / "a.mp3")
    shutil.copy(songs[1], music / "stays.mp3")
    until(lambda: len(daemon.findable()) == 2)
    rows = daemon.rows()
    (music / "a.mp3").rename(music / "b.mp3")
    until(lambda: daemon.findable() == {"b.mp3", "stays.mp3"})
    (music / "b.mp3").unlink()
    until(lambda: daemon.findable() == {"stays.mp3"})
    shutil.copy(songs[0], music / "again.mp3")
    until(lambda: daemon.findable() == {"again.mp3", "stays.mp3"})
    assert daemon.rows() == rows


def test_a_folder_that_is_gone_as_a_whole_changes_nothing(daemon, music, songs, until, tmp_path):
    shutil.copy(songs[0], music / "a.mp3")
    until(lambda: daemon.findable() == {"a.mp3"})
    music.rename(tmp_path / "unmounted")
    music.mkdir()
    daemon.service.tell(LookThrough())
    until(lambda: any(look.is_emptied for look in daemon.service.state.looks.values()))
    assert daemon.findable() == {"a.mp3"}


def test_a_file_that_grows_slowly_is_heard_once_and_whole(config, music, songs, until):
    daemon = Daemon(config._replace(daemon=config.daemon._replace(settle_s=1.5)))
    try:
        until(lambda: daemon.n_looks)
        content = songs[0].read_bytes()
        with (music / "slow.mp3").open("wb") as file:
            for begin in range(0, len(content), len(content) // 8 + 1):
                file.write(content[begin : begin + len(content) // 8 + 1])
                file.flush()
                time.sleep(0.3)
        until(lambda: daemon.findable() == {"slow.mp3"})
        assert daemon.rows() == 1
        assert daemon.failures() == {}
        with LibraryReader.open(daemon.config.library) as reader:
            slow = reader.recordings_of([_audio_id(songs[0], daemon.config)])
        assert len(slow) == 1, "the same recording as the finished file"
    finally:
        daemon.end()


def _audio_id(path: Path, config: Config) -> str:
    from musrecd.analysis.analyse import analyse
    from musrecd.analysis.encoder import load_encoder

    return analyse(bytes(path), load_encoder(config.encoder)).audio_id


def test_a_broken_file_has_a_reason_and_holds_nobody_up(daemon, music, songs, until):
    (music / "broken.mp3").write_bytes(b"no sound at all " * 500)
    shutil.copy(songs[0], music / "good.mp3")
    until(lambda: daemon.findable() == {"good.mp3"} and daemon.failures())
    assert set(daemon.failures()) == {"broken.mp3"}
    assert all(daemon.failures().values())


def test_who_asks_is_answered_and_nothing_is_stored(daemon, songs):
    answer: Future[Outcome] = Future()
    daemon.service.tell(Ask(bytes(songs[0]), answer))
    assert isinstance(answer.result(60).heard, Analysis)
    nowhere: Future[Outcome] = Future()
    daemon.service.tell(Ask(b"/nowhere.mp3", nowhere))
    assert nowhere.result(60).reason == "unreadable"
    assert daemon.findable() == set()


def test_it_ends_quickly_at_work_and_goes_on_where_it_was(config, music, songs, until):
    for number in range(40):
        shutil.copy(songs[number % len(songs)], music / f"{number}.mp3")
        with (music / f"{number}.mp3").open("ab") as file:
            file.write(b"TAG" + bytes([number]) * 125)
    daemon = Daemon(config)
    until(lambda: len(daemon.findable()) >= 2)
    assert daemon.end() < 5
    assert len(daemon.findable()) < 40
    again = Daemon(config)
    try:
        until(lambda: len(again.findable()) == 40)
        assert again.rows() == len(songs)
    finally:
        again.end()


def test_who_asked_and_was_not_heard_is_told_at_the_end(config, songs):
    daemon = Daemon(config)
    answers: list[Future[Outcome]] = [Future() for _ in range(3)]
    for answer in answers:
        daemon.service.tell(Ask(bytes(songs[0]), answer))
    daemon.end()
    assert all(answer.done() for answer in answers)
    assert isinstance(answers[-1].exception(), MusrecError)


def test_a_locked_library_is_waited_for_and_nothing_is_lost(daemon, music, songs, until, caplog):
    shutil.copy(songs[0], music / "a.mp3")
    until(lambda: daemon.findable() == {"a.mp3"})
    caplog.set_level("INFO", "musrecd.daemon")
    with closing(sqlite3.connect(daemon.config.library, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        (music / "a.mp3").rename(music / "b.mp3")
        shutil.copy(songs[1], music / "c.mp3")
        until(lambda: said(caplog, "nothing can be stored now"))
        nowhere: Future[Outcome] = Future()
        daemon.service.tell(Ask(b"/nowhere.mp3", nowhere))
        time.sleep(2.5)
        other.execute("ROLLBACK")
    assert nowhere.result(60).reason == "unreadable"
    until(lambda: daemon.findable() == {"b.mp3", "c.mp3"})
    assert said(caplog, "nothing can be stored now") == said(caplog, "the library can be used again") == 1


def said(caplog, message: str) -> int:
    return [record.getMessage() for record in caplog.records].count(message)


def test_workers_that_are_killed_at_rest_or_at_work_cost_nothing(daemon, music, songs, until):
    shutil.copy(songs[0], music / "a.mp3")
    until(lambda: daemon.findable() == {"a.mp3"})
    until(lambda: not daemon.service._lookout.is_busy)
    kill_children()
    time.sleep(0.5)
    shutil.copy(songs[1], music / "b.mp3")
    until(lambda: daemon.findable() == {"a.mp3", "b.mp3"})
    assert daemon.failures() == {}


def test_upkeep_that_takes_long_or_fails_holds_nobody_up(daemon, until, caplog):
    go_on = Event()
    done: list[int] = []

    def fail(_library: Library) -> None:
        raise OSError("no space")

    daemon.service.tell(Upkeep("slow", lambda library: (go_on.wait(60), done.append(library.verify()))))
    daemon.service.tell(Upkeep("broken", fail))
    nowhere: Future[Outcome] = Future()
    daemon.service.tell(Ask(b"/nowhere.mp3", nowhere))
    assert nowhere.result(60).reason == "unreadable"
    assert not done
    go_on.set()
    until(lambda: done == [0] and said(caplog, "upkeep failed"))


def test_of_too_many_hints_the_last_are_dropped_and_everything_is_looked_through(config, music, songs, until):
    with Library.open(config.library) as library:
        service = Service(config, library)
        for number in range(30_000):
            service.tell(Touched(b"/nowhere/%d.mp3" % number))
        service.tell(LookThrough())
        assert service._inbox.qsize() == 20_001, "what is no hint is never dropped"
        service._watcher.check()
        looked = []
        service._look = lambda folder, *_: looked.append(folder)
        service._read_messages(0)
        service._turn()
        assert looked == [bytes(music)]
        service._watcher.stop()
        service._hearing.rest()


def test_a_new_encoder_hears_everything_again_after_what_is_new(config, music, songs, until, make_weights, tmp_path):
    shutil.copy(songs[0], music / "old.mp3")
    first = Daemon(config)
    until(lambda: first.findable() == {"old.mp3"})
    first.end()
    other = make_weights(tmp_path / "other.safetensors", version="tiny-2", seed=5)
    second = Daemon(config._replace(encoder=other))
    try:

        def analysed() -> dict[str, int]:
            with LibraryReader.open(config.library) as reader:
                return reader.summary().analysed

        until(lambda: analysed() == {"tiny-1": 1, "tiny-2": 1})
    finally:
        second.end()
