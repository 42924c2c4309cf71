"""What it costs to keep a library: a track more, another analysis of one, one that vanished, files of rows anew."""

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from musrecd.library.rowfile import files_beside
from musrecd.library.store import Library
from tests.benchmarks.filling import analysis_of, state_of, tags_of

_RUNS = 31


def rebuilt(database: Path) -> str:
    """Make the files of rows anew, as after a damage, and tell how long that took."""
    Library.open(database).close()
    for file in files_beside(database):
        file.unlink()
    started = time.perf_counter()
    Library.open(database).close()
    return f"files of vectors and features made anew: {time.perf_counter() - started:.1f} s"


def costs(folder: Path) -> Iterator[str]:
    """Tell what one track costs, flushed to the disk; the library has some more afterwards."""
    # No track has such a number, nor one of an earlier run.
    first = time.time_ns()
    numbers = range(first, first + _RUNS)
    with Library.open(folder / "musrec.db") as library:

        def add(i: int) -> None:
            library.add(state_of(folder, i), analysis_of(i), tags_of(i))

        yield _line("a track more", add, numbers)
        yield _line("a track analysed again", add, numbers)
        yield _line("a track that vanished", lambda i: library.mark_missing([state_of(folder, i).path]), numbers)


def _line(what: str, do: Callable[[int], object], numbers: range) -> str:
    taken = []
    for i in numbers:
        started = time.perf_counter()
        do(i)
        taken.append(time.perf_counter() - started)
    return f"{what}: {1000 * statistics.median(taken):.1f} ms"
