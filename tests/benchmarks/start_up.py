"""How long `beet similar` takes, whole command, beside `beet ls` of one item, over a library of 20,000 tracks.

    python -m tests.benchmarks.start_up [--tracks 20000] [--runs 15]

Both commands run by turns in one go, so that a busy machine is busy for both; medians are compared.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

import click
import numpy as np

_RUN = "import sys; sys.argv[0] = 'beet'; from beets.ui import main; main(sys.argv[1:])"
_DIM = 128
_VERSION = "benchmark"


def fill_beets(folder: Path, n_tracks: int) -> None:
    """Write a beets library of `n_tracks` items by some hundred artists."""
    from beets.library import Item, Library

    library = Library(str(folder / "beets.db"), str(folder / "music"))
    with library.transaction():
        for i in range(n_tracks):
            path = os.fsencode(folder / "music" / f"artist{i % 300}" / f"{i}.mp3")
            library.add(Item(path=path, artist=f"Artist {i % 300}", title=f"Title {i}", album=f"Album {i % 2000}"))
    library._close()


def fill_musrec(folder: Path, n_tracks: int) -> None:
    """Write a musrec library of as many analyses with random embeddings."""
    from musrecd.library.store import Library
    from musrecd.types import Analysis, EncoderInfo, FileState, Label, Tags

    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((n_tracks, _DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = tuple(Label(f"Genre {i}", "genre") for i in range(60))
    probabilities = rng.random(len(labels)).astype(np.float32)
    with Library.open(folder / "musrec.db") as library, patch("os.fdatasync"):
        library.register_encoder(EncoderInfo(_VERSION, _DIM, labels))
        # One transaction for all: the benchmark is about asking.
        with library._transaction():
            for i, vector in enumerate(vectors):
                path = os.fsencode(folder / "music" / f"artist{i % 300}" / f"{i}.mp3")
                analysis = Analysis(f"{i:040x}", _VERSION, vector, probabilities, 200.0)
                library._files.put(FileState(path, 1, 1), library._analyses.put(analysis), Tags())
    # So many rows at once are proven when it is opened again.
    Library.open(folder / "musrec.db").close()


def seconds(folder: Path, *arguments: str) -> float:
    """Wall time of one beets command, from a fresh process."""
    started = time.perf_counter()
    command = [sys.executable, "-c", _RUN, *arguments]
    subprocess.run(command, env=os.environ | {"BEETSDIR": str(folder)}, check=True, capture_output=True)
    return time.perf_counter() - started


@click.command()
@click.option("--tracks", "n_tracks", default=20_000, show_default=True)
@click.option("--runs", default=15, show_default=True)
def main(n_tracks: int, runs: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.yaml").write_text(
            f"directory: {folder / 'music'}\nlibrary: {folder / 'beets.db'}\nplugins: musrec\n"
            f"musrec: {{library: {folder / 'musrec.db'}}}\n"
        )
        fill_beets(folder, n_tracks)
        fill_musrec(folder, n_tracks)
        commands = {
            "beet ls id:77": ["ls", "id:77"],
            "beet similar id:77": ["similar", "id:77"],
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
        click.echo(f"{shown:20} {median:6.3f} s   {median / base:5.2f} × beet ls   (best {min(taken):.3f} s)")


if __name__ == "__main__":
    main()
