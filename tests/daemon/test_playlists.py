"""Playlists that the daemon writes: when, whether they change, and what goes wrong with them."""

import logging
import time

import pytest

from musrecd.config_playlists import PlaylistConfig, PlaylistsConfig
from musrecd.daemon import playlists
from musrecd.daemon.chores import Chores
from musrecd.daemon.messages import Upkeep
from musrecd.daemon.playlists import chores, refresh
from musrecd.daemon.upkeep import Schedule
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.types import Tags
from tests.library.conftest import Make

WEEKLY = PlaylistConfig("Weekly", "Weekly.m3u8", ("seed",), refresh_hours=168.0)
NEVER = PlaylistConfig("Never", "Never.m3u8", ("seed",))


@pytest.fixture
def library(tmp_path):
    make = Make()
    with Library.open(tmp_path / "library.db") as library:
        library.register_encoder(make.encoder())
        for number, name in enumerate([b"seed", b"one", b"two"]):
            library.add(make.file(b"/music/" + name), make.analysis(number), Tags())
        yield library


@pytest.fixture
def style(tmp_path) -> PlaylistsConfig:
    return PlaylistsConfig(playlist_dir=tmp_path / "lists", lists=(WEEKLY, NEVER))


def test_those_with_a_time_are_chores_of_the_daemon(config, style):
    ((name, days, _),) = chores(config._replace(playlists=style))
    assert (name, days) == ("playlist Weekly.m3u8", 7.0)


def test_the_schedule_knows_them(config, style, library):
    more = chores(config._replace(playlists=style))
    schedule = Schedule(config.daemon, library.path, lambda message: None, more)
    names = [job.args[0].name for job in schedule._scheduler.get_jobs() if isinstance(job.args[0], Upkeep)]
    schedule.stop()
    assert names.count("playlist Weekly.m3u8") == 1
    assert "playlist Never.m3u8" not in names


def test_one_is_written_and_then_only_when_it_changes(style, library, tmp_path, caplog):
    caplog.set_level("INFO", "musrecd")
    refresh(WEEKLY, style, library)
    file = tmp_path / "lists" / "Weekly.m3u8"
    before = file.stat()
    assert file.read_bytes().count(b"\n/music/") == 2
    assert caplog.records[-1].tracks == 2
    refresh(WEEKLY, style, library)
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert len(caplog.records) == 1


def test_what_keeps_it_from_being_written_is_said_once_and_ends_nothing(style, library, caplog):
    refresh(WEEKLY._replace(seeds=("nobody",)), style, library)
    refresh(WEEKLY, style._replace(playlist_dir=None), library)
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
    assert "nobody" in caplog.records[0].reason
    assert "playlist_dir" in caplog.records[1].reason


def test_a_dead_disk_holds_up_no_other_upkeep(style, library, monkeypatch, caplog):
    class Silent:
        def __init__(self, path: bytes) -> None:
            pass

        def ask(self) -> None:
            raise TimeoutError

    monkeypatch.setattr(playlists, "Pulse", Silent)
    refresh(WEEKLY, style, library)
    assert "does not answer" in caplog.records[0].reason


def test_as_a_chore_it_is_noted_as_done(config, style, library, tmp_path):
    ((name, _, do),) = chores(config._replace(playlists=style))
    Chores(library.path, lambda message: None).do(Upkeep(name, do))
    deadline = time.monotonic() + 20
    with LibraryReader.open(library.path) as reader:
        while reader.done_at(name) is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert (tmp_path / "lists" / "Weekly.m3u8").is_file()
