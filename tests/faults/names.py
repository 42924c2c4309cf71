"""Names and things that nobody expects in a music folder."""

import errno
import os
import socket
import stat
import time
import unicodedata
from pathlib import Path

from tests.faults.place import Place, until
from tests.faults.scenario import scenario
from tests.faults.sounds import sound_bytes, write_sound

_NAMES = [
    b"caf\xe9 latin1", b"\xff\xfe\x80", "nfc \u00e9".encode(), "nfd e\u0301".encode(), b"n" * 251, b"-rf", b"--help",
    ("\u00fc" * 125 + "x").encode(), b"new\nline", b"return\r", b"esc\x1b[31m\x1b]0;title\x07", b"tab\t", b" lead",
    b"trail ", b"%d%s%n", b"$(touch PWNED)", b"`touch PWNED`", b"quote'\"", b"back\\slash", b"http:evil", b"a", b"A",
    b"star*[x]?", b"#hash;semi|pipe&", "emoji \U0001f3b5".encode(), "bidi \u202e\u2066gpj.".encode(), b"del\x7f",
    "c1 \u009b31m".encode(), "zero\u200bwidth".encode(), "line\u2028separator".encode(), b"[bold]markup", b"=1+1",
    b"{}", b"~", b"null\xc0\x80", b"surrogate\xed\xa0\x80",
]  # fmt: skip
_IGNORED = [b".hidden.wav", b"._appledouble.wav", b"a.wav.part", b"~$x.wav", b"a.wav~", b".syncthing.x.wav.tmp"]
_DEPTH = 60
# Of levels of 250 characters each: more than a path may have, so that nothing below can be named.
_TOO_DEEP = 20
_BIDI = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _write(path: bytes, number: int) -> bytes:
    write_sound(Path(os.fsdecode(path)), number)
    return path


def _write_names(folder: bytes, names: list[bytes], first: int) -> set[bytes]:
    """Write a sound under each name, which are all to be found, and under some that are not."""
    os.makedirs(folder)
    for number, name in enumerate(_IGNORED):
        _write(os.path.join(folder, name), 5000 + number)
    paths = {_write(os.path.join(folder, name + b".wav"), first + number) for number, name in enumerate(names)}
    paths.add(_write(os.path.join(folder, b"UPPER.WAV"), first + 1000))
    return paths | {_write(os.path.join(folder, b"no suffix"), first + 1001)}


def _write_broken(folder: bytes, names: list[bytes]) -> set[bytes]:
    """Write what is no sound under such names: they will be told."""
    os.makedirs(folder)
    paths = {os.path.join(folder, name + b".wav") for name in names}
    for path in paths:
        Path(os.fsdecode(path)).write_bytes(b"no sound at all " * 50)
    return paths


def _make_things(folder: bytes) -> set[bytes]:
    """Make links, a FIFO, a socket, devices and deep folders; returns what is to be found among them."""
    os.makedirs(folder + b"/loop/a")
    os.symlink(b"..", folder + b"/loop/a/up")
    os.symlink(b"loop", folder + b"/self")
    os.symlink(b"/etc/passwd", folder + b"/passwd.wav")
    os.symlink(b"nowhere", folder + b"/dangling.wav")
    os.symlink(b"me.wav", folder + b"/me.wav")
    found = {_write(folder + b"/original.wav", 2000), _write(folder + b"/loop/a/in the loop.wav", 2001)}
    os.link(folder + b"/original.wav", folder + b"/hard.wav")
    os.symlink(b"original.wav", folder + b"/soft.wav")
    os.mkfifo(folder + b"/fifo.wav")
    _make_socket(folder)
    if os.geteuid() == 0:
        os.mknod(folder + b"/zero.wav", stat.S_IFCHR | 0o600, os.makedev(1, 5))
    found.add(_write(folder + b"/folder called.wav/x.wav", 2002))
    found.add(_write(folder + b"".join(b"/d%02d" % i for i in range(_DEPTH)) + b"/deep.wav", 2003))
    _make_too_deep(folder)
    return found | {folder + b"/hard.wav", folder + b"/soft.wav"}


def _make_socket(folder: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        # Its whole path would be too long for one.
        before = os.getcwd()
        os.chdir(folder)
        try:
            listener.bind("socket.wav")
        finally:
            os.chdir(before)


def _make_too_deep(folder: bytes) -> None:
    handle = os.open(folder, os.O_RDONLY)
    for _ in range(_TOO_DEEP):
        os.mkdir(b"x" * 250, dir_fd=handle)
        inner = os.open(b"x" * 250, os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = inner
    file = os.open(b"unreachable.wav", os.O_WRONLY | os.O_CREAT, dir_fd=handle)
    os.write(file, sound_bytes(1))
    os.close(file)
    os.close(handle)


def _has_reader(fifo: bytes) -> bool:
    """Whether somebody has a FIFO open for reading, or waits for it to be opened."""
    try:
        os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
    except OSError as error:
        if error.errno == errno.ENXIO:
            return False
        raise
    return True


def _check_safe(what: str, text: str) -> None:
    """Fail if a text could steer a terminal or show itself as something that it is not."""
    steering = {char for char in text if (unicodedata.category(char) == "Cc" and char != "\n") or char in _BIDI}
    assert not steering, f"{what} holds {sorted(steering)!r}"


@scenario(quick=True)
def names(place: Place) -> str:
    """Hostile names, links in a circle, a FIFO, a socket, a device, folders too deep: all that is music is found."""
    music = bytes(place.music)
    # Some of each kind are enough to see that nothing has changed.
    some = _NAMES if place.big else _NAMES[1::4]
    expected = _write_names(music + b"/before", _NAMES, 0) | _make_things(music + b"/things")
    # A broken file is told with its name in the log and in what the commands say.
    broken = _write_broken(music + b"/broken", [*some, b"esc\x1b[31m", b"new\nline"])
    fifo = music + b"/things/fifo.wav"
    with place.daemon() as daemon:
        until(lambda: len(place.found()) >= len(expected), 120, "what was there before")
        expected |= _write_names(music + b"/while it runs", some, 3000)
        os.mkfifo(music + b"/while it runs/fifo.wav")
        until(lambda: len(place.found()) >= len(expected), 120, "what came while it ran")
        os.rename(music + b"/before", music + b"/re\nnamed\x1b[31m")
        expected = {path.replace(b"/before/", b"/re\nnamed\x1b[31m/") for path in expected}
        until(lambda: _found(place) == expected, 60, "the renamed ones")
        daemon.wait_idle()
        assert not _has_reader(fifo)
        assert not _has_reader(music + b"/while it runs/fifo.wav")
        assert broken <= {bytes(path) for path in place.failures()}
        for command in (("status",), ("status", "--json"), ("failures",)):
            _check_safe(" ".join(command), place.musrecd(*command))
    _check_safe("the log", place.log_text())
    assert _found(place) == expected
    # Nobody took a name for a command.
    assert not Path("PWNED").exists()
    place.check_sound()
    return f"{len(expected)} of {len(expected)} found, {len(broken)} broken ones told, FIFOs not opened"


def _found(place: Place) -> set[bytes]:
    return {bytes(path) for path in place.found()}


_YEAR_S = 365.25 * 86_400


@scenario(quick=True)
def times(place: Place) -> str:
    """Files from 1970, from 2100, from before 1970 and from in a moment: each is found as soon as any other."""
    moments = {
        "1970": 0.0, "1901": -69 * _YEAR_S, "2100": 130 * _YEAR_S, "2400": 430 * _YEAR_S,
        "in a second": time.time() + 1, "in a minute": time.time() + 60, "in an hour": time.time() + 3600,
    }  # fmt: skip
    before, after = place.music / "before", place.music / "while it runs"
    for number, (name, moment) in enumerate(moments.items()):
        write_sound(before / f"{name}.wav", number)
        os.utime(before / f"{name}.wav", (moment, moment))
    with place.daemon() as daemon:
        daemon.wait_idle(60)
        for number, (name, moment) in enumerate(moments.items(), 100):
            write_sound(after / f"{name}.wav", number)
            os.utime(after / f"{name}.wav", (moment, moment))
        seconds = until(lambda: place.n_found() == 2 * len(moments), 30, "files of all times")
        place.musrecd("retry")
        daemon.wait_idle()
    # Times that the library cannot hold exactly must not look like changes at each look.
    assert place.n_logged("heard") == 2 * len(moments)
    assert place.n_logged("recognised") == 0
    place.check_sound()
    return f"{2 * len(moments)} of {2 * len(moments)} found, those that came within {seconds:.1f} s"
