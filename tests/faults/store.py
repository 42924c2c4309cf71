"""The library locked, damaged, cut or taken away, while the daemon runs and while it does not."""

import os
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from musrecd.daemon import client
from musrecd.errors import LibraryError
from musrecd.library.backups import numbered
from musrecd.library.reader import LibraryReader
from musrecd.library.rowfile import ENDINGS
from musrecd.library.store import Library
from tests.faults.place import Daemon, Place, until
from tests.faults.scenario import scenario
from tests.faults.sounds import write_sound, write_sounds
from tests.library.checks import check_features

_PAGE = 4096
_SEED = 11


@scenario(quick=True)
def store_locked(place: Place) -> str:
    """Another program holds the library's write lock for a minute while files come in."""
    seconds, n_files = (60, 300) if place.big else (4, 20)
    write_sounds(place.music, 10)
    with place.daemon() as daemon:
        daemon.wait_idle()
        before_mb = daemon.rss_mb()
        slowest = 0.0
        with _held(place.library):
            write_sounds(place.music, n_files, first=1000)
            until_s = time.monotonic() + seconds
            while time.monotonic() < until_s:
                began = time.monotonic()
                assert daemon.ask() is not None, "it does not answer while the library is locked"
                slowest = max(slowest, time.monotonic() - began)
                time.sleep(0.2)
            assert place.n_found() == 10
        at_most_mb = daemon.rss_mb()
        until(lambda: place.n_found() == 10 + n_files, 600, "everything to be stored")
        daemon.wait_idle()
        n_said = place.log_text().count("nothing can be stored now")
        assert daemon.is_running
        daemon.end()
    place.check_sound()
    assert n_said == 1, f"said {n_said} times"
    assert at_most_mb < before_mb + 50
    return f"locked {seconds} s: answers within {slowest:.2f} s, {n_files} files stored, {at_most_mb:.0f} MB"


@scenario()
def store_damaged_at_rest(place: Place) -> str:
    """A page overwritten, the header too, the file cut or emptied, while the daemon does not run."""
    return _damage(place, at_rest=True)


@scenario()
def store_damaged_at_work(place: Place) -> str:
    """A page overwritten, the header too, the file cut or emptied or taken away, while the daemon runs."""
    return _damage(place, at_rest=False)


@scenario(quick=True)
def store_emptied(place: Place) -> str:
    """The library is an empty file at the start, and there are backups."""
    n_files = 100 if place.big else 10
    write_sounds(place.music, n_files)
    _fill(place)
    os.truncate(place.library, 0)
    with place.daemon() as daemon:
        until(lambda: _n_found(place) == n_files, 120, "the backup to be restored")
        daemon.wait_idle()
        daemon.end()
    place.check_sound()
    n_heard = place.n_logged("heard") - n_files
    assert n_heard == 0, "heard again although there was a backup"
    return f"{n_files} files are there again, {n_heard} were heard again"


@scenario()
def vectors_damaged(place: Place) -> str:
    """BLOBs of the library are flipped, the files of rows are overwritten, cut and removed, while the daemon runs."""
    n_files, n_flipped = (300, 30) if place.big else (12, 4)
    paths = write_sounds(place.music, n_files)
    with place.daemon() as daemon:
        daemon.wait_idle()
        with closing(sqlite3.connect(place.library, timeout=60)) as connection, connection:
            connection.execute(
                "UPDATE outputs SET embedding = randomblob(length(embedding)) WHERE id % 4294967296 < ?", [n_flipped]
            )
        # Whoever asks meets them; it is no error but for the file itself.
        place.musrecd("similar", str(paths[-1]), "-n", str(n_files))
        until(lambda: _n_intact(place) == n_files, 120, "the damaged ones to be heard again")
        for damage in (_cut, _overwrite_all, Path.unlink):
            for ending in ENDINGS:
                (rows,) = place.folder.glob(f"library.db.*.{ending}")
                damage(rows)
            assert len(place.musrecd("similar", str(paths[0]), "-n", "5", "-p").splitlines()) == 5
            new = place.music / f"{damage.__name__}.wav"
            place.check_alive(new)
            answer = place.musrecd("similar", str(new), "-n", "5", "-p").splitlines()
            assert len(answer) == 5
            _check_features(place)
        daemon.wait_idle()
        daemon.end()
    place.check_sound()
    with Library.open(place.library) as library:
        assert library.verify() == 0
    assert place.n_found() == n_files + 3
    return f"{n_flipped} of {n_files} BLOBs heard again, 3 kinds of damage to the files of rows"


@scenario()
def journal_removed(place: Place) -> str:
    """kill -9 while files are imported, and the library's journal is removed before the next start."""
    n_kills, n_files = (20, 400) if place.big else (3, 60)
    write_sounds(place.music, n_files)
    rng = random.Random(_SEED)
    n_removed = 0
    for _ in range(n_kills):
        with place.daemon() as daemon:
            until(lambda: place.library.exists() and _n_found(place) > 0, 60, "the first file")
            # As soon as there is a journal, a commit is under way.
            journals = [Path(f"{place.library}{suffix}") for suffix in ("-journal", "-wal")]
            until_s = time.monotonic() + rng.uniform(0.5, 3)
            while time.monotonic() < until_s or not (any(j.exists() for j in journals) or daemon.is_idle()):
                pass
            daemon.process.kill()
        for journal in journals:
            if journal.exists():
                journal.unlink()
                n_removed += 1
    with place.daemon() as daemon:
        until(lambda: _n_found(place) == n_files, 600, "everything to be found")
        daemon.wait_idle()
        daemon.end()
    assert "Traceback" not in place.log_text()
    n_aside = len(_aside(place))
    place.check_sound()
    return f"{n_kills} kills, {n_removed} journals removed; {n_files} found, set aside {n_aside} times"


def _damage(place: Place, *, at_rest: bool) -> str:
    n_files, n_more = (200, 20) if place.big else (20, 4)
    write_sounds(place.music, n_files)
    results: list[str] = []
    for number, (name, damage) in enumerate(_DAMAGE.items(), 1):
        # Who deletes it while nobody has it open means to begin anew.
        if at_rest and damage is Path.unlink:
            continue
        _fill(place)
        write_sounds(place.music, n_more, first=1000 * number)
        n_files += n_more
        with place.daemon() as daemon:
            _wait_found(place, daemon, n_files)
            if not at_rest:
                n_heard = place.n_logged("heard")
                damage(place.library)
                # Something is to be stored, or nobody would notice before the next look.
                write_sound(place.music / "new" / f"{number}.wav", 900_000 + number)
                n_files += 1
                # Whoever meets damage tells the daemon; pages that nobody reads are found by the daily copy.
                client.ask(place.library, {"do": "check"}, timeout_s=10.0)
                _wait_found(place, daemon, n_files)
            daemon.end()
        if at_rest:
            n_heard = place.n_logged("heard")
            damage(place.library)
            with place.daemon() as daemon:
                _wait_found(place, daemon, n_files)
                daemon.end()
        place.check_sound()
        with LibraryReader.open(place.library) as reader:
            assert reader.vectors(place.version).shape[0] == n_files
        n_again = place.n_logged("heard") - n_heard - (not at_rest)
        # What the backup has is not heard again, and little of the rest.
        assert n_again <= n_more
        # Of what the daemon has in its memory it may write the page anew before anybody reads it.
        assert len(_aside(place)) <= 1
        assert len(_aside(place)) == (damage not in (_empty, Path.unlink)) or not at_rest
        results.append(f"{name} {n_again}")
        # As if a day had passed: what is set aside too often is refused.
        for each in _aside(place):
            each.rename(each.with_name(f"old-{number}-{each.name}"))
    return f"{n_more} files came after the backup; of those were heard again: {', '.join(results)}"


def _wait_found(place: Place, daemon: Daemon, n_files: int) -> None:
    until(lambda: not daemon.is_running or _n_found(place) == n_files, 600, f"{n_files} files to be found")
    assert daemon.is_running, place.log_text()[-2000:]
    until(lambda: not daemon.is_running or daemon.is_idle(), 60, "the daemon to be idle")
    assert daemon.is_running, place.log_text()[-2000:]


def _fill(place: Place) -> None:
    with place.daemon() as daemon:
        daemon.wait_idle(300)
        daemon.end()
    with Library.open(place.library) as library:
        library.backup(numbered(place.library, 1))


def _n_found(place: Place) -> int:
    """Count what is found, -1 while the library cannot be asked."""
    try:
        return place.n_found()
    except LibraryError:
        return -1


def _n_intact(place: Place) -> int:
    with LibraryReader.open(place.library) as reader:
        rows = reader.tracks_at([os.fsencode(path) for path in place.found()], place.version)
        return len(reader.probabilities([track.recording_id for track in rows.values()], place.version))


def _check_features(place: Place) -> None:
    with LibraryReader.open(place.library) as reader:
        check_features(place.library, reader, place.version)


def _aside(place: Place) -> list[Path]:
    found = place.folder.glob("library.db.damaged-*")
    return [each for each in found if not each.name.endswith(("-journal", "-wal", "-shm"))]


def _a_page(path: Path) -> None:
    # The tree of `files`, which every look reads from its root.
    with closing(sqlite3.connect(path)) as connection:
        [[page]] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'files'").fetchall()
    _write(path, (page - 1) * _PAGE, _PAGE)


def _a_tenth_of_the_pages(path: Path) -> None:
    rng = random.Random(_SEED)
    n_pages = path.stat().st_size // _PAGE
    for page in rng.sample(range(1, n_pages), max(n_pages // 10, 4)):
        _write(path, page * _PAGE, _PAGE)


def _header(path: Path) -> None:
    _write(path, 0, 100)


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _empty(path: Path) -> None:
    os.truncate(path, 0)


def _overwrite_all(path: Path) -> None:
    _write(path, 0, path.stat().st_size)


def _write(path: Path, offset: int, n_bytes: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(random.Random(offset).randbytes(n_bytes))


_DAMAGE = {
    "page": _a_page,
    "tenth of the pages": _a_tenth_of_the_pages,
    "header": _header,
    "cut": _cut,
    "emptied": _empty,
    "everything": _overwrite_all,
    "removed": Path.unlink,
}


@contextmanager
def _held(library: Path) -> Iterator[None]:
    """Hold the write lock of the library."""
    with closing(sqlite3.connect(library, isolation_level=None, timeout=60)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
