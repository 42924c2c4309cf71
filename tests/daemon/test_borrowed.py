"""Files heard by a daemon's workers come out as they would from workers of one's own."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace

import numpy as np
import pytest

from musrecd.daemon.address import socket_path
from musrecd.daemon.borrowed import BorrowedWorkers
from musrecd.daemon.messages import Ask, Message
from musrecd.daemon.server import Server
from musrecd.daemon.state import State
from musrecd.errors import MusrecError
from musrecd.ingest.ingest import ingest, start_workers, task_for
from musrecd.ingest.work import Outcome, Task
from musrecd.library.reader import LibraryReader
from musrecd.types import Tags


class Daemon:
    """Stands in for a daemon that hears with real workers, the first `patience` files."""

    def __init__(self, config, patience: int = 1000, encoder: str = "tiny-1") -> None:
        self.n_heard, self._patience = 0, patience
        self._workers = start_workers(config)
        self._server = Server(socket_path(config.library), self._tell, State([], encoder))

    def _tell(self, message: Message) -> None:
        assert isinstance(message, Ask)
        self.n_heard += 1
        if self.n_heard > self._patience:
            message.answer.set_exception(MusrecError("the daemon is ending"))
            return
        task = task_for(message.path)
        future: Future[Outcome] = self._workers.submit(task)
        future.add_done_callback(lambda done: message.answer.set_result(self._workers.outcome(done, task)))

    def stop(self) -> None:
        self._server.stop()
        self._workers.stop()


@pytest.fixture
def daemon(config) -> Iterator[type[Daemon]]:
    """Return a function that starts such a daemon."""
    started: list[Daemon] = []

    def start(**arguments) -> Daemon:
        started.append(Daemon(config, **arguments))
        return started[-1]

    yield start
    for each in started:
        each.stop()


class NoWorkers:
    """Fail if anybody hears here."""

    def perform(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        raise AssertionError("not to be heard here")

    def stop(self) -> None:
        pass


def test_without_a_daemon_there_is_nothing_to_borrow(config):
    assert BorrowedWorkers.of_daemon(config, NoWorkers) is None


def test_nor_from_one_with_another_encoder(config, daemon):
    daemon(encoder="other-1")
    assert BorrowedWorkers.of_daemon(config, NoWorkers) is None


def test_the_results_are_those_of_own_workers(config, daemon, rendered_files, tmp_path):
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"nothing")
    tasks = [task_for(bytes(path)) for path in (*rendered_files[:4], broken)]
    tasks[1] = replace(tasks[1], tags=Tags("Somebody", "Something", ""))
    own = config._replace(library=tmp_path / "own.db")
    alone = ingest(own, tasks)
    running = daemon()
    workers = BorrowedWorkers.of_daemon(config, NoWorkers)
    assert workers is not None
    report = ingest(config, tasks, workers=workers)
    assert running.n_heard == 5
    assert (report.analysed, report.failures) == (alone.analysed, alone.failures)
    assert alone.analysed == 4
    assert len(alone.failures) == 1
    with LibraryReader.open(config.library) as reader, LibraryReader.open(own.library) as other:
        paths = [task.file.path for task in tasks]
        mine, theirs = reader.tracks_at(paths, "tiny-1"), other.tracks_at(paths, "tiny-1")
        assert {p: t.tags for p, t in mine.items()} == {p: t.tags for p, t in theirs.items()}
        for path in mine:
            one = reader.embeddings([mine[path].recording_id], "tiny-1")
            np.testing.assert_allclose(one, other.embeddings([theirs[path].recording_id], "tiny-1"), atol=1e-6)


def test_what_an_ending_daemon_does_not_hear_is_heard_here(config, daemon, rendered_files):
    daemon(patience=2)
    workers = BorrowedWorkers.of_daemon(config, lambda: start_workers(config))
    assert workers is not None
    try:
        report = ingest(config, [task_for(bytes(path)) for path in rendered_files[:4]], workers=workers)
    finally:
        workers.stop()
    assert (report.analysed, report.failed) == (4, 0)
