"""Disks that come and go, and folders that are taken away and made again."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults.place import Daemon, Place, until
from tests.faults.scenario import scenario
from tests.faults.sounds import write_sounds

# The daemon looks every ten seconds whether its folders are there.
_CHECKED_S = 25.0


@contextmanager
def _disk(folder: Path, content: Path | None) -> Iterator[None]:
    """Mount a new disk with copies of files, which have their times; unmounted at the end whoever uses it."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "musrec", str(folder)], check=True)
    try:
        if content is not None:
            shutil.copytree(content, folder, dirs_exist_ok=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _watched(daemon: Daemon) -> dict[str, Any]:
    said = daemon.ask()
    assert said is not None
    folder: dict[str, Any] = said["folders"][0]
    return folder


def _look(place: Place, daemon: Daemon) -> None:
    """Have everything looked through, more than once: the watcher has its time to notice, too."""
    for _ in range(3):
        place.musrecd("retry")
        time.sleep(_CHECKED_S / 5)
    daemon.wait_idle()


def _check_kept(place: Place, files: set[Path]) -> None:
    assert place.found() >= files
    [[n_missing]] = place.sql("SELECT count(*) FROM files WHERE missing_since IS NOT NULL")
    assert n_missing == 0, f"{n_missing} files are marked as missing"


@scenario(needs_root=True)
def unmount(place: Place) -> str:
    """The watched folder is a disk: unmounted, mounted empty, mounted as it was; nothing is marked or heard again."""
    n_files = 1000 if place.big else 30
    content = place.folder / "content"
    files = {place.music / path.relative_to(content) for path in write_sounds(content, n_files)}
    with place.daemon() as daemon:
        with _disk(place.music, content):
            until(lambda: place.n_found() == n_files, 900, "all files to be heard")
            daemon.wait_idle()
        _look(place, daemon)
        _check_kept(place, files)
        with _disk(place.music, None):
            _look(place, daemon)
            _check_kept(place, files)
            assert _watched(daemon)["emptied"]
            assert "perhaps it is not mounted" in " ".join(place.musrecd("status").split())
        with _disk(place.music, content):
            seconds = until(lambda: _watched(daemon)["files"] == n_files, _CHECKED_S, "the disk to be looked through")
            assert _watched(daemon)["watched"] == "events"
            place.check_alive(place.music / "new.wav")
            _check_kept(place, files)
    assert place.n_logged("heard") == n_files + 1
    place.check_sound()
    return f"{n_files} rows kept while unmounted and while empty, looked through {seconds:.1f} s after it was back"


@scenario(needs_root=True)
def unmount_at_once(place: Place) -> str:
    """The disk is unmounted and mounted again before anybody looked: the watches are gone, and made again."""
    content = place.folder / "content"
    write_sounds(content, 10)
    with place.daemon() as daemon:
        with _disk(place.music, content):
            until(lambda: place.n_found() == 10, 120, "all files to be heard")
            daemon.wait_idle()
        with _disk(place.music, content):
            new = place.music / "album 0000" / "new.wav"
            place.check_alive(new)
            assert _watched(daemon)["watched"] == "events"
            assert place.n_found() == 11
    place.check_sound()
    return "a new file is found after that"


@scenario(needs_root=True)
def unmount_below(place: Place) -> str:
    """A disk within the watched folder comes and goes: nothing is marked or heard again, what is new is found."""
    n_files = 500 if place.big else 20
    content, disk = place.folder / "content", place.music / "disk"
    files = {disk / path.relative_to(content) for path in write_sounds(content, n_files)}
    stays = set(write_sounds(place.music / "stays", 5, first=10_000))
    with place.daemon() as daemon:
        with _disk(disk, content):
            until(lambda: place.found() == files | stays, 600, "all files to be heard")
            daemon.wait_idle()
        _look(place, daemon)
        _check_kept(place, files | stays)
        # What is deleted elsewhere is marked all the same.
        deleted = stays.pop()
        deleted.unlink()
        until(lambda: place.found() == files | stays, 30, "the deleted file to be marked")
        with _disk(disk, content):
            _look(place, daemon)
            assert place.found() == files | stays
            place.check_alive(disk / "album 0000" / "new.wav")
    assert place.n_logged("heard") == n_files + 6
    place.check_sound()
    return f"{n_files} rows kept, none heard again, a new file found"


@scenario()
def root_goes(place: Place) -> str:
    """The watched folder is moved away, made again, filled again; deleted and made again."""
    n_files = 300 if place.big else 15
    files = set(write_sounds(place.music, n_files))
    away = place.folder / "away"
    with place.daemon() as daemon:
        daemon.wait_idle(600)
        place.music.rename(away)
        until(lambda: _watched(daemon)["watched"] == "absent", _CHECKED_S, "the folder to be missed")
        _check_kept(place, files)
        place.music.mkdir()
        until(lambda: _watched(daemon)["emptied"], _CHECKED_S, "the empty folder to be looked through")
        _check_kept(place, files)
        shutil.copytree(away, place.music, dirs_exist_ok=True)
        place.check_alive(place.music / "new.wav")
        daemon.wait_idle()
        _check_kept(place, files)
        shutil.rmtree(place.music)
        until(lambda: _watched(daemon)["watched"] == "absent", _CHECKED_S, "the folder to be missed")
        [[n_rows]] = place.sql("SELECT count(*) FROM files")
        assert n_rows == n_files + 1
        place.music.mkdir()
        place.check_alive(place.music / "newer.wav")
        shutil.copytree(away, place.music, dirs_exist_ok=True)
        until(lambda: place.found() >= files, 60, "the files that are back")
        daemon.wait_idle()
    # What is back was heard before.
    assert place.n_logged("heard") == n_files + 2
    place.check_sound()
    return f"{n_files} rows kept, new files found each time, none heard again"
