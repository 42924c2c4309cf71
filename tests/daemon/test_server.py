"""Who may ask is answered in a line; whatever else comes harms nobody."""

import json
import os
import shutil
import socket
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pytest

from musrecd.daemon import client
from musrecd.daemon.address import lock_path, socket_path
from musrecd.daemon.messages import Ask, LookThrough, Message, Stop, Upkeep
from musrecd.daemon.server import Server
from musrecd.daemon.state import State
from musrecd.errors import LibraryDamagedError, MusrecError, NotAudioError
from musrecd.ingest.ingest import task_for
from musrecd.ingest.work import Outcome
from musrecd.types import Analysis, Chunks, KnownRecording

CHUNKS = Chunks(np.array([[0, 10], [2.5, 12.5]], np.float32), np.array([[0.6, 0.8], [0, 1]], np.float32))
ANALYSIS = Analysis(
    "ab" * 20, "enc-1", np.array([0.1, -0.7], np.float32), np.array([0.3], np.float32), 12.5, bpm=120.1, key="C#m",
    chunks=CHUNKS,
)  # fmt: skip


@pytest.fixture
def library(tmp_path, runtime):
    return tmp_path / "library.db"


@pytest.fixture
def heard() -> dict[bytes, object]:
    """What comes of hearing a path."""
    return {b"/a.mp3": ANALYSIS, b"/known.mp3": KnownRecording("cd" * 20)}


@pytest.fixture
def messages() -> list[Message]:
    """What a server left for the loop."""
    return []


@pytest.fixture
def server(library, heard, messages) -> Iterator[Server]:
    """A server; who wants a file heard is answered from `heard`."""

    def tell(message: Message) -> None:
        messages.append(message)
        if isinstance(message, Ask):
            found = heard.get(message.path)
            file = task_for(message.path).file
            outcome = (
                Outcome(file, found) if found else Outcome(file, reason="not audio", message="no sound that we know")
            )
            message.answer.set_result(outcome)

    server = Server(socket_path(library), tell, State([], "enc-1"))
    yield server
    server.stop()


@pytest.fixture
def told(server, messages) -> list[Message]:
    """Messages that a running server leaves."""
    return messages


def raw(library, line: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(socket_path(library)))
        connection.sendall(line)
        connection.shutdown(socket.SHUT_WR)
        return connection.makefile("rb").read()


def test_without_a_daemon_there_is_no_answer(library):
    assert client.ask(library, {"do": "status"}) is None
    assert client.hear(library, b"/a.mp3") is None


def test_the_state_is_told(library, told):
    assert client.ask(library, {"do": "status"})["encoder"] == "enc-1"


def test_an_analysis_arrives_as_it_was_made(library, told):
    found = client.hear(library, b"/a.mp3")
    assert found.embedding.dtype == np.float32
    np.testing.assert_array_equal(found.embedding, ANALYSIS.embedding)
    np.testing.assert_array_equal(found.probabilities, ANALYSIS.probabilities)
    assert (found.audio_id, found.bpm, found.key, found.duration_s) == ("ab" * 20, 120.1, "C#m", 12.5)
    np.testing.assert_array_equal(found.chunks.spans_s, CHUNKS.spans_s)
    np.testing.assert_array_equal(found.chunks.directions, CHUNKS.directions)


def test_without_chunks_there_are_none(library, told, heard):
    heard[b"/old.mp3"] = ANALYSIS._replace(chunks=None)
    assert client.hear(library, b"/old.mp3").chunks is None


def test_a_recording_that_is_known_is_named(library, told):
    assert client.hear(library, b"/known.mp3") == KnownRecording("cd" * 20)


def test_who_has_another_encoder_hears_for_himself(library, told):
    assert client.hear(library, b"/a.mp3", "enc-2") is None
    assert told == []
    assert client.hear(library, b"/a.mp3", "enc-1").audio_id == ANALYSIS.audio_id


def test_a_failure_is_the_error_it_would_be_without_a_daemon(library, told):
    with pytest.raises(NotAudioError, match="no sound that we know"):
        client.hear(library, b"/broken \xff\n.mp3")
    assert told[-1].path == b"/broken \xff\n.mp3"


def test_looks_and_ends_are_passed_on(library, told):
    client.ask(library, {"do": "look", "folders": [b"/music \xe9".hex()], "retry_failed": True})
    client.ask(library, {"do": "reload"})
    assert client.ask(library, {"do": "stop"})["pid"] == os.getpid()
    assert told == [LookThrough((b"/music \xe9",), retry_failed=True), Stop(reload=True), Stop()]


def test_who_meets_damage_lets_the_daemon_look(library, told):
    line = client.advice(library, LibraryDamagedError("it is damaged"))
    assert "sees to it" in line
    assert [(message.name, type(message)) for message in told] == [("check", Upkeep)]


def test_who_meets_damage_without_a_daemon_hears_what_to_do(library):
    assert client.advice(library, LibraryDamagedError("it is damaged, do this")) == "it is damaged, do this"


def test_only_the_owner_may_ask(library, told):
    path = socket_path(library)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "line",
    [b"", b"\n", b"nonsense\n", b"[1]\n", b"{}\n", b'{"do": "rm"}\n', b'{"do": "hear", "path": "zz"}\n', b"\xff\xfe\n",
     b'{"do": "look", "folders": [1]}\n', b'{"do": "hear", "path": null}\n', b'{"do": {}}\n',
     b"[" * 60_000 + b"\n", b"x" * 200_000],
    ids=lambda line: repr(line[:12]),
)  # fmt: skip
def test_nonsense_is_refused_and_the_next_is_answered(library, told, line):
    try:
        answer = raw(library, line)
    except (BrokenPipeError, ConnectionResetError):
        answer = b""
    assert not answer or "error" in json.loads(answer)
    assert client.ask(library, {"do": "status"}) is not None


def test_what_a_daemon_refuses_is_an_error(library, told):
    with pytest.raises(MusrecError, match="restart it"):
        client.ask(library, {"do": "dance"})


def test_a_socket_that_a_killed_daemon_left_is_taken_over(library, told):
    second = Server(socket_path(library), lambda message: None, State([], "enc-2"))
    try:
        assert client.ask(library, {"do": "status"})["encoder"] == "enc-2"
    finally:
        second.stop()


@pytest.mark.parametrize("what", ["the socket", "its folder"])
def test_a_socket_that_was_taken_away_is_made_again(library, server, what):
    path = socket_path(library)
    path.unlink() if what == "the socket" else shutil.rmtree(path.parent)
    assert client.ask(library, {"do": "status"}) is None
    server.check()
    assert client.ask(library, {"do": "status"})["encoder"] == "enc-1"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_where_there_can_be_no_socket_it_is_tried_again_and_said_once(library, server, caplog):
    folder = socket_path(library).parent
    shutil.rmtree(folder)
    folder.write_text("in the way", encoding="utf-8")
    for _ in range(3):
        server.check()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    server.stop()
    folder.unlink()
    server.check()
    assert client.ask(library, {"do": "status"})["encoder"] == "enc-1"


def test_a_server_that_cannot_listen_says_so(tmp_path, runtime):
    path = tmp_path.joinpath(*["a folder with a long name"] * 8) / "socket"
    with pytest.raises(MusrecError, match="cannot listen at"):
        Server(path, lambda message: None, State([], "enc-1"))


def test_a_server_that_ended_leaves_no_thread_behind(library):
    before = threading.active_count()
    for _ in range(3):
        Server(socket_path(library), lambda message: None, State([], "enc-1")).stop()
    deadline = time.monotonic() + 20
    while threading.active_count() > before:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_each_library_has_a_daemon_of_its_own_whatever_it_is_called(tmp_path, runtime):
    deep = tmp_path.joinpath(*["a folder with a long name"] * 8)
    deep.mkdir(parents=True)
    (tmp_path / "link").symlink_to(deep)
    assert len(str(socket_path(deep / "library.db"))) < 100
    assert socket_path(tmp_path / "link" / "library.db") == socket_path(deep / "library.db")
    assert socket_path(deep / "other.db") != socket_path(deep / "library.db")
    assert lock_path(tmp_path / "link" / "library.db").parent == deep


def test_without_a_folder_for_sockets_it_lies_in_one_of_the_persons_own(tmp_path, monkeypatch, recwarn):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert socket_path(tmp_path / "library.db").is_relative_to(tmp_path / "home")
    assert not recwarn.list


def connect(library) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(10)
    connection.connect(str(socket_path(library)))
    return connection


def test_a_line_has_its_time_however_slowly_it_comes(library, monkeypatch, told):
    monkeypatch.setattr("musrecd.daemon.server._READ_S", 1.0)
    began = time.monotonic()
    with connect(library) as slow, suppress(OSError):
        while time.monotonic() < began + 10:
            slow.sendall(b" ")
            time.sleep(0.1)
    assert time.monotonic() < began + 5


def test_a_line_in_pieces_is_understood(library, told):
    with connect(library) as connection:
        for piece in (b'{"do": ', b'"stat', b'us"}', b"\n"):
            connection.sendall(piece)
            time.sleep(0.05)
        assert b"enc-1" in connection.makefile("rb").readline()


def test_of_too_many_at_once_the_last_are_hung_up_on(library, told):
    waiting = [connect(library) for _ in range(64)]
    assert connect(library).recv(1) == b""
    for connection in waiting:
        connection.close()
    deadline = time.monotonic() + 10
    while client.ask(library, {"do": "status"}) is None:
        assert time.monotonic() < deadline


def test_the_folder_of_the_socket_is_closed_to_others(library, runtime, server):
    folder = socket_path(library).parent
    server.stop()
    folder.chmod(0o777)
    Server(socket_path(library), lambda message: None, State([], "enc-1")).stop()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
