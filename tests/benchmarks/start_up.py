"""How long `beet similar` takes, whole command, beside `beet ls` of one item, with and without the daemon; and what
it costs to keep a library as large.

    python -m tests.benchmarks.start_up [--tracks 20000] [--runs 15] [--folder FOLDER]

All commands run by turns in one go, so that a busy machine is busy for all; medians are compared. A folder that is
named keeps the two libraries for the next time.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click

from musrecd.daemon.calling import call
from musrecd.library.reader import LibraryReader
from tests.benchmarks import upkeep
from tests.benchmarks.filling import VERSION, fill_beets, fill_musrec

# What the system says of a process that has ended counts that from which it was forked.
_RUN = """
import atexit, os, sys
atexit.register(lambda: os.path.exists("/proc/self/status") and sys.stderr.write(open("/proc/self/status").read()))
sys.argv[0] = "beet"
from beets.ui import main
main(sys.argv[1:])
"""
_BEGIN_S = 30.0
_N_WARM = 50
_EVERY_FILTER = (
    "--bpm", "6%", "--key", "compatible", "--label", "Instrument 3", "--not-label", "Instrument 4", "--genre", "any",
    "--year", "1970..2015", "--length", "2:30..6:30", "--max-per-artist", "2", "--max-per-album", "1",
    "--not-same-artist", "--no-duplicates", "--diverse", "0.3", "--explain",
)  # fmt: skip
_COMMANDS = {
    "beet ls id:77": ("ls", "id:77"),
    "beet similar id:77": ("similar", "id:77"),
    "… --preset mix": ("similar", "id:77", "--preset", "mix"),
    "… every filter": ("similar", "id:77", *_EVERY_FILTER),
    "… and --in year:1990..2000": ("similar", "id:77", *_EVERY_FILTER, "--in", "year:1990..2000"),
    "beet ls id:78": ("ls", "id:78"),
}


@click.command()
@click.option("--tracks", "n_tracks", default=20_000, show_default=True)
@click.option("--runs", default=15, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="Keeps the libraries; filled if there are none.")
def main(n_tracks: int, runs: int, folder: Path | None) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = folder or Path(name)
        prepare(folder, n_tracks)
        measure(folder, n_tracks, runs)


def prepare(folder: Path, n_tracks: int) -> None:
    """Make both libraries, if they are not there."""
    if (folder / "config.yaml").exists():
        return
    folder.mkdir(exist_ok=True)
    (folder / "watched").mkdir()
    fill_beets(folder, n_tracks)
    fill_musrec(folder, n_tracks)
    (folder / "config.yaml").write_text(
        f"directory: {folder / 'music'}\nlibrary: {folder / 'beets.db'}\nplugins: musrec\n"
        f"musrec: {{library: {folder / 'musrec.db'}, folders: [{folder / 'watched'}]}}\n"
    )


def measure(folder: Path, n_tracks: int, runs: int) -> None:
    """Run all commands by turns and print medians, without and with the daemon, and what upkeep costs."""
    click.echo(f"{n_tracks:,} tracks, medians of {runs} alternating runs of fresh processes")
    click.echo(upkeep.rebuilt(folder / "musrec.db"))
    # Only names of sockets that are short are allowed.
    with tempfile.TemporaryDirectory(prefix="mr") as runtime:
        os.environ["XDG_RUNTIME_DIR"] = runtime
        _note_items(folder)
        _compare(folder, runs, "")
        with _daemon(folder):
            _compare(folder, runs, ", with the daemon")
            _warm(folder)
    for line in upkeep.costs(folder):
        click.echo(line)


def _note_items(folder: Path) -> None:
    """Leave the library as `beet analyse` does."""
    with (
        LibraryReader.open(folder / "musrec.db") as reader,
        closing(reader.items(folder / "beets.db", os.fsencode(folder / "music"), VERSION)) as items,
    ):
        items.note()


def _compare(folder: Path, runs: int, how: str) -> None:
    seconds: dict[str, list[float]] = {shown: [] for shown in _COMMANDS}
    memory = dict.fromkeys(_COMMANDS, 0)
    for run in range(runs + 1):
        for shown, arguments in _COMMANDS.items():
            taken, used = _beet(folder, *arguments)
            if run:  # the first is warm-up
                seconds[shown].append(taken)
                memory[shown] = max(memory[shown], used)
    base = statistics.median(seconds["beet ls id:77"] + seconds["beet ls id:78"])
    for shown, taken_s in seconds.items():
        median = statistics.median(taken_s)
        click.echo(
            f"{shown + how:46} {median:6.3f} s   {median / base:5.2f} × beet ls   "
            f"(best {min(taken_s):.3f} s, {memory[shown] / 1000:.0f} MB)"
        )


def _beet(folder: Path, *arguments: str) -> tuple[float, int]:
    """Return wall time (s) and most memory (kB; 0 where the system does not say) of beets in a new process."""
    environment = os.environ | {"BEETSDIR": str(folder)}
    # Whoever installs has everything compiled.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    taken = time.perf_counter() - started
    if done.returncode:
        raise click.ClickException(f"beet {' '.join(arguments)}: {done.stderr}")
    most = re.findall(r"VmHWM:\s*(\d+) kB", done.stderr)
    return taken, int(most[-1]) if most else 0


@contextmanager
def _daemon(folder: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "musrecd.cli", "--config", str(folder / "config.yaml"), "run"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + _BEGIN_S
            while call(folder / "musrec.db", {"do": "status"}) is None:
                if time.monotonic() > deadline:
                    raise click.ClickException("the daemon does not begin")
                time.sleep(0.1)
            yield
        finally:
            process.terminate()


def _warm(folder: Path) -> None:
    request = {
        "do": "similar",
        "beets": {"database": str(folder / "beets.db"), "folder": os.fsencode(folder / "music").hex()},
        "items": [[[77], 1.0]],
        "said": {},
        "config": {"number": 10, "min_score": -1.0, "preset": "listen", "weights": {}},
    }
    taken = []
    for _ in range(_N_WARM):
        started = time.perf_counter()
        answer = call(folder / "musrec.db", request)
        taken.append(time.perf_counter() - started)
        if not (answer and answer.get("results")):
            raise click.ClickException(f"the daemon cannot answer: {json.dumps(answer)}")
    click.echo(f"a question to the daemon, over its socket: {1000 * statistics.median(taken):.1f} ms")


if __name__ == "__main__":
    main()
