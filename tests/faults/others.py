"""A second daemon, what lies in the way of the socket, and clients that mean no good."""

import json
import signal
import socket
import stat
import subprocess
import time
from contextlib import ExitStack, suppress

from musrecd.daemon.address import lock_path, socket_path
from tests.faults.place import Daemon, Place, until
from tests.faults.scenario import scenario
from tests.faults.sounds import write_sound


@scenario(quick=True)
def second_daemon(place: Place) -> str:
    """A second daemon is started on the same library, by its name, through a link, and after a kill -9."""
    write_sound(place.music / "1.wav", 1)
    link = place.folder / "elsewhere"
    link.mkdir()
    (link / "link.db").symlink_to(place.library)
    own = place.library
    with place.daemon() as daemon:
        for library in (own, link / "link.db"):
            place.library = library
            place.configure()
            second = subprocess.run(place.command("run"), capture_output=True, text=True, timeout=60)
            assert second.returncode == 1
            assert "another musrecd serves this library" in second.stderr, second.stderr
            assert len(second.stderr.splitlines()) == 1
            assert daemon.ask() is not None
        place.library = own
        place.configure()
        daemon.process.send_signal(signal.SIGKILL)
        daemon.process.wait()
        assert socket_path(own).exists(), "nothing was left behind, so that nothing is tried here"
        assert daemon.ask() is None
    with place.daemon() as daemon:
        daemon.wait_idle()
        assert place.n_found() == 1
        daemon.end()
    place.check_sound()
    return "refused twice; started again over the socket of a killed one"


@scenario(quick=True)
def planted_links(place: Place) -> str:
    """Links to other files lie where socket and lock will be, and the folder for sockets is open to all."""
    victims = [place.folder / "victim of the socket", place.folder / "victim of the lock"]
    links = [socket_path(place.library), lock_path(place.library)]
    links[0].parent.mkdir(parents=True, exist_ok=True)
    links[0].parent.chmod(0o777)
    for victim, link in zip(victims, links, strict=True):
        victim.write_text("precious")
        link.symlink_to(victim)
    process = subprocess.Popen(place.command("run"), stderr=subprocess.PIPE, text=True)
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(8)
        refused = process.poll() is not None
    finally:
        process.kill()
        _, errors = process.communicate()
    assert [victim.read_text() for victim in victims] == ["precious"] * 2
    assert not refused or len(errors.splitlines()) == 1, errors
    if links[1].is_symlink():
        links[1].unlink()
    with place.daemon() as daemon:
        path = socket_path(place.library)
        assert stat.S_ISSOCK(path.lstat().st_mode)
        assert stat.S_IMODE(path.lstat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        daemon.end()
    assert [victim.read_text() for victim in victims] == ["precious"] * 2
    return f"what the links name is untouched; a link for a lock {'is refused' if refused else 'does no harm'}"


@scenario()
def bad_clients(place: Place) -> str:
    """Rubbish, a line without end, clients that say nothing or read nothing, and 500 connections at once."""
    n_connections, n_megabytes = (500, 1000) if place.big else (200, 20)
    write_sound(place.music / "1.wav", 1)
    with place.daemon() as daemon:
        daemon.wait_idle()
        before_mb, before_handles = daemon.rss_mb(), daemon.n_handles()
        for rubbish in _RUBBISH:
            answer = _send(place, rubbish)
            assert "error" in json.loads(answer), (rubbish[:40], answer)
        n_sent = _send_without_end(place, n_megabytes)
        with ExitStack() as stack:
            for number in range(n_connections):
                client = stack.enter_context(socket.socket(socket.AF_UNIX))
                client.settimeout(5)
                with suppress(OSError):
                    client.connect(str(socket_path(place.library)))
                    client.sendall(b'{"do": ' if number % 2 else b"")
            at_most_mb, at_most_handles = daemon.rss_mb(), daemon.n_handles()
            # They are hung up on; who asks properly is answered then, though they are still there.
            seconds = until(lambda: daemon.ask() is not None, 20, "an answer in spite of them")
            place.check_alive(place.music / "2.wav")
        until(lambda: daemon.n_handles() <= before_handles + 20, 20, "the connections to be closed")
        after_mb = daemon.rss_mb()
        _drip(place, daemon)
        daemon.end()
    place.check_sound()
    assert at_most_handles < before_handles + 100
    assert max(at_most_mb, after_mb) < before_mb + 40
    return (
        f"{len(_RUBBISH)} kinds of rubbish; {n_sent / 1e6:.2f} of {n_megabytes} MB taken; {n_connections} connections:"
        f" answers after {seconds:.0f} s, {at_most_handles} handles, {before_mb:.0f} → {at_most_mb:.0f} MB"
    )


_RUBBISH = [
    b"\n",
    b"GET / HTTP/1.1\r\n",
    b"\x00\xff\xfe\n",
    b"[]\n",
    b'"status"\n',
    b'{"do": "nothing"}\n',
    b'{"do": ["status"]}\n',
    b'{"do": "hear", "path": "zz"}\n',
    b'{"do": "hear", "path": 7}\n',
    b'{"do": "hear", "path": "' + b"2e2e2f" * 40 + b'"}\n',
    b'{"do": "look", "folders": "everything"}\n',
    b'{"do": "look", "folders": [7, null]}\n',
    b"[" * 60_000 + b"\n",
    b'{"do": "status", "x": ' + b"9" * 10_000 + b"}\n",
]


def _send(place: Place, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(socket_path(place.library)))
        client.sendall(request)
        with client.makefile("rb") as answers:
            return answers.readline()


def _send_without_end(place: Place, n_megabytes: int) -> int:
    n_sent, piece = 0, b"x" * 1_000_000
    with socket.socket(socket.AF_UNIX) as client, suppress(OSError):
        client.settimeout(20)
        client.connect(str(socket_path(place.library)))
        while n_sent < n_megabytes * 1_000_000:
            n_sent += client.send(piece)
    assert n_sent < 3_000_000, "it takes whatever it is sent"
    return n_sent


def _drip(place: Place, daemon: Daemon) -> None:
    """Send a byte each second: each is in time, all together are not."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(socket_path(place.library)))
        began = time.monotonic()
        with suppress(OSError):
            while time.monotonic() < began + 25:
                client.sendall(b" ")
                time.sleep(1)
        assert time.monotonic() < began + 15, "a slow client is waited for"
    assert daemon.ask() is not None
