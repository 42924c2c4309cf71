"""Killed with -9 in the middle of work."""

import random
import time

from tests.faults.place import Place
from tests.faults.scenario import scenario
from tests.faults.sounds import write_sounds

_SEED = 4


@scenario(quick=True)
def kills(place: Place) -> str:
    """kill -9 at random moments while files are imported, until all of them are."""
    n_kills, n_files = (200, 1000) if place.big else (4, 40)
    write_sounds(place.music, n_files)
    rng = random.Random(_SEED)
    acknowledged: set[str] = set()
    n_busy = 0
    for _ in range(n_kills):
        with place.daemon():
            # Workers are there after two seconds or three.
            time.sleep(rng.uniform(0, 4.5))
            n_busy += place.n_waiting() > 0
            # What the library says is there has to stay there.
            acknowledged |= {path.name for path in place.found()}
        place.check_sound()
        assert acknowledged <= {path.name for path in place.found()}
    n_before = len(acknowledged)
    with place.daemon() as daemon:
        daemon.wait_idle(1200)
        daemon.end()
    place.check_sound()
    assert place.n_found() == n_files
    [[n_recordings, n_analyses]] = place.sql(
        "SELECT (SELECT count(*) FROM recordings), (SELECT count(*) FROM analyses)"
    )
    assert n_recordings == n_analyses == n_files
    assert not place.failures()
    return f"{n_kills} kills, {n_busy} with files waiting; {n_before} of {n_files} heard before the last start"
