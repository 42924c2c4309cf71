"""What asking costs at ten million tracks: going through all of them, and an approximate index instead.

    python -m tests.benchmarks.ten_million [--tracks 10000000] [--indexed 1000000] [--folder FOLDER]

Vectors are synthetic: as many styles as there are in a large library, with tracks scattered around them. The index is
that of usearch (`pip install usearch`), a graph of neighbours, over fewer of them, because making it takes long. Needs
5.2 GB of disk for ten million, and as much memory if the file is to stay in it.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
from threadpoolctl import threadpool_limits

from musrecd.recommend.order import falling
from musrecd.recommend.similarity import cosines

_DIM = 128
_N_STYLES = 2000
_SCATTER = 0.6
_AT_ONCE = 100_000
_N_ASKED = 20
_NEIGHBOURS = 20


@click.command()
@click.option("--tracks", "n_tracks", default=10_000_000, show_default=True)
@click.option("--indexed", "n_indexed", default=1_000_000, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="For the vectors, which are removed.")
def main(n_tracks: int, n_indexed: int, folder: Path | None) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        measure(Path(name), n_tracks, n_indexed)


def measure(folder: Path, n_tracks: int, n_indexed: int) -> None:
    """Write the vectors into a folder, and print what asking costs."""
    path = folder / "vectors"
    _write(path, n_tracks)
    with threadpool_limits(1, "blas"):
        vectors = np.memmap(path, np.float32, "r").reshape(n_tracks, _DIM)
        for n in sorted({n_indexed, n_tracks}):
            _exact(vectors[:n])
        try:
            _approximate(np.array(vectors[:n_indexed]))
        except ImportError:
            click.echo("usearch is not installed: no index is made")


def _write(path: Path, n_tracks: int) -> None:
    rng = np.random.default_rng(0)
    styles = _unit(rng.standard_normal((_N_STYLES, _DIM)).astype(np.float32))
    with path.open("wb") as file:
        for start in range(0, n_tracks, _AT_ONCE):
            n = min(_AT_ONCE, n_tracks - start)
            scatter = rng.standard_normal((n, _DIM)).astype(np.float32) * float(_SCATTER / np.sqrt(_DIM))
            _unit(styles[rng.integers(0, _N_STYLES, n)] + scatter).tofile(file)


def _unit(vectors: np.ndarray) -> np.ndarray:
    found: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return found


def _exact(vectors: np.ndarray) -> None:
    rows = np.linspace(0, len(vectors) - 1, _N_ASKED).astype(int).tolist()

    def best(row: int) -> np.ndarray:
        found: np.ndarray = next(falling(cosines(vectors, np.array(vectors[row]))))[:_NEIGHBOURS]
        return found

    click.echo(f"{len(vectors):>12,} tracks, all looked at: {_median_ms(best, rows):8.1f} ms a question")


def _approximate(vectors: np.ndarray) -> None:
    from usearch.index import Index

    index = Index(ndim=_DIM, metric="ip", dtype="i8")
    started = time.process_time()
    index.add(np.arange(len(vectors)), vectors)
    made_s = time.process_time() - started
    click.echo(f"{len(vectors):>12,} tracks in an index: made in {made_s:.0f} s of processor time, ", nl=False)
    click.echo(f"{index.memory_usage / 1e6:.0f} MB in memory beside the vectors")
    rows = np.linspace(0, len(vectors) - 1, _N_ASKED).astype(int).tolist()
    truth = {row: set(next(falling(vectors @ vectors[row]))[:_NEIGHBOURS].tolist()) for row in rows}
    for effort in (64, 256, 1024):
        index.expansion_search = effort
        found = {row: set(index.search(vectors[row], _NEIGHBOURS).keys.tolist()) for row in rows}
        recall = np.mean([len(truth[row] & found[row]) / _NEIGHBOURS for row in rows])
        taken = _median_ms(lambda row: index.search(vectors[row], _NEIGHBOURS), rows)
        click.echo(f"{'':12} effort {effort:5}: {taken:8.2f} ms a question, recall@{_NEIGHBOURS} {recall:.3f}")


def _median_ms(ask: Callable[[int], object], rows: list[int]) -> float:
    ask(rows[0])
    taken = []
    for row in rows:
        started = time.perf_counter()
        ask(row)
        taken.append(time.perf_counter() - started)
    return 1000 * float(np.median(taken))


if __name__ == "__main__":
    main()
