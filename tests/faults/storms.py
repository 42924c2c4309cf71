"""Many changes at once, and those that undo one another: what counts is what lies there in the end."""

import random
import shutil
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

from tests.faults.place import Daemon, Place, until
from tests.faults.scenario import scenario
from tests.faults.sounds import write_sounds

_SEED = 7


def _on_disk(place: Place) -> set[Path]:
    return {path for path in place.music.rglob("*.wav") if path.is_file()}


def _check_end(place: Place, n_recordings: int, *, most_heard: int) -> None:
    """Fail unless the library holds what lies there, and nothing was heard without need."""
    assert place.found() == _on_disk(place)
    [[n_analyses]] = place.sql("SELECT count(*) FROM analyses")
    assert n_analyses == n_recordings
    assert n_recordings <= place.n_logged("heard") <= most_heard
    assert not place.failures()
    place.check_sound()


def _wait_for_the_end(place: Place, daemon: Daemon, seconds: float) -> None:
    """Wait until it knows what lies there: a look may be under way when nothing waits, and bring all back."""
    daemon.wait_idle(seconds)
    until(lambda: place.found() == _on_disk(place), seconds, "the library to hold what lies there")
    daemon.wait_idle(60)


def _rename_all(files: list[Path], name: Callable[[Path, int], Path], n_rounds: int, watch: Callable[[], None]) -> None:
    for n in range(n_rounds):
        for i, file in enumerate(files):
            files[i] = file.rename(name(file, n))
        watch()


@scenario(quick=True)
def rename_storm(place: Place) -> str:
    """Thousands of files are renamed twenty times each while they are analysed."""
    n_files, n_rounds = (5000, 20) if place.big else (100, 5)
    files = write_sounds(place.music, n_files)
    waiting: list[int] = []
    memory: list[float] = []
    with place.daemon() as daemon:
        until(lambda: place.n_found() > n_files // 20, 120, "the first to be heard")

        def watch() -> None:
            waiting.append(place.n_waiting())
            memory.append(daemon.rss_mb())

        _rename_all(files, lambda file, n: file.with_name(f"{file.stem.split()[0]} {n}.wav"), n_rounds, watch)
        _wait_for_the_end(place, daemon, 3600)
        watch()
    assert set(files) == _on_disk(place)
    # A file that got its new name while it was heard may be heard once more.
    _check_end(place, n_files, most_heard=n_files + max(4, n_files // 100))
    assert max(waiting) <= n_files
    assert max(memory) < 400
    return (
        f"{n_files} files × {n_rounds} names: at most {max(waiting)} waited, {max(memory):.0f} MB, "
        f"heard {place.n_logged('heard')} times"
    )


def _recordings(place: Place) -> dict[Path, int]:
    rows = place.sql("SELECT path, recording_id FROM files WHERE missing_since IS NULL")
    return {Path(path.decode()): recording for path, recording in rows}


def _swap(a: Path, b: Path, through: Path) -> None:
    a.rename(through)
    b.rename(a)
    through.rename(b)


@scenario(quick=True)
def swaps(place: Place) -> str:
    """Files swap their names, through a third name here or elsewhere: each keeps its analysis."""
    n_files, n_rounds = (500, 21) if place.big else (18, 3)
    files = write_sounds(place.music, n_files)
    (place.folder / "elsewhere").mkdir()
    throughs = [place.music / "third.wav", place.music / ".third", place.folder / "elsewhere" / "third.wav"]
    # Each pair goes one way only: what one way of renaming does not tell, no other one makes up for.
    pairs = list(zip(files[::2], files[1::2], cycle(throughs)))
    with place.daemon() as daemon:
        daemon.wait_idle(600)
        expected = _recordings(place)
        for a, b, through in pairs * n_rounds:
            _swap(a, b, through)
            expected[a], expected[b] = expected[b], expected[a]
        _wait_for_the_end(place, daemon, 600)
        until(lambda: _recordings(place) == expected, 60, "each name to lead to its sound")
    _check_end(place, n_files, most_heard=n_files)
    n_swaps = len(pairs) * n_rounds
    return f"{n_swaps} swaps of {n_files} files, recognised {place.n_logged('recognised')} times, none heard again"


@scenario(quick=True)
def folder_renames(place: Place) -> str:
    """A folder is renamed again and again while what is in it is heard."""
    n_files, n_renames = (2000, 500) if place.big else (60, 20)
    write_sounds(place.music / "artist 0", n_files)
    folder = place.music / "artist 0"
    with place.daemon() as daemon:
        until(lambda: place.n_found() > 0, 120, "the first to be heard")
        for number in range(1, n_renames + 1):
            folder = folder.rename(place.music / f"artist {number % 7}")
            until(lambda: daemon.is_running, 1, "the daemon")
            if number % 5 == 0:
                # A moment in which some can be heard, now and then.
                daemon.ask()
        _wait_for_the_end(place, daemon, 3600)
    _check_end(place, n_files, most_heard=n_files + max(4, n_files // 100))
    return f"{n_files} files, their folder renamed {n_renames} times; heard {place.n_logged('heard')} times"


@scenario(quick=True)
def in_and_out(place: Place) -> str:
    """Folders are moved out and in, files are deleted as soon as they came."""
    n_folders, n_rounds = (200, 300) if place.big else (10, 30)
    files = write_sounds(place.music, n_folders * 5, per_folder=5)
    folders = sorted({file.parent for file in files})
    away = place.folder / "away"
    away.mkdir()
    # One stays, so that what is empty is not taken for unmounted.
    write_sounds(place.music / "stays", 1, first=900_000)
    rng = random.Random(_SEED)
    with place.daemon() as daemon:
        daemon.wait_idle(900)
        for number in range(n_rounds):
            _move_out_or_in(rng.choice(folders), away)
            _come_and_go(place, number)
        _wait_for_the_end(place, daemon, 900)
    marked = {Path(path.decode()) for (path,) in place.sql("SELECT path FROM files WHERE missing_since IS NOT NULL")}
    n_out = sum(not folder.exists() for folder in folders)
    assert {file for file in files if not file.exists()} <= marked
    _check_end(place, n_folders * 5 + 1, most_heard=n_folders * 5 + 1)
    return f"{n_folders} folders moved {n_rounds} times, {n_out} of them out in the end; none heard again"


def _move_out_or_in(folder: Path, away: Path) -> None:
    if folder.exists():
        folder.rename(away / folder.name)
    else:
        (away / folder.name).rename(folder)


def _come_and_go(place: Place, number: int) -> None:
    """Move a copy of a file in and delete it at once."""
    source = next(place.music.glob("stays/*/*.wav"))
    copy = place.folder / f"copy {number}.wav"
    shutil.copy(source, copy)
    copy.rename(place.music / "stays" / copy.name).unlink()
