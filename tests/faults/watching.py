"""The system's means of watching run out: its queue of events, its watches, its instances."""

import shutil
import time
from contextlib import ExitStack
from pathlib import Path

from tests.faults.place import Daemon, Place, until
from tests.faults.scenario import limit, scenario
from tests.faults.sounds import write_sound, write_sounds

# Minutes; the shortest that the configuration allows.
_POLL = 0.1
# A period, the look itself, and the file that has to settle and to be heard.
_WITHIN_S = 60 * _POLL + 20


def _known(place: Place) -> int:
    """How many files wait to be heard or are heard."""
    [[n]] = place.sql("SELECT count(*) FROM (SELECT path FROM jobs UNION SELECT path FROM files)")
    return int(n)


def _move_all(files: list[Path], source: Path, destination: Path) -> None:
    """Rename each file by itself, as fast as possible; their folders are there already."""
    for folder in {file.parent for file in files}:
        (destination / folder.relative_to(source)).mkdir(parents=True)
    for file in files:
        file.rename(destination / file.relative_to(source))


def _watches_in_use() -> int:
    """How many watches all processes have: a limit counts them together."""
    infos = Path("/proc").glob("[0-9]*/fdinfo/*")
    return sum(_lines_of_watches(info) for info in infos)


def _lines_of_watches(info: Path) -> int:
    try:
        return sum(line.startswith("inotify wd:") for line in info.read_text(encoding="ascii").splitlines())
    except OSError:
        # It ended meanwhile.
        return 0


def _watched(daemon: Daemon) -> list[str]:
    said = daemon.ask()
    assert said is not None
    return [folder["watched"] for folder in said["folders"]]


@scenario(needs_root=True)
def overflow(place: Place) -> str:
    """More events at once than the system keeps: all files are known within a minute."""
    n_events, n_files = (512, 20_000) if place.big else (16, 1000)
    away = place.folder / "away"
    files = write_sounds(away, n_files)
    with ExitStack() as stack:
        # A queue is as long as was allowed when it was made.
        with limit("max_queued_events", n_events):
            daemon = stack.enter_context(place.daemon())
            until(lambda: _watched(daemon) == ["events"], 30, "the folder to be watched")
        daemon.wait_idle()
        began = time.monotonic()
        _move_all(files, away, place.music)
        moved_s = time.monotonic() - began
        # Events alone do not bring all of them: the system says that it dropped some.
        seconds = until(lambda: _known(place) == n_files, 60, f"all {n_files} files to be known")
        assert "overflowed" in place.log_text()
        daemon.wait_idle(3600)
        heard_s = time.monotonic() - began
    assert place.found() == {place.music / file.relative_to(away) for file in files}
    place.check_sound()
    # Each was heard once, whether an event or the look told of it.
    assert place.n_logged("heard") == n_files
    return f"{n_files} files renamed in {moved_s:.1f} s, known {seconds:.1f} s later, heard after {heard_s:.0f} s"


@scenario(needs_root=True)
def watch_limit(place: Place) -> str:
    """Fewer watches than folders: said with what to do, all found; watched again when the limit is raised."""
    n_watches, n_folders = (100, 400) if place.big else (10, 30)
    write_sounds(place.music, n_folders, per_folder=1)
    place.configure(poll=_POLL)
    with limit("max_user_watches", _watches_in_use() + n_watches), place.daemon() as daemon:
        daemon.wait_idle(600)
        assert place.n_found() == n_folders
        # A second look confirms it.
        until(lambda: _watched(daemon) == ["polling"], 30, "the folder to be polled")
        for said in (place.log_text(), place.musrecd("status").replace("\n", " ")):
            assert "sysctl fs.inotify.max_user_watches=524288" in " ".join(said.split()), said
        late = place.music / f"album {n_folders - 1:04d}" / "late.wav"
        write_sound(late, 77_777)
        found_s = until(lambda: late in place.found(), _WITHIN_S, "a new file in a folder without a watch")
        with limit("max_user_watches", 100_000):
            again_s = until(lambda: _watched(daemon) == ["events"], _WITHIN_S, "the folder to be watched again")
            time.sleep(1)
            place.check_alive(place.music / f"album {n_folders - 2:04d}" / "later.wav")
            assert _watched(daemon) == ["events"]
    place.check_sound()
    return f"{n_folders} of {n_folders} found, a new file after {found_s:.1f} s, watched again after {again_s:.1f} s"


@scenario(needs_root=True)
def watch_limit_is_outgrown(place: Place) -> str:
    """Folders that come up while it runs get no watch: noticed, said, all found."""
    n_watches, n_folders = (100, 400) if place.big else (10, 30)
    place.configure(poll=_POLL)
    with limit("max_user_watches", _watches_in_use() + n_watches), place.daemon() as daemon:
        daemon.wait_idle()
        assert _watched(daemon) == ["events"]
        for number in range(n_folders):
            write_sound(place.music / f"{number}" / "a.wav", number)
        until(lambda: _watched(daemon) == ["polling"], 60, "the folder to be polled")
        seconds = until(lambda: place.n_found() == n_folders, 120, "all files")
    assert "max_user_watches=524288" in place.log_text()
    place.check_sound()
    return f"{n_folders} folders with {n_watches} watches, all found {seconds:.1f} s after it was noticed"


@scenario(needs_root=True)
def instance_limit(place: Place) -> str:
    """The system watches nothing at all: the folders are polled, and watched when it can be."""
    write_sounds(place.music, 5)
    place.configure(poll=_POLL)
    with limit("max_user_instances", 0), place.daemon() as daemon:
        daemon.wait_idle()
        assert place.n_found() == 5
        assert _watched(daemon) == ["polling"]
        assert "max_user_instances=1024" in " ".join(place.musrecd("status").split())
        late = place.music / "late.wav"
        write_sound(late, 77_777)
        seconds = until(lambda: late in place.found(), _WITHIN_S, "a new file")
        with limit("max_user_instances", 128):
            again_s = until(lambda: _watched(daemon) == ["events"], _WITHIN_S, "the folder to be watched")
            place.check_alive(place.music / "later.wav")
    place.check_sound()
    return f"a new file after {seconds:.1f} s, watched {again_s:.1f} s after the limit was raised"


@scenario(quick=True)
def folders_vanish(place: Place) -> str:
    """Folders are made and removed all the time while looks are made: that is no want of watches."""
    n_rounds = 200 if place.big else 20
    place.configure(poll=_POLL)
    write_sounds(place.music, 10, per_folder=1)
    with place.daemon() as daemon:
        daemon.wait_idle()
        for number in range(n_rounds):
            for each in range(20):
                (place.music / f"short {each}").mkdir()
            # `retry` looks through everything.
            if number % 5 == 0:
                place.musrecd("retry")
            for each in range(20):
                shutil.rmtree(place.music / f"short {each}")
        daemon.wait_idle()
        assert _watched(daemon) == ["events"]
        place.check_alive(place.music / "later.wav")
    place.check_sound()
    return f"watched throughout {n_rounds} rounds"
