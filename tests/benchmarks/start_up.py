"""How long `beet similar` takes, whole command, beside `beet ls` of one item, over a library of
20,000 tracks; and with every filter that there is.

    python -m tests.benchmarks.start_up [--tracks 20000] [--runs 15] [--folder FOLDER]

All commands run by turns in one go, so that a busy machine is busy for all; medians are compared. A folder that is
named keeps the two libraries for the next time.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import click
import numpy as np

if TYPE_CHECKING:
    from musrecd.types import Tags

_RUN = "import sys; sys.argv[0] = 'beet'; from beets.ui import main; main(sys.argv[1:])"
_DIM = 128
_VERSION = "benchmark"
_GENRES = tuple(f"Genre {i}" for i in range(40))
_INSTRUMENTS = tuple(f"Instrument {i}" for i in range(20))
_EVERY_FILTER = (
    "--bpm", "6%", "--key", "compatible", "--label", "Instrument 3", "--not-label", "Instrument 4", "--genre", "any",
    "--year", "1970..2015", "--length", "2:30..6:30", "--max-per-artist", "2", "--max-per-album", "1",
    "--not-same-artist", "--no-duplicates", "--diverse", "0.3", "--explain",
)  # fmt: skip


def fill_beets(folder: Path, n_tracks: int) -> None:
    """Write a beets library of `n_tracks` items by some hundred artists."""
    from beets.library import Item, Library

    library = Library(str(folder / "beets.db"), str(folder / "music"))
    with library.transaction():
        for i in range(n_tracks):
            tags = _tags(i)
            library.add(
                Item(
                    path=_path(folder, i), artist=tags.artist, title=tags.title, album=tags.album,
                    genres=list(tags.genres), year=tags.year, length=_length_s(i),
                )
            )  # fmt: skip
    library._close()


def fill_musrec(folder: Path, n_tracks: int) -> None:
    """Write a musrec library of as many analyses with random embeddings, labels, tempi and keys."""
    from musrecd.keys import KEYS
    from musrecd.library.store import Library
    from musrecd.types import Analysis, EncoderInfo, FileState, Label

    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((n_tracks, _DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = tuple(Label(name, "genre") for name in _GENRES) + tuple(Label(name, "instrument") for name in _INSTRUMENTS)
    probabilities = rng.random((n_tracks, len(labels))).astype(np.float32)
    bpm, key = rng.uniform(70, 180, n_tracks), rng.integers(0, len(KEYS), n_tracks)
    with Library.open(folder / "musrec.db") as library, patch("os.fdatasync"):
        library.register_encoder(EncoderInfo(_VERSION, _DIM, labels))
        # One transaction for all: the benchmark is about asking.
        with library._transaction():
            for i, vector in enumerate(vectors):
                analysis = Analysis(
                    f"{i:040x}", _VERSION, vector, probabilities[i], _length_s(i),
                    bpm=float(bpm[i]), bpm_confidence=0.9, key=KEYS[key[i]], key_confidence=0.9,
                )  # fmt: skip
                library._files.put(FileState(_path(folder, i), 1, 1), library._analyses.put(analysis), _tags(i))
    # So many rows at once are proven when it is opened again.
    Library.open(folder / "musrec.db").close()


def _path(folder: Path, i: int) -> bytes:
    return os.fsencode(folder / "music" / f"artist{i % 300}" / f"{i}.mp3")


def _tags(i: int) -> "Tags":
    from musrecd.types import Tags

    genres = (_GENRES[i % len(_GENRES)], _GENRES[i * 7 % len(_GENRES)])
    return Tags(f"Artist {i % 300}", f"Title {i}", f"Album {i % 2000}", genres, 1960 + i % 65)


def _length_s(i: int) -> float:
    return 120.0 + i % 300


def seconds(folder: Path, *arguments: str) -> float:
    """Wall time of one beets command, from a fresh process."""
    started = time.perf_counter()
    command = [sys.executable, "-c", _RUN, *arguments]
    subprocess.run(command, env=os.environ | {"BEETSDIR": str(folder)}, check=True, capture_output=True)
    return time.perf_counter() - started


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
    fill_beets(folder, n_tracks)
    fill_musrec(folder, n_tracks)
    (folder / "config.yaml").write_text(
        f"directory: {folder / 'music'}\nlibrary: {folder / 'beets.db'}\nplugins: musrec\n"
        f"musrec: {{library: {folder / 'musrec.db'}}}\n"
    )


def measure(folder: Path, n_tracks: int, runs: int) -> None:
    """Run all commands by turns and print medians."""
    commands = {
        "beet ls id:77": ["ls", "id:77"],
        "beet similar id:77": ["similar", "id:77"],
        "… --preset mix": ["similar", "id:77", "--preset", "mix"],
        "… every filter": ["similar", "id:77", *_EVERY_FILTER],
        "… and --in year:1990..2000": ["similar", "id:77", *_EVERY_FILTER, "--in", "year:1990..2000"],
        "beet ls id:78": ["ls", "id:78"],
    }
    times: dict[str, list[float]] = {shown: [] for shown in commands}
    for run in range(runs + 1):
        for shown, arguments in commands.items():
            taken = seconds(folder, *arguments)
            if run:  # the first is warm-up
                times[shown].append(taken)
    base = statistics.median(times["beet ls id:77"] + times["beet ls id:78"])
    click.echo(f"{n_tracks:,} tracks, medians of {runs} alternating runs of fresh processes")
    for shown, taken in times.items():
        median = statistics.median(taken)
        click.echo(f"{shown:27} {median:6.3f} s   {median / base:5.2f} × beet ls   (best {min(taken):.3f} s)")


if __name__ == "__main__":
    main()
