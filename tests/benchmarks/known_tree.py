"""What it costs to see that nothing is new in a folder whose files are all known, beside GNU find."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from unittest.mock import patch

import numpy as np

from musrecd.analysis.card import read_card
from musrecd.analysis.hearing import HEARING
from musrecd.daemon.looking import Look, look_through
from musrecd.library.store import Library
from musrecd.types import Analysis, EncoderInfo, FileState, Tags

_ON_ONE_ALBUM = 12


def prepare(folder: Path, n_files: int) -> None:
    """Write `n_files` small files and a library that knows them."""
    info = read_card().info
    with Library.open(folder / "library.db") as library, patch("os.fdatasync"):
        library.register_encoder(info, HEARING)
        with library.at_once():
            for i in range(n_files):
                album = i // _ON_ONE_ALBUM
                path = folder / "music" / f"Artist {album // 5}" / f"Album {album}" / f"{i} - A title.mp3"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"\xff\xfb")
                library.add(_state(path), _analysis(i, info), Tags(f"Artist {album // 5}", "A title", f"Album {album}"))


def _state(path: Path) -> FileState:
    status = path.stat()
    return FileState(os.fsencode(path), status.st_size, status.st_mtime_ns)


def _analysis(number: int, info: EncoderInfo) -> Analysis:
    embedding = np.zeros(info.dim, np.float32)
    embedding[number % info.dim] = 1
    return Analysis(
        f"{number:040x}", info.version, embedding, np.zeros(len(info.labels), np.float32), 200.0, hearing=HEARING
    )


def measure(folder: Path, runs: int) -> dict[str, tuple[float, float]]:
    """Median wall and CPU seconds of each way, by turns: whole commands, but for the look, which the daemon makes."""
    music = folder / "music"
    musrecd = [sys.executable, "-m", "musrecd.cli", "--library", str(folder / "library.db")]
    look = Look(folder / "library.db", read_card().info.version, (os.fsencode(music),))
    ways: dict[str, Callable[[], object]] = {
        r"find -type f -printf '%s %T@ %p\n'": _command(["find", music, "-type", "f", "-printf", r"%s %T@ %p\n"]),
        "a look of the daemon": lambda: look_through(look),
        "a look that walks": lambda: look_through(look, in_full=True),
        "musrecd scan": _command([*musrecd, "scan", music]),
        "musrecd --version": _command([*musrecd, "--version"]),
    }
    taken: dict[str, list[tuple[float, float]]] = {shown: [] for shown in ways}
    for run in range(runs + 1):
        for shown, way in ways.items():
            cost = _cost(way)
            if run:  # the first takes note that there is nothing to do
                taken[shown].append(cost)
    return {shown: (median(wall for wall, _ in each), median(cpu for _, cpu in each)) for shown, each in taken.items()}


def _command(command: Sequence[str | Path]) -> Callable[[], object]:
    def run() -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    return run


def _cost(way: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds, of other processes, too."""
    before, began = _cpu_s(), time.perf_counter()
    way()
    return time.perf_counter() - began, _cpu_s() - before


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def rows(measured: dict[str, tuple[float, float]]) -> list[list[str]]:
    """Return a row for each way; the first is what the others are compared with."""
    base_wall, base_cpu = next(iter(measured.values()))
    return [
        [shown, f"{1000 * wall:.0f}", f"{wall / base_wall:.2f}", f"{1000 * cpu:.0f}", f"{cpu / base_cpu:.2f}"]
        for shown, (wall, cpu) in measured.items()
    ]
