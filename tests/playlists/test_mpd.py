"""Handing tracks to MPD, over a real socket to a small server that keeps its protocol."""

import shlex
import socketserver
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from musrecd.config_playlists import MpdConfig
from musrecd.errors import PlaylistError
from musrecd.playlists.mpd import queue


class FakeMpd(socketserver.ThreadingTCPServer):
    """Knows the commands that are needed, and every file that begins with `known/`."""

    daemon_threads = True

    def __init__(self, password: str) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.password = password
        self.queue: list[str] = ["old 1", "old 2"]
        self.playing: str | None = None
        self.log: list[str] = []
        self.most = 1000


class Session(socketserver.StreamRequestHandler):
    """One connection."""

    server: FakeMpd

    def handle(self) -> None:
        self.is_let_in = not self.server.password
        self.wfile.write(b"OK MPD 0.23.5\n")
        for line in self.rfile:
            command, *arguments = shlex.split(line.decode("utf-8"))
            self.server.log.append(command)
            self.wfile.write(f"{self.answer(command, arguments)}\n".encode())

    def answer(self, command: str, arguments: list[str]) -> str:
        if command == "password":
            self.is_let_in = arguments == [self.server.password]
            return "OK" if self.is_let_in else "ACK [3@0] {password} incorrect password"
        if not self.is_let_in:
            return f'ACK [4@0] {{{command}}} you don\'t have permission for "{command}"'
        do: Callable[..., str] | None = getattr(self, f"do_{command}", None)
        return do(*arguments) if do else f'ACK [5@0] {{}} unknown command "{command}"'

    def do_status(self) -> str:
        return f"playlistlength: {len(self.server.queue)}\nstate: stop\nOK"

    def do_add(self, name: str) -> str:
        if not name.startswith("known/"):
            return "ACK [50@0] {add} No such directory"
        if len(self.server.queue) >= self.server.most:
            return "ACK [51@0] {add} playlist is too large"
        self.server.queue.append(name)
        return "OK"

    def do_delete(self, span: str) -> str:
        begin, end = map(int, span.split(":"))
        del self.server.queue[begin:end]
        return "OK"

    def do_play(self, at: str) -> str:
        self.server.playing = self.server.queue[int(at)]
        return "OK"


@pytest.fixture
def start() -> Iterator[Callable[..., tuple[FakeMpd, MpdConfig]]]:
    """Return a function that starts a server and tells where it is."""
    servers: list[FakeMpd] = []

    def started(password: str = "", said: str | None = None) -> tuple[FakeMpd, MpdConfig]:
        server = FakeMpd(password)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        said = password if said is None else said
        return server, MpdConfig("127.0.0.1", server.server_address[1], said, Path("/music"))

    yield started
    for server in servers:
        server.shutdown()
        server.server_close()


def test_tracks_are_added_behind_what_is_there(start):
    server, config = start()
    assert queue([b"/music/known/1.mp3", '/music/known/"é" \\.mp3'.encode()], config) == []
    assert server.queue == ["old 1", "old 2", "known/1.mp3", 'known/"é" \\.mp3']
    assert server.playing is None


def test_tracks_take_the_place_of_what_is_there_and_play(start):
    server, config = start()
    assert queue([b"/music/known/1.mp3", b"/music/known/2.mp3"], config, replace=True) == []
    assert server.queue == ["known/1.mp3", "known/2.mp3"]
    assert server.playing == "known/1.mp3"


def test_what_mpd_does_not_have_is_returned_and_the_rest_goes_on(start):
    server, config = start()
    elsewhere = [b"/other/known/1.mp3", b"/musical/known/2.mp3", b"/music/new/3.mp3", b"/music/known/caf\xe9.mp3"]
    assert queue([*elsewhere, b"/music/known/4.mp3"], config) == elsewhere
    assert server.queue == ["old 1", "old 2", "known/4.mp3"]


def test_the_queue_stays_if_there_is_nothing_to_take_its_place(start):
    server, config = start()
    assert queue([b"/music/new/3.mp3"], config, replace=True) == [b"/music/new/3.mp3"]
    assert server.queue == ["old 1", "old 2"]


def test_a_name_is_never_a_command(start):
    server, config = start()
    evil = b'/music/known/x"\nclear\nadd "known/y'
    assert queue([evil], config) == [evil]
    assert set(server.log) == {"status"}


def test_the_password_is_said(start):
    server, config = start("open sesame")
    assert queue([b"/music/known/1.mp3"], config) == []
    assert server.queue[-1] == "known/1.mp3"


@pytest.mark.parametrize(("said", "line"), [("wrong", "incorrect password"), ("", "permission")])
def test_a_wrong_password_is_one_line_that_does_not_show_it(start, said, line):
    _, config = start("open sesame", said)
    with pytest.raises(PlaylistError, match=line) as caught:
        queue([b"/music/known/1.mp3"], config)
    assert "\n" not in str(caught.value)
    assert not said or said not in str(caught.value)


def test_a_full_queue_is_said_and_what_was_in_it_stays(start):
    server, config = start()
    server.most = 3
    with pytest.raises(PlaylistError, match="playlist is too large"):
        queue([b"/music/known/1.mp3", b"/music/known/2.mp3"], config, replace=True)
    assert server.queue[:2] == ["old 1", "old 2"]


def test_nobody_there_is_one_line(start):
    server, config = start()
    server.shutdown()
    server.server_close()
    with pytest.raises(PlaylistError, match=r"^MPD at 127\.0\.0\.1:\d+ cannot be reached: .* is it running\?$"):
        queue([b"/music/known/1.mp3"], config)


def test_another_server_is_one_line():
    class Other(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"SSH-2.0-other\r\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        config = MpdConfig("127.0.0.1", server.server_address[1], "", Path("/music"))
        with pytest.raises(PlaylistError, match="cannot be reached"):
            queue([b"/music/known/1.mp3"], config)


def test_a_socket_of_this_machine_that_is_not_there_is_named(tmp_path):
    config = MpdConfig(str(tmp_path / "socket"), music_directory=Path("/music"))
    with pytest.raises(PlaylistError, match=r"^MPD at /.*/socket cannot be reached"):
        queue([b"/music/known/1.mp3"], config)


def test_without_its_folder_nothing_can_be_named():
    with pytest.raises(PlaylistError, match="music_directory"):
        queue([b"/music/known/1.mp3"], MpdConfig())


def test_without_python_mpd2_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "mpd", None)
    with pytest.raises(PlaylistError, match=r"pip install 'musrec\[mpd\]'"):
        queue([b"/music/known/1.mp3"], MpdConfig(music_directory=Path("/music")))
