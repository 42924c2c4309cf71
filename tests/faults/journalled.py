"""Genres written with the journal, by the command and by the daemon: killed, taken back, and heard once only."""

import random
import signal
import subprocess
import time
from pathlib import Path

from musrecd.library.reader import LibraryReader
from musrecd.tagging.files import read
from tests.faults.place import Place, until
from tests.faults.scenario import scenario
from tests.faults.sounds import write_sounds

_SEED = 9
_SURE = {"write": "fill", "threshold": 0.0}


@scenario(quick=True)
def tag_command_kills(place: Place) -> str:
    """kill -9 at random moments while genres are written and taken back: each file once, and all back in the end."""
    n_kills, n_files = (200, 500) if place.big else (4, 30)
    files = write_sounds(place.music, n_files)
    before = {path: path.read_bytes() for path in files}
    place.musrecd("scan", str(place.music), timeout_s=1200)
    tag = ("tag", "-w", "-f", "-y", "--threshold", "0", str(place.music))
    undo = ("undo", "-y", "since", "2000-01-01")
    rng, n_killed, n_busy, is_tagging, n_new = random.Random(_SEED), 0, 0, True, 0
    for _ in range(n_kills):
        if n_new in (0, n_files):
            is_tagging = n_new == 0
        process = _begun(place, tag if is_tagging else undo)
        time.sleep(rng.uniform(0, n_files / 200))
        n_killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        n_new = _check_old_or_new(before)
        n_busy += 0 < n_new < n_files
    place.musrecd(*tag, timeout_s=1200)
    assert _check_old_or_new(before) == n_files
    with LibraryReader.open(place.library) as reader:
        entries = reader.journal.entries()
    done = [each for each in entries if each.plan.undoes is None and each.state == "done"]
    assert sorted(each.plan.path for each in done) == sorted(map(bytes, files)), "each exactly once"
    assert "begun" not in {each.state for each in entries}
    place.musrecd(*undo, timeout_s=1200)
    assert {path: path.read_bytes() for path in files} == before
    assert sorted(path for path in place.music.rglob("*") if path.is_file()) == sorted(files), "nothing is left behind"
    return f"{n_killed} kills, {n_busy} left some of {n_files} files written; then each once, undone byte for byte"


def _begun(place: Place, arguments: tuple[str, ...]) -> "subprocess.Popen[bytes]":
    """Start a command and wait until it has noted its first write, or ended."""
    before = _newest(place)
    process = subprocess.Popen(place.command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and _newest(place) == before:
        time.sleep(0.01)
    return process


def _newest(place: Place) -> int:
    """Number of the newest entry; a reader of ours puts right what the killed one left in SQLite."""
    with LibraryReader.open(place.library) as reader:
        return max((each.number for each in reader.journal.entries(number=1)), default=0)


@scenario(quick=True)
def tag_daemon(place: Place) -> str:
    """Files without a genre come in while the daemon may write: all get one, none is heard again for that."""
    n_files = 500 if place.big else 20
    place.configure(tagging=_SURE)
    with place.daemon() as daemon:
        daemon.wait_idle()
        files = write_sounds(place.music, n_files)
        until(lambda: all(read(bytes(path)).genres for path in files), 600, "all to have a genre")
        daemon.wait_idle()
        place.check_alive(place.music / "another.wav")
        daemon.wait_idle()
        at_most_mb = daemon.rss_mb()
        n_heard, n_recognised = place.n_logged("heard"), place.n_logged("recognised")
        daemon.end()
    place.check_sound()
    assert n_heard == n_files + 1, f"{n_heard} heard"
    with LibraryReader.open(place.library) as reader:
        paths = [each.plan.path for each in reader.journal.entries()]
    assert len(paths) == len(set(paths)) >= n_files
    return (
        f"{n_files} files got a genre, each once; heard again: 0, recognised again: {n_recognised}; {at_most_mb:.0f} MB"
    )


def _check_old_or_new(before: dict[Path, bytes]) -> int:
    """Fail unless each file is as it was or has a genre and its sound; returns how many have."""
    n_new = 0
    for path, old in before.items():
        new = path.read_bytes()
        if new != old:
            assert read(bytes(path)).genres, path
            assert new[8 : len(old)] == old[8:], f"{path}: more than the size in its head changed"
            n_new += 1
    return n_new
