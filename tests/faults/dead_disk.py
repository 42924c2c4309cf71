"""A disk on the network that stops to answer: whoever asks it anything waits for ever."""

import ctypes
import errno
import multiprocessing
import os
import select
import stat
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from tests.faults.place import Daemon, Place, until
from tests.faults.scenario import scenario
from tests.faults.sounds import write_sound

_LOOKUP, _FORGET, _GETATTR, _OPEN, _READ, _INTERRUPT = 1, 2, 3, 14, 15, 36
_RELEASE, _INIT, _OPENDIR, _READDIR, _RELEASEDIR, _FLUSH, _BATCH_FORGET = 18, 26, 27, 28, 29, 25, 42
_ROOT = 1
_REQUEST = struct.Struct("<IIQQIIII")
_ATTRIBUTES = struct.Struct("<6Q10I")
_MOST_BYTES = 1 << 20


class _Disk:
    """A flat file system in user space (FUSE) with the files of another folder; answers one request after the other.

    Nothing is answered while it `is_dead`; while it `is_mute` only whether things are there.
    """

    def __init__(self, folder: Path, is_dead: Event, is_mute: Event) -> None:
        self._folder, self._is_dead, self._is_mute = folder, is_dead, is_mute
        self._names = [""]

    def serve(self, handle: int) -> None:
        """Answer until it is unmounted."""
        while True:
            if self._is_dead.is_set() or not select.select([handle], [], [], 0.1)[0]:
                time.sleep(0.05)
                continue
            request = os.read(handle, _MOST_BYTES)
            _, operation, unique, node, *_ = _REQUEST.unpack_from(request)
            if operation in (_FORGET, _BATCH_FORGET, _INTERRUPT):
                continue
            if self._is_mute.is_set() and operation not in (_GETATTR, _LOOKUP):
                continue
            try:
                error, answer = 0, self._answer(operation, node, request[_REQUEST.size :])
            except OSError as failed:
                error, answer = -(failed.errno or errno.EIO), b""
            os.write(handle, struct.pack("<IiQ", 16 + len(answer), error, unique) + answer)

    def _answer(self, operation: int, node: int, rest: bytes) -> bytes:
        if operation == _INIT:
            return struct.pack("<4I2HII2HI7I", 7, 31, 0, 0, 1, 1, 4096, 1, 0, 0, 0, *[0] * 7)
        if operation == _GETATTR:
            return struct.pack("<QII", 0, 0, 0) + self._attributes(node)
        if operation == _LOOKUP:
            name = os.fsdecode(rest.rstrip(b"\0"))
            os.stat(self._folder / name)
            return struct.pack("<4Q2I", self._node(name), 0, 0, 0, 0, 0) + self._attributes(self._node(name))
        if operation in (_OPEN, _OPENDIR):
            return bytes(16)
        if operation in (_RELEASE, _RELEASEDIR, _FLUSH):
            return b""
        if operation in (_READ, _READDIR):
            _, offset, size = struct.unpack_from("<QQI", rest)
            return self._listing(offset, size) if operation == _READDIR else self._content(node)[offset:][:size]
        raise OSError(errno.ENOSYS, "not answered")

    def _node(self, name: str) -> int:
        if name not in self._names:
            self._names.append(name)
        return _ROOT + self._names.index(name)

    def _content(self, node: int) -> bytes:
        return (self._folder / self._names[node - _ROOT]).read_bytes()

    def _attributes(self, node: int) -> bytes:
        found = os.stat(self._folder / self._names[node - _ROOT])
        mode = stat.S_IFDIR | 0o755 if node == _ROOT else stat.S_IFREG | 0o644
        seconds, fraction = divmod(found.st_mtime_ns, 10**9)
        times = [seconds] * 3, [fraction] * 3
        return _ATTRIBUTES.pack(node, found.st_size, 1, *times[0], *times[1], mode, 1, 0, 0, 0, 4096, 0)

    def _listing(self, offset: int, size: int) -> bytes:
        found = b""
        for number, name in list(enumerate(sorted(os.listdir(self._folder)), 1))[offset:]:
            entry = struct.pack("<QQII", self._node(name), number, len(name), stat.S_IFREG >> 12) + name.encode()
            entry += bytes(-len(entry) % 8)
            if len(found) + len(entry) > size:
                break
            found += entry
        return found


def _serve(mountpoint: Path, folder: Path, is_dead: Event, is_mute: Event) -> None:
    handle = os.open("/dev/fuse", os.O_RDWR)
    options = b"fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other" % handle
    if ctypes.CDLL(None, use_errno=True).mount(b"musrec", bytes(mountpoint), b"fuse", 0, options):
        raise OSError(ctypes.get_errno(), "cannot be mounted")
    _Disk(folder, is_dead, is_mute).serve(handle)


@contextmanager
def _disk(mountpoint: Path, folder: Path) -> Iterator[tuple[Event, Event]]:
    """Mount such a disk; yields what makes it dead and what makes it mute."""
    for each in (mountpoint, folder):
        each.mkdir()
    context = multiprocessing.get_context("spawn")
    is_dead, is_mute = context.Event(), context.Event()
    server = context.Process(target=_serve, args=(mountpoint, folder, is_dead, is_mute), daemon=True)
    server.start()
    try:
        until(lambda: str(mountpoint) in Path("/proc/mounts").read_text(encoding="utf-8"), 20, "the disk")
        yield is_dead, is_mute
    finally:
        # Whoever still waits for the disk is told that it is gone.
        server.kill()
        server.join()
        subprocess.run(["umount", "--lazy", str(mountpoint)], check=True)


def _said(daemon: Daemon, folder: Path) -> dict[str, Any]:
    said = daemon.ask()
    assert said is not None, "the daemon does not answer"
    return next(each for each in said["folders"] if each["path"] == str(folder))


@scenario(needs_root=True)
def dead_disk(place: Place) -> str:
    """One of two folders lies on a disk that stops to answer anything, and answers again later."""
    disk, content = place.folder / "disk", place.folder / "content"
    place.configure(folders=[place.music, disk], poll=0.1)
    with _disk(disk, content) as (is_dead, _), place.daemon() as daemon:
        write_sound(content / "a.wav", 1)
        until(lambda: disk / "a.wav" in place.found(), 60, "the file on the disk")
        assert _said(daemon, disk)["watched"] == "polling"
        daemon.wait_idle()
        is_dead.set()
        until(lambda: "does not answer" in _said(daemon, disk)["why"], 60, "the daemon to notice")
        for number in range(3 if place.big else 1):
            place.check_alive(place.music / f"{number}.wav")
            time.sleep(10)
            assert "does not answer" in _said(daemon, disk)["why"]
        assert disk / "a.wav" in place.found(), "nothing is concluded of what does not answer"
        write_sound(content / "b.wav", 2)
        is_dead.clear()
        seconds = until(lambda: disk / "b.wav" in place.found(), 60, "the new file on the disk")
        until(lambda: "does not answer" not in _said(daemon, disk)["why"], 30, "the daemon to notice that")
        is_dead.set()
        ended_s = daemon.end()
    place.check_sound()
    return f"found what is new elsewhere, and on the disk {seconds:.1f} s after it was back; ended in {ended_s:.1f} s"


@scenario(needs_root=True)
def look_that_hangs(place: Place) -> str:
    """A disk says that it is there and lists nothing: the look is given up, the others have their turn (5 minutes)."""
    disk, content = place.folder / "disk", place.folder / "content"
    place.configure(folders=[place.music, disk], poll=0.1)
    with _disk(disk, content) as (_, is_mute), place.daemon() as daemon:
        write_sound(content / "a.wav", 1)
        until(lambda: disk / "a.wav" in place.found(), 60, "the file on the disk")
        daemon.wait_idle()
        is_mute.set()
        # Until the next look of the disk is under way.
        time.sleep(10)
        before = _said(daemon, place.music)["looked_through_at"]
        place.musrecd("retry")
        place.check_alive(place.music / "new.wav")
        seconds = until(lambda: _said(daemon, place.music)["looked_through_at"] != before, 400, "the other look")
        assert "given up" in place.log_text()
        assert place.n_logged("folders could not be looked through") == 1
    place.check_sound()
    return f"given up, and the other folder looked through, {seconds:.0f} s later"
