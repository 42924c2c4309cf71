"""Workers come with work and go without; when they fail as a whole others are tried, and who waits is told."""

import multiprocessing
import os
import signal
from concurrent.futures import Future
from queue import SimpleQueue

import pytest

from musrecd.daemon import hearing
from musrecd.daemon.hearing import Heard, Hearing
from musrecd.errors import MusrecError
from musrecd.ingest.ingest import task_for
from musrecd.ingest.pool import Workers, kill_children
from musrecd.ingest.work import Outcome
from musrecd.library.store import Library
from musrecd.types import Analysis

DONE_S = 60.0


class Scene:
    """A hearing with a clock of its own, and what it tells."""

    def __init__(self, config) -> None:
        self.now = 1000.0
        self.told: SimpleQueue[Heard] = SimpleQueue()
        self.hearing = Hearing(config, self.told.put, clock=lambda: self.now)

    def outcome(self) -> Outcome | None:
        return self.hearing.outcome(self.told.get(timeout=DONE_S))


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch):
    """Processes that let others go first get nowhere on a busy machine."""
    monkeypatch.setattr(hearing, "_NICENESS", 0)


@pytest.fixture
def make_scene(config):
    Library.open(config.library).close()
    scenes = []

    def make(**changed) -> Scene:
        scenes.append(Scene(config._replace(**changed)))
        return scenes[-1]

    yield make
    for scene in scenes:
        scene.hearing.rest()


@pytest.fixture
def song(rendered_files):
    return task_for(os.fsencode(rendered_files[0]))


def test_workers_come_with_the_first_file_and_go_when_nothing_came_for_long(make_scene, song):
    scene = make_scene()
    assert not scene.hearing.is_awake
    assert scene.hearing.room == 2
    assert scene.hearing.hear(song)
    assert (scene.hearing.room, scene.hearing.paths) == (1, {song.file.path})
    scene.now += 200
    scene.hearing.check()
    assert isinstance(scene.outcome().heard, Analysis), "it took long, which is no rest"
    scene.hearing.check()
    assert scene.hearing.is_awake
    scene.now += 61
    scene.hearing.check()
    assert not scene.hearing.is_awake


def test_who_waits_gets_the_answer_and_nobody_else(make_scene, song):
    scene = make_scene()
    answer: Future[Outcome] = Future()
    scene.hearing.answer(song, answer)
    assert scene.outcome() is None
    assert isinstance(answer.result(0).heard, Analysis)


def test_workers_that_are_got_ready_wait_for_the_file(make_scene, song):
    scene = make_scene()
    scene.hearing.warm_up()
    assert scene.hearing.is_awake
    assert scene.hearing.room == 2
    scene.hearing.hear(song)
    assert isinstance(scene.outcome().heard, Analysis)
    assert scene.told.empty()


def test_processes_that_cannot_be_started_are_tried_again_later_and_later(make_scene, song, monkeypatch):
    scene = make_scene()
    answer: Future[Outcome] = Future()
    with monkeypatch.context() as patch:
        patch.setattr(Workers, "submit", cannot)
        assert not scene.hearing.hear(song)
        assert (scene.hearing.room, scene.hearing.is_awake) == (0, False)
        scene.hearing.answer(song, answer)
        assert isinstance(answer.exception(0), MusrecError)
        first = scene.hearing.begins_at - scene.now
        scene.now = scene.hearing.begins_at
        assert not scene.hearing.hear(song)
        assert scene.hearing.begins_at - scene.now > first
    scene.hearing.warm_up()
    assert not scene.hearing.is_awake
    scene.now = scene.hearing.begins_at
    assert scene.hearing.hear(song)
    assert isinstance(scene.outcome().heard, Analysis)


def cannot(*_args):
    raise MusrecError("processes cannot be started")


def test_an_encoder_that_is_gone_ends_nothing_and_who_waits_is_told(make_scene, song, tmp_path):
    scene = make_scene(encoder=tmp_path / "gone.safetensors")
    answer: Future[Outcome] = Future()
    scene.hearing.answer(song, answer)
    scene.hearing.hear(song)
    late = scene.told.get(timeout=DONE_S)
    assert scene.hearing.outcome(late) is None
    assert isinstance(answer.exception(0), MusrecError)
    assert not scene.hearing.is_awake
    assert scene.hearing.outcome(late) is None, "told twice, or too late"
    assert scene.hearing.paths == set()


def test_workers_that_die_at_rest_are_noticed(make_scene, song, until):
    scene = make_scene()
    scene.hearing.hear(song)
    scene.outcome()
    kill_children()

    def is_noticed() -> bool:
        scene.hearing.check()
        return not scene.hearing.is_awake

    until(is_noticed)
    scene.now = scene.hearing.begins_at
    scene.hearing.hear(song)
    assert isinstance(scene.outcome().heard, Analysis)


def test_who_waits_at_the_end_is_told(make_scene, song):
    scene = make_scene()
    answer: Future[Outcome] = Future()
    scene.hearing.answer(song, answer)
    scene.hearing.rest()
    assert isinstance(answer.exception(0), MusrecError)


def test_workers_that_stand_still_are_given_up(make_scene, song):
    scene = make_scene(timeout_s=10.0)
    assert scene.hearing.hear(song)
    for child in multiprocessing.active_children():
        os.kill(child.pid, signal.SIGSTOP)
    scene.now += 129
    scene.hearing.check()
    assert scene.hearing.is_awake
    scene.now += 2
    scene.hearing.check()
    assert not scene.hearing.is_awake
    assert scene.hearing.paths == set()
    scene.now += 3
    assert scene.hearing.hear(song)
    while scene.hearing.outcome(scene.told.get(timeout=DONE_S)) is None:
        pass
