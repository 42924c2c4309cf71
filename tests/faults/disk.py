"""A disk that is full, or that may only be read."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.faults.place import Daemon, Place, until
from tests.faults.scenario import scenario
from tests.faults.sounds import write_sounds

_MOUNT_MB = 8


@scenario(needs_root=True)
def disk_full(place: Place) -> str:
    """The disk of the library is filled to the last byte while files come in, and emptied again."""
    seconds, n_files = (60, 500) if place.big else (8, 40)
    with _library_on_tmpfs(place) as folder:
        write_sounds(place.music, 10)
        with place.daemon() as daemon:
            daemon.wait_idle()
            before_mb = daemon.rss_mb()
            filler = _fill(folder)
            write_sounds(place.music, n_files, first=1000)
            n_lines = _lines_meanwhile(place, daemon, seconds)
            assert "nothing can be stored now" in place.log_text()
            at_most_mb = daemon.rss_mb()
            assert place.n_found() < 10 + n_files, "there was space"
            filler.unlink()
            took_s = until(lambda: place.n_found() == 10 + n_files, 600, "everything to be stored")
            daemon.wait_idle()
            assert "the library can be used again" in place.log_text()
            daemon.end()
        place.check_sound()
        # And a start on a full disk is no end either.
        filler = _fill(folder)
        waiting = Daemon(place, {})
        time.sleep(5)
        assert waiting.is_running, place.log_text()[-500:]
        filler.unlink()
        waiting.wait_ready()
        waiting.end()
    assert n_lines <= 5, f"{n_lines} lines of the log while the disk was full"
    assert at_most_mb < before_mb + 50
    return f"full for {seconds} s: {n_lines} lines of log, {at_most_mb:.0f} MB; all stored {took_s:.0f} s after"


@scenario(needs_root=True)
def disk_read_only(place: Place) -> str:
    """The disk of the library may only be read when the daemon starts, and a while later be written."""
    seconds, n_files = (30, 100) if place.big else (6, 20)
    with _library_on_tmpfs(place) as folder:
        paths = write_sounds(place.music, n_files)
        with place.daemon() as daemon:
            daemon.wait_idle()
            daemon.end()
        write_sounds(place.music, 10, first=1000)
        _remount(folder, "ro")
        before = place.log_text()
        waiting = Daemon(place, {})
        try:
            time.sleep(seconds)
            assert waiting.is_running, place.log_text()[-500:]
            n_lines = len(place.log_text()[len(before) :].splitlines())
            n_answers = len(place.musrecd("similar", str(paths[0]), "-p", "-n", "5").splitlines())
        finally:
            _remount(folder, "rw")
        waiting.wait_ready()
        took_s = until(lambda: place.n_found() == n_files + 10, 600, "everything to be stored")
        waiting.end()
        place.check_sound()
    assert n_answers == 5
    assert n_lines == 1, f"{n_lines} lines of the log meanwhile"
    return f"read-only for {seconds} s: {n_lines} line of log, questions answered; all stored {took_s:.0f} s after"


def _lines_meanwhile(place: Place, daemon: Daemon, seconds: float) -> int:
    """Look whether the daemon answers for a while; returns how many lines it logs that say that nothing was stored."""
    before = place.log_text()
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        assert daemon.ask() is not None, "it does not answer"
        time.sleep(0.2)
    new = place.log_text()[len(before) :].splitlines()
    # What was stored before the disk was full is no complaint.
    return sum("msg=heard" not in line for line in new)


def _fill(folder: Path) -> Path:
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65_536, 4096, 1):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))
    assert os.statvfs(folder).f_bavail == 0
    return filler


@contextmanager
def _library_on_tmpfs(place: Place) -> Iterator[Path]:
    folder = place.folder / "small disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_MOUNT_MB}m", "tmpfs", folder], check=True)
    try:
        place.library = folder / "library.db"
        place.configure()
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def _remount(folder: Path, mode: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{mode}", folder], check=True)
