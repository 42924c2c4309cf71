"""Several processes that write into one library."""

import multiprocessing
from pathlib import Path

from musrecd.library.store import Library
from musrecd.types import FileState
from tests.faults.place import Place
from tests.faults.scenario import scenario


@scenario(quick=True)
def two_writers(place: Place) -> str:
    """Two processes write 1000 failures each into one library, reading before each write."""
    n_writes = 1000 if place.big else 50
    with Library.open(place.library):
        pass
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_count, args=(place.library, n_writes)) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(600)
        assert writer.exitcode == 0
    [[attempts]] = place.sql("SELECT attempts FROM failures")
    assert attempts == 2 * n_writes, f"{2 * n_writes - attempts} updates were lost"
    place.log.touch()
    place.check_sound()
    return f"2 processes, {attempts} of {2 * n_writes} updates there"


def _count(library: Path, n_writes: int) -> None:
    file = FileState(b"/one", 1, 1)
    with Library.open(library) as writer:
        for _ in range(n_writes):
            list(writer.pending([file], "v"))
            writer.add_failure(file, "v", "worker", "crashed")
