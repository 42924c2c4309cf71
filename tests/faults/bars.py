"""How soon, with how little memory, and how quietly: what was promised of the daemon, measured."""

import json
import os
import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil

from musrecd.analysis.card import read_card
from musrecd.daemon import client
from musrecd.daemon.looking import Look, look_through
from musrecd.library.store import Library
from musrecd.types import Analysis, FileState, Tags
from tests.faults.place import Daemon, Place, until
from tests.faults.scenario import scenario
from tests.faults.sounds import write_sound, write_sounds

_MUSIC_S = 240.0
_SLICE = 1 << 20


@scenario()
def findable(place: Place) -> str:
    """A file is copied into a watched folder: how soon after its last byte is it an answer of `similar`?"""
    place.configure(settle=4.0)
    source = place.folder / "source.wav"
    waited: list[float] = []
    with place.daemon() as daemon:
        for number in range(3 if place.big else 1):
            write_sound(source, number, _MUSIC_S)
            target = place.music / f"{number}.wav"
            _copy_slowly(source, target)
            ended = time.monotonic()
            until(lambda target=target: target in place.found(), 60, "the file to be findable")
            waited.append(time.monotonic() - ended)
            if place.big:
                # The next one shall find a daemon at rest, too.
                until(lambda: not daemon.workers(), 120, "the workers to leave")
        write_sound(source, 1000, _MUSIC_S)
        _hear(place, source)
        write_sound(source, 1001, _MUSIC_S)
        analysis_s = _hear(place, source)
    assert max(waited) <= 5.0 + analysis_s, f"{max(waited):.1f} s, of which {analysis_s:.1f} s to hear it"
    return f"{max(waited):.1f} s after the last byte at most, of which 4 s to settle and {analysis_s:.1f} s to hear it"


def _copy_slowly(source: Path, target: Path) -> None:
    with source.open("rb") as file, target.open("wb") as copy:
        while block := file.read(_SLICE):
            copy.write(block)
            copy.flush()
            time.sleep(0.2)


def _hear(place: Place, path: Path) -> float:
    """Seconds until the daemon's worker has heard an outside file."""
    began = time.monotonic()
    assert client.hear(place.library, bytes(path)) is not None
    return time.monotonic() - began


@scenario()
def flood(place: Place) -> str:
    """10,000 files appear at once; a person asks about a file of their own meanwhile."""
    n_files = 10_000 if place.big else 300
    place.configure(settle=4.0)
    waiting = place.folder / "waiting"
    write_sounds(waiting, n_files)
    outside = place.folder / "outside.wav"
    answers: list[float] = []
    with place.daemon() as daemon:
        shutil.move(waiting, place.music / "new")
        began = time.monotonic()
        until(lambda: place.n_found() > 0, 60, "the first file")
        while place.n_found() < n_files:
            write_sound(outside, 1_000_000 + len(answers), 30.0)
            answers.append(_hear(place, outside))
            assert time.monotonic() - began < 3600
            time.sleep(1.0)
        seconds = time.monotonic() - began
        peak_mb = _peak_mb(daemon)
    place.check_sound()
    displaced = _most_displaced(place)
    assert not place.failures()
    assert peak_mb <= 150, f"the daemon took {peak_mb:.0f} MB"
    assert max(answers) <= 2.0, f"somebody waited {max(answers):.1f} s"
    assert displaced <= 100, f"a file was heard {displaced} places from its turn"
    return (
        f"{n_files} files in {seconds:.0f} s, peak {peak_mb:.0f} MB, {len(answers)} questions answered in "
        f"{statistics.median(answers):.2f} s (at most {max(answers):.2f} s), no file over {displaced} places off"
    )


def _peak_mb(daemon: Daemon) -> float:
    status = Path(f"/proc/{daemon.process.pid}/status").read_text(encoding="ascii")
    [peak_kb] = re.findall(r"VmHWM:\s+(\d+) kB", status)
    return int(peak_kb) / 1024


def _most_displaced(place: Place) -> int:
    """By how many places the order of hearing differs from that of the queue, which is that of the names."""
    heard = re.findall(r"(\d{6})\.wav", "\n".join(line for line in place.log_text().splitlines() if "heard" in line))
    turns = {name: turn for turn, name in enumerate(sorted(heard))}
    return max(abs(turn - turns[name]) for turn, name in enumerate(heard))


@scenario()
def rest(place: Place) -> str:
    """Nothing happens for an hour."""
    seconds = 3600.0 if place.big else 30.0
    place.configure(settle=4.0)
    write_sounds(place.music, 1000 if place.big else 20)
    with place.daemon() as daemon:
        daemon.wait_idle(600)
        until(lambda: not daemon.workers(), 120, "the workers to leave")
        before, began = _cpu_s(daemon), time.monotonic()
        most_mb = 0.0
        while time.monotonic() - began < seconds:
            time.sleep(10)
            most_mb = max(most_mb, daemon.rss_mb())
        share = (_cpu_s(daemon) - before) / (time.monotonic() - began)
        modules = _mapped(daemon, "torch")
    assert most_mb <= 60, f"it held {most_mb:.0f} MB"
    assert share <= 0.001, f"it took {share:.2%} of a core"
    assert not modules, f"it had loaded {modules[0]}"
    return f"{most_mb:.0f} MB, {share:.3%} of a core over {seconds / 60:.0f} minutes, looks included; torch not loaded"


def _cpu_s(daemon: Daemon) -> float:
    times = psutil.Process(daemon.process.pid).cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _mapped(daemon: Daemon, name: str) -> list[str]:
    maps = Path(f"/proc/{daemon.process.pid}/maps").read_text(encoding="utf-8")
    return [line for line in maps.splitlines() if name in line]


@scenario()
def many_known(place: Place) -> str:
    """Start with 100,000 known files, nothing new; and look through them, beside `find` with stat."""
    n_files = 100_000 if place.big else 2000
    _know(place, n_files)
    ready: list[float] = []
    for _ in range(3):
        began = time.monotonic()
        with place.daemon() as daemon:
            ready.append(time.monotonic() - began)
            daemon.wait_idle()
            daemon.end()
    look, changed, find = _side_by_side(place)
    assert place.n_waiting() == 0
    assert min(ready) <= 1.0, f"ready after {min(ready):.2f} s"
    return (
        f"ready after {min(ready):.2f} s; a look takes {look:.2f} s, {look / find:.2f} times `find` with stat "
        f"({find:.2f} s); with something new {changed:.2f} s"
    )


def _side_by_side(place: Place) -> tuple[float, float, float]:
    """Seconds of a look, of one where something is new, and of `find`; medians of alternating runs."""

    def look() -> None:
        looked = look_through(Look(place.library, place.version, (bytes(place.music),)))
        assert looked.n_waiting == looked.n_vanished == 0

    def look_at_something_new() -> None:
        (place.music / "notes.txt").write_text(f"{time.time_ns()}", encoding="utf-8")
        look()

    def find() -> None:
        subprocess.run(["find", place.music, "-printf", "%s %T@ %p\n"], stdout=subprocess.DEVNULL, check=True)

    look()
    seconds = [[_seconds(run) for run in (look, find)] for _ in range(11)]
    look_s, find_s = (statistics.median(column) for column in zip(*seconds, strict=True))
    return look_s, statistics.median(_seconds(look_at_something_new) for _ in range(5)), find_s


def _seconds(run: Callable[[], None]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def _know(place: Place, n_files: int) -> None:
    """Make files of a few bytes, and a library that has heard them."""
    info = read_card(place.weights).info
    embedding = np.full(info.dim, info.dim**-0.5, np.float32)
    probabilities = np.zeros(len(info.labels), np.float32)
    with Library.open(place.library) as library:
        library.register_encoder(info)
        library.add(
            FileState(b"/nowhere", 0, 0), Analysis("0" * 40, info.version, embedding, probabilities, 1.0), Tags()
        )
        with library._transaction():
            for number in range(n_files):
                path = place.music / f"artist {number // 1000:03d}/album {number // 100:04d}/{number:06d}.mp3"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"ID3")
                status = os.stat(path)
                # As many copies of one recording: what is measured is the looking.
                library._files.put(FileState(bytes(path), status.st_size, status.st_mtime_ns), 1, Tags())
        library.mark_missing([b"/nowhere"])


@scenario()
def asked_first(place: Place) -> str:
    """A person's request goes before new files, these before those that were there before the daemon was."""
    place.configure(threads=1)
    paths = write_sounds(place.music, 60 if place.big else 12, per_folder=10)
    with Library.open(place.library) as library:
        from musrecd.types import Priority

        library.register_encoder(read_card(place.weights).info)
        order = [Priority(number % 3) for number in range(len(paths))]
        for path, priority in zip(paths, order, strict=True):
            library.enqueue([bytes(path)], priority)
    with place.daemon() as daemon:
        daemon.wait_idle()
    heard = re.findall(r"(\d{6})\.wav", "\n".join(line for line in place.log_text().splitlines() if "heard" in line))
    priorities = [int(name) % 3 for name in heard]
    assert len(heard) == len(paths)
    assert priorities == sorted(priorities), json.dumps(priorities)
    return f"{len(paths)} files, each after all that were more urgent"
