"""Whoever answers, the daemon or the process that asks, the answer is the same."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from musrecd.config import read_config
from musrecd.daemon.address import socket_path
from musrecd.daemon.answering import Answering
from musrecd.daemon.server import Server
from musrecd.daemon.state import State


class Daemon:
    """As much of a daemon as answers questions; `answers` are those that it gave."""

    def __init__(self, folder: Path) -> None:
        config = read_config(folder / "config.yaml")
        self.answers: list[dict[str, object]] = []
        self._answering = Answering(config)
        similar = self._answering.similar

        def noted(request: dict[str, object]) -> dict[str, object]:
            answer = similar(request)
            self.answers.append(answer)
            return answer

        self._answering.similar = noted
        self._server = Server(socket_path(config.library), lambda _: None, State([], ""), self._answering)

    def stop(self) -> None:
        self._server.stop()
        self._answering.stop()


@pytest.fixture
def start(beet, monkeypatch) -> Iterator[Callable[[], Daemon]]:
    """Start a daemon for the library of `beet`; names of sockets may have a hundred characters only."""
    runtime = tempfile.mkdtemp(prefix="mr", dir="/tmp")
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    started: list[Daemon] = []

    def start() -> Daemon:
        started.append(Daemon(beet.folder))
        return started[-1]

    yield start
    for each in started:
        each.stop()
    shutil.rmtree(runtime)


@pytest.mark.parametrize(
    "arguments",
    [
        ["id:2"],
        ["id:2", "-n", "3", "--json"],
        ["id:2..3", "-f", "$artist - $title $musrec_score"],
        ["--like", "id:2", "--like", "id:4", "--unlike", "id:6"],
        ["id:5", "--preset", "mix", "--explain"],
        ["id:5", "--bpm", "3%", "--key", "same", "--strict"],
        ["id:5", "--diverse", "0.5", "--max-per-artist", "1", "--order", "flow", "-p"],
    ],
    ids=" ".join,
)
def test_the_daemon_answers_as_the_command_does(beet, start, arguments):
    alone = beet("similar", *arguments)
    assert alone.returncode == 0, alone.stderr
    daemon = start()
    together = beet("similar", *arguments)
    assert (together.stdout, together.stderr, together.returncode) == (alone.stdout, alone.stderr, 0)
    assert [len(answer["results"]) for answer in daemon.answers] == [answered(alone)]


@pytest.mark.parametrize("arguments", [["--bpm", "much"], ["--label", "no such label"]], ids=" ".join)
def test_mistakes_are_told_alike(beet, start, arguments):
    alone = beet("similar", "id:5", *arguments)
    start()
    together = beet("similar", "id:5", *arguments)
    assert (together.stderr, together.returncode) == (alone.stderr, 1)
    assert len(alone.stderr.splitlines()) == 1


def answered(result) -> int:
    if result.stdout.startswith("{"):
        return len(json.loads(result.stdout)["results"])
    lines = [line for line in result.stdout.splitlines() if not line.startswith(("Sounds like", "Nothing", "      "))]
    return len(lines)


@pytest.mark.parametrize(
    "arguments",
    [["id:2", "--in", "id:3..9"], ["id:2", "--to", "id:9", "-n", "2"], ["id:2", "--fresh"]],
    ids=" ".join,
)
def test_what_the_daemon_is_not_asked_is_answered_all_the_same(beet, start, arguments):
    daemon = start()
    result = beet("similar", *arguments)
    assert result.returncode == 0, result.stderr
    assert result.stdout
    assert daemon.answers == []


def test_a_library_in_the_place_of_another_is_opened_anew(beet, start):
    daemon = start()
    before = beet("similar", "id:2").stdout
    library = beet.folder / "musrec.db"
    copy = library.with_name("copy.db")
    shutil.copyfile(library, copy)
    copy.replace(library)
    assert beet("similar", "id:2").stdout == before
    assert ["results" in answer for answer in daemon.answers] == [True, True]
