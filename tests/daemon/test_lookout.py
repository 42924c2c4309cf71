"""Looks are made one after the other; one that fails or gets nowhere is made again."""

import multiprocessing
import os
import signal
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Event

import pytest
from pebble import ProcessPool

from musrecd.daemon import lookout
from musrecd.daemon.looking import Look, Looked
from musrecd.daemon.lookout import Lookout
from musrecd.errors import LibraryDamagedError
from musrecd.ingest.pool import kill_children
from musrecd.library.store import Library

DONE_S = 60.0


class Scene:
    """A lookout with a clock of its own, and what it tells."""

    def __init__(self, folder) -> None:
        self.library = folder / "library.db"
        Library.open(self.library).close()
        self.now = 1000.0
        self.told: SimpleQueue[Future[Looked]] = SimpleQueue()
        self.lookout = Lookout(self.told.put, clock=lambda: self.now)

    def want(self, *folders: bytes) -> None:
        for folder in folders:
            self.lookout.look(Look(self.library, "enc-1", (folder,)))
        self.lookout.begin()

    def looked(self) -> Looked | None:
        return self.lookout.done(self.told.get(timeout=DONE_S))


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch):
    """Processes that let others go first get nowhere on a busy machine."""
    monkeypatch.setattr(lookout, "_NICENESS", 0)


@pytest.fixture
def scene(tmp_path):
    found = Scene(tmp_path)
    yield found
    found.lookout.stop()


def test_folders_are_looked_through_one_after_the_other_each_once(scene, tmp_path):
    (tmp_path / "a.mp3").touch()
    first, second = bytes(tmp_path), bytes(tmp_path / "nowhere")
    scene.want(first)
    scene.want(second, second)
    assert scene.lookout.is_busy
    assert scene.looked().n_files == 1
    assert not scene.lookout.is_busy
    scene.lookout.begin()
    assert scene.looked().folders == (second,)
    scene.lookout.begin()
    assert not scene.lookout.is_busy


def test_a_look_that_was_killed_is_made_again_after_a_while(scene, tmp_path):
    scene.want(bytes(tmp_path))
    kill_children()
    assert scene.looked() is None
    scene.lookout.begin()
    assert not scene.lookout.is_busy, "not at once"
    scene.now += 31
    scene.lookout.begin()
    assert scene.looked().folders == (bytes(tmp_path),)


def test_a_library_that_cannot_be_used_is_no_end(scene, tmp_path):
    scene.library.unlink()
    scene.library.mkdir()
    scene.want(bytes(tmp_path))
    assert scene.looked() is None
    scene.now += 31
    scene.lookout.begin()
    assert scene.lookout.is_busy


def test_a_damaged_library_is_told(scene, tmp_path):
    scene.library.write_bytes(b"this is no database, and long enough to be looked at " * 20)
    scene.want(bytes(tmp_path))
    with pytest.raises(LibraryDamagedError):
        scene.looked()


def test_a_process_that_cannot_be_started_is_no_end(scene, tmp_path, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(ProcessPool, "schedule", refuse)
        scene.want(bytes(tmp_path))
    assert not scene.lookout.is_busy
    scene.now += 31
    scene.lookout.begin()
    assert scene.looked().folders == (bytes(tmp_path),)


def test_a_look_that_gets_nowhere_is_given_up_and_the_others_have_their_turn(scene, tmp_path, caplog):
    first, second = bytes(tmp_path), bytes(tmp_path / "nowhere")
    scene.want(first, second)
    [process] = multiprocessing.active_children()
    os.kill(process.pid, signal.SIGSTOP)
    scene.now += 299
    scene.lookout.begin()
    assert scene.lookout._under_way.look.folders == (first,)
    scene.now += 2
    scene.lookout.begin()
    assert scene.lookout._under_way.look.folders == (second,)
    assert "given up" in caplog.records[-1].reason
    looked = None
    while looked is None:
        # The one that was given up is told, too, when its process ends.
        looked = scene.looked()
    assert looked.folders == (second,)
    scene.lookout._ending[first,].join(DONE_S)
    scene.now += 31
    scene.lookout.begin()
    assert scene.lookout._under_way.look.folders == (first,)


def test_no_second_look_is_sent_where_the_first_cannot_be_ended(scene, tmp_path, monkeypatch):
    """A process that waits for a dead disk survives even a kill."""
    is_answered = Event()
    end = lookout._end
    monkeypatch.setattr(lookout, "_END_S", 0.1)
    monkeypatch.setattr(lookout, "_end", lambda pool: is_answered.wait(DONE_S) and end(pool))
    scene.want(bytes(tmp_path))
    scene.now += 301
    scene.lookout.begin()
    scene.now += 31
    scene.lookout.begin()
    assert not scene.lookout.is_busy
    scene.want(bytes(tmp_path))
    assert not scene.lookout.is_busy, "whoever wants it"
    is_answered.set()
    scene.lookout._ending[bytes(tmp_path),].join(DONE_S)
    scene.lookout.begin()
    assert scene.lookout.is_busy


def test_only_one_find_is_left_with_a_disk_that_does_not_answer(scene, tmp_path, monkeypatch, until):
    music, programs = tmp_path / "music", tmp_path / "programs"
    for each in (music, programs):
        each.mkdir()
    (music / "a.mp3").touch()
    find, began, end = programs / "find", tmp_path / "began", tmp_path / "end"
    find.write_text(f"#!/bin/sh\n: > {began}\nwhile [ ! -e {end} ]; do sleep 0.1; done\n", encoding="utf-8")
    find.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    scene.want(bytes(music))
    until(began.exists)
    began.unlink()
    scene.now += 301
    scene.lookout.begin()
    scene.now += 31
    until(lambda: scene.lookout.begin() or scene.lookout.is_busy)
    looked = None
    while looked is None:
        looked = scene.looked()
    assert looked.n_files == 1
    assert not began.exists(), "the second look walks by itself"
    end.touch()
    scene.want(bytes(music))
    assert scene.looked() == looked
    assert began.exists(), "one that answers again is trusted"


def test_a_slow_look_is_let_go_on_as_long_as_it_gets_somewhere(scene, tmp_path):
    scene.want(bytes(tmp_path))
    under_way = scene.lookout._under_way
    for _ in range(10):
        under_way.steps.value += 1
        scene.now += 200
        scene.lookout.begin()
    assert scene.lookout._under_way is under_way


def test_a_look_counts_its_steps(scene, tmp_path):
    for name in ("a.mp3", "b.mp3", "cover.jpg"):
        (tmp_path / name).touch()
    scene.want(bytes(tmp_path))
    steps = scene.lookout._under_way.steps
    scene.looked()
    assert steps.value > 3
