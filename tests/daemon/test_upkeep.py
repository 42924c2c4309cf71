"""Copies of the library are kept and turn over; the schedule sends what it promises."""

import sqlite3
import time
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from threading import Event

import pytest

from musrecd.config import DaemonConfig
from musrecd.daemon import upkeep
from musrecd.daemon.chores import Chores
from musrecd.daemon.messages import LookThrough, Message, Upkeep
from musrecd.daemon.upkeep import Schedule, back_up, check
from musrecd.library import store
from musrecd.library.store import Library
from musrecd.types import EncoderInfo

CONFIG = DaemonConfig(1.0, rescan_minutes=60.0, poll_minutes=5.0, backups=1, levels={})


@pytest.fixture
def library(tmp_path):
    with Library.open(tmp_path / "library.db") as library:
        yield library


def versions(path) -> list[str]:
    with sqlite3.connect(path) as connection:
        return [version for (version,) in connection.execute("SELECT version FROM encoders ORDER BY id")]


def test_copies_turn_over_and_the_newest_is_the_first(library, tmp_path):
    for number in range(1, 5):
        library.register_encoder(EncoderInfo(f"enc-{number}", 4, ()))
        back_up(library, 3)
    copies = sorted(tmp_path.glob("library.db.backup-*"))
    assert [path.name[-1] for path in copies] == ["1", "2", "3"]
    assert [len(versions(path)) for path in copies] == [4, 3, 2]


def test_no_copies_are_made_where_none_are_wanted(library, tmp_path):
    back_up(library, 0)
    assert not list(tmp_path.glob("*.backup-*"))


def test_a_sound_library_passes_the_check(library, caplog):
    caplog.set_level("INFO", "musrecd")
    check(library)
    assert caplog.records[-1].levelname == "INFO"
    assert caplog.records[-1].damaged == 0


def test_a_link_to_the_library_has_its_copies_where_the_library_has(library, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.db"
    link.symlink_to(library.path)
    with Library.open(link) as linked:
        back_up(linked, 1)
    assert list(tmp_path.glob("library.db.backup-*"))
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["link.db"]


def due(path) -> dict[str, timedelta]:
    """Return in how long each piece of upkeep is due, when a daemon starts now."""
    schedule = Schedule(CONFIG, path, lambda message: None)
    jobs = [job for job in schedule._scheduler.get_jobs() if isinstance(job.args[0], Upkeep)]
    schedule.stop()
    return {job.args[0].name: job.next_run_time - datetime.now(UTC) for job in jobs}


def test_upkeep_is_due_soon_if_it_never_was_done(library):
    assert set(due(library.path)) == {"backup", "check", "compact"}
    assert all(in_how_long < timedelta(minutes=6) for in_how_long in due(library.path).values())


def test_what_was_done_is_due_later_however_often_the_daemon_starts(library):
    chores = Chores(library.path, lambda message: None)
    chores.do(Upkeep("check", check))
    deadline = time.monotonic() + 20
    while due(library.path)["check"] < timedelta(days=6):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert due(library.path)["backup"] < timedelta(minutes=6)


def test_a_time_in_the_future_puts_nothing_off(library, monkeypatch):
    monkeypatch.setattr(store, "now", lambda: "2999-01-01T00:00:00+00:00")
    library.note_done("backup")
    assert due(library.path)["backup"] < timedelta(days=1, minutes=1)


@pytest.mark.parametrize("seconds", [-86_400, 86_400, 30])
def test_after_the_clock_was_set_everything_is_looked_through_and_times_are_new(tmp_path, monkeypatch, seconds):
    messages: list[Message] = []
    schedule = Schedule(CONFIG, tmp_path / "library.db", messages.append)
    schedule.check()
    assert messages == []
    first, now = schedule._scheduler, time.time
    monkeypatch.setattr(upkeep.time, "time", lambda: now() + seconds)
    schedule.check()
    schedule.check()
    was_set = abs(seconds) > 60
    assert messages == ([LookThrough()] if was_set else [])
    assert (schedule._scheduler is not first) == was_set
    assert schedule._scheduler.running
    schedule.stop()
    assert not first.running


def test_looks_come_again_and_again(tmp_path):
    messages: list[Message] = []
    config = CONFIG._replace(rescan_minutes=0.02, poll_minutes=0.005)
    schedule = Schedule(config, tmp_path / "library.db", messages.append)
    deadline = time.monotonic() + 20
    while not (LookThrough() in messages and messages.count(LookThrough(only_polled=True)) > 1):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    schedule.stop()
    assert not any(isinstance(message, Upkeep) for message in messages), "once a day, not at once"


def test_what_is_wanted_many_times_meanwhile_is_done_once(library):
    go_on, done = Event(), []
    chores = Chores(library.path, lambda message: None)
    chores.do(Upkeep("slow", lambda library: go_on.wait(60)))
    for _ in range(50):
        chores.do(Upkeep("check", lambda library: done.append("check")))
    chores.do(Upkeep("last", lambda library: done.append("last")))
    go_on.set()
    deadline = time.monotonic() + 30
    while len(done) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sorted(done) == ["check", "last"]


def test_a_library_that_was_taken_away_is_not_made_anew_by_upkeep(library):
    told = SimpleQueue()
    library.path.unlink()
    Chores(library.path, told.put).do(Upkeep("check", check))
    assert "taken away" in str(told.get(timeout=10).error)
    assert not library.path.exists()
