"""The daemon writes genres into files that are new, if it is told to, and leaves all others alone."""

import hashlib
import shutil
from pathlib import Path

import pytest

from musrecd.config import TaggingConfig
from musrecd.daemon import hearing, lookout, tagger
from musrecd.daemon.messages import LookThrough
from musrecd.daemon.tagging import tag_due
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.tagging import files
from musrecd.tagging.files import Change, Rules
from tests.daemon.test_service import Daemon

RULES = Rules(settle_s=0.0)


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch):
    """Processes that let others go first get nowhere on a busy machine."""
    for module in (hearing, lookout, tagger):
        monkeypatch.setattr(module, "_NICENESS", 0)


@pytest.fixture
def songs(tmp_path, rendered_files) -> list[Path]:
    """Files of three formats without a genre."""
    (tmp_path / "songs").mkdir()
    found = []
    for path in [path for path in rendered_files if path.suffix in (".mp3", ".flac", ".ogg")][:3]:
        found.append(Path(shutil.copy(path, tmp_path / "songs")))
        files.write(bytes(found[-1]), Change(genres=()), RULES)
    return found


@pytest.fixture
def run(config):
    """Return a function that starts a daemon with these settings for tagging."""
    running: list[Daemon] = []

    def start(**tagging) -> Daemon:
        settings = TaggingConfig(**({"write": "fill", "threshold": 0.0} | tagging))
        running.append(Daemon(config._replace(tagging=settings)))
        return running[-1]

    yield start
    for daemon in running:
        daemon.end()


def genres(path: Path) -> tuple[str, ...]:
    return files.read(bytes(path)).genres


def wait_for_genres(config) -> list[bytes]:
    """Files that are to get genres and have not yet, which takes a process some seconds."""
    with Library.open(config.library) as library:
        return [path for path, _ in library.tag_queue.due(2e9, 100)] + journal(config)


def journal(config) -> list[bytes]:
    with LibraryReader.open(config.library) as reader:
        return [entry.plan.path for entry in reader.journal.entries()]


def test_what_is_new_gets_a_genre_and_is_not_heard_again_for_that(run, config, music, songs, until):
    daemon = run()
    until(lambda: daemon.n_looks >= 1)
    for song in songs:
        shutil.copy(song, music / song.name)
    until(lambda: all(genres(music / song.name) for song in songs))
    until(lambda: len(journal(config)) == len(songs))
    n_done, n_looks = daemon.service._work.n_done, daemon.n_looks
    assert n_done == len(songs)
    daemon.service.tell(LookThrough())
    until(lambda: daemon.n_looks > n_looks)
    assert daemon.service._work.n_done == n_done, "our own writes wake nobody"


def test_what_was_there_before_the_daemon_stays_as_it_is(run, config, music, songs, until):
    shutil.copy(songs[0], music / "old.mp3")
    before = hashlib.sha256((music / "old.mp3").read_bytes()).digest()
    daemon = run()
    until(lambda: daemon.findable() == {"old.mp3"})
    shutil.copy(songs[1], music / songs[1].name)
    until(lambda: genres(music / songs[1].name))
    assert hashlib.sha256((music / "old.mp3").read_bytes()).digest() == before
    assert journal(config) == [bytes(music / songs[1].name)]


def test_what_waits_since_before_is_not_new_if_touched_or_seen_again(run, config, music, songs, until, monkeypatch):
    """With a long backlog both happen to many a file before its turn comes."""
    for song in songs:
        shutil.copy(song, music / song.name)
    with monkeypatch.context() as patch:
        patch.setattr(hearing.Hearing, "room", 0)
        daemon = run()
        until(lambda: daemon.n_looks >= 1)
        (music / songs[0].name).touch()
        daemon.service.tell(LookThrough())
        until(lambda: daemon.n_looks >= 2 and not len(daemon.service._settling))
    until(lambda: daemon.findable() == {song.name for song in songs})
    assert wait_for_genres(config) == []
    assert not any(genres(music / song.name) for song in songs)


def test_what_was_known_and_sounds_different_now_is_not_new(run, config, music, songs, until):
    """A recording that its owner cut anew is still theirs."""
    old = music / songs[0].name
    shutil.copy(songs[0], old)
    daemon = run()
    until(lambda: daemon.findable() == {old.name})
    until(lambda: daemon.n_looks >= 1)
    old.write_bytes(songs[1].read_bytes())
    until(lambda: daemon.service._work.n_done == 2)
    assert wait_for_genres(config) == []


def test_a_genre_that_is_there_stays(run, music, songs, until, config):
    files.write(bytes(songs[0]), Change(genres=("Polka",)), RULES)
    daemon = run()
    until(lambda: daemon.n_looks >= 1)
    for song in songs:
        shutil.copy(song, music / song.name)
    until(lambda: all(genres(music / song.name) for song in songs))
    assert genres(music / songs[0].name) == ("Polka",)
    assert bytes(music / songs[0].name) not in journal(config)


def test_nothing_is_written_unless_it_is_configured(run, config, music, songs, until):
    daemon = run(write="no")
    until(lambda: daemon.n_looks >= 1)
    shutil.copy(songs[0], music / songs[0].name)
    until(lambda: daemon.findable() == {songs[0].name})
    with Library.open(config.library) as library:
        assert not library.tag_queue.is_due(2e9)
    assert genres(music / songs[0].name) == ()


def due(config, paths, now: float = 0.0) -> Library:
    library = Library.open(config.library)
    library.tag_queue.put([bytes(path) for path in paths], now)
    return library


def test_what_may_pass_is_tried_again_and_what_may_not_is_not(run, config, music, songs, until, monkeypatch):
    daemon = run(write="no")
    copies = [Path(shutil.copy(song, music / song.name)) for song in songs]
    until(lambda: len(daemon.findable()) == len(songs))
    daemon.end()
    copies[0].chmod(0o444)
    config = config._replace(
        tagging=TaggingConfig(write="fill", threshold=0.0), daemon=config.daemon._replace(settle_s=3600.0)
    )
    with due(config, [*copies, music / "gone.mp3"]) as library:
        outcomes = {Path(each.path.decode()).name: each.result for each in tag_due(config, (bytes(music),))}
        assert outcomes == {copies[0].name: "refused", copies[1].name: "failed", copies[2].name: "failed"}
        waiting = library.tag_queue.due(2e9, 10)
        assert sorted(waiting) == sorted((bytes(path), 1) for path in copies[1:])


def test_an_error_in_the_process_is_said_and_tried_later(config, tmp_path, caplog, until):
    told, now = [], [0.0]
    (tmp_path / "nowhere").write_text("in the way", encoding="utf-8")
    settings = config._replace(library=tmp_path / "nowhere" / "library.db", tagging=TaggingConfig(write="fill"))
    one = tagger.Tagger(settings, (), told.append, clock=lambda: now[0])
    one.begin()
    assert not one.is_ready, "one at a time"
    until(lambda: told)
    one.done(told.pop())
    assert "no genres can be written now" in caplog.text
    for now[0], is_ready in ((9.0, False), (11.0, True)):
        assert one.is_ready is is_ready
