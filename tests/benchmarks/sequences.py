"""How smooth paths and sets are, on a library of one's own: python -m tests.benchmarks.sequences LIBRARY.db."""

import sqlite3
import sys
import time
from pathlib import Path

import numpy as np

from musrecd.keys import KEYS, are_compatible
from musrecd.library.reader import LibraryReader
from musrecd.recommend import sequence
from musrecd.recommend.sequence import flow, path

N_PAIRS, N_STEPS = 200, (5, 10, 20)
N_SETS, SET_SIZES = 20, (20, 50, 500)


def read(library: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read vectors, tempos and keys of all rows."""
    with LibraryReader.open(library) as reader:
        info = reader.encoder()
        assert info is not None
        vectors = np.array(reader.vectors(info.version))
    bpm, key = np.full(len(vectors), np.nan, np.float32), np.full(len(vectors), -1, np.int8)
    sql = 'SELECT a."row", a.bpm, a."key" FROM analyses a JOIN encoders e ON e.id = a.encoder_id WHERE e.version = ?'
    with sqlite3.connect(f"{library.absolute().as_uri()}?mode=ro", uri=True) as connection:
        for row, tempo, name in connection.execute(sql, [info.version]):
            bpm[row] = np.nan if tempo is None else tempo
            key[row] = -1 if name is None else KEYS.index(name)
    return vectors, bpm, key


def straight(vectors: np.ndarray, start: int, end: int, n_steps: int) -> list[int]:
    """Take the nearest unused row of each point on the great circle."""
    rows = [start]
    for point in sequence._great_circle(vectors[start], vectors[end], n_steps - 1):
        rows.append(next(int(row) for row in np.argsort(-(vectors @ point)) if row not in (*rows, end)))
    return [*rows, end]


def jumps(vectors: np.ndarray, rows: list[int]) -> np.ndarray:
    """Angles of all steps in degrees."""
    return np.degrees(np.arccos(np.clip((vectors[rows[:-1]] * vectors[rows[1:]]).sum(1), -1, 1)))


def off_the_way(vectors: np.ndarray, rows: list[int]) -> float:
    """Mean angle, in degrees, between what is in between and the points on the great circle."""
    points = sequence._great_circle(vectors[rows[0]], vectors[rows[-1]], len(rows) - 2)
    return float(np.degrees(np.arccos(np.clip((vectors[rows[1:-1]] * points).sum(1), -1, 1))).mean())


def measure_paths(vectors: np.ndarray, rng: np.random.Generator) -> None:
    """Compare with the nearest to straight interpolation, between tracks drawn at random."""
    pairs = [tuple(map(int, rng.choice(len(vectors), 2, replace=False))) for _ in range(N_PAIRS)]
    print("steps  what        largest jump  mean jump  off the way   ms")
    for n_steps in N_STEPS:
        for name, find in (("straight", straight), ("path", path)):
            began = time.process_time()
            found = [find(vectors, *pair, n_steps) for pair in pairs]
            ms = 1000 * (time.process_time() - began) / N_PAIRS
            each = [
                (jumps(vectors, rows).max(), jumps(vectors, rows).mean(), off_the_way(vectors, rows)) for rows in found
            ]
            print(
                f"{n_steps:5}  {name:10}  {{:11.1f}}°  {{:8.1f}}°  {{:10.1f}}°  {ms:3.1f}".format(
                    *np.mean(each, axis=0)
                )
            )


def measure_sets(vectors: np.ndarray, bpm: np.ndarray, key: np.ndarray, rng: np.random.Generator) -> None:
    """Compare with the order by closeness to the first track."""
    print("\ntracks  order       within 6 %  keys mix  mean jump     s")
    for size in SET_SIZES:
        found: dict[str, list[tuple[float, ...]]] = {"score": [], "flow": []}
        for _ in range(N_SETS if size < SET_SIZES[-1] else 2):
            start = int(rng.integers(len(vectors)))
            rows = [int(row) for row in np.argsort(-(vectors @ vectors[start]))[:size]]
            began = time.process_time()
            ordered = flow(vectors, bpm, key, rows, start=rows[0])
            seconds = time.process_time() - began
            for name, order, took in (("score", rows, 0.0), ("flow", ordered, seconds)):
                found[name].append((*mixes(bpm, key, order), float(jumps(vectors, order).mean()), took))
        for name, each in found.items():
            tempo, keys, jump, took = np.mean(each, axis=0)
            print(f"{size:6}  {name:10}  {tempo:10.0%}  {keys:8.0%}  {jump:8.1f}°  {took:.3f}")


def mixes(bpm: np.ndarray, key: np.ndarray, rows: list[int]) -> tuple[float, float]:
    """Shares of steps whose tempos are within 6 % (half and double, too), and whose keys mix."""
    octaves = np.abs(np.diff(np.log2(bpm[rows])))
    near = np.minimum(octaves, np.abs(octaves - 1)) <= np.log2(1.06)
    keys = [
        a >= 0 and b >= 0 and are_compatible(KEYS[a], KEYS[b])
        for a, b in zip(key[rows[:-1]], key[rows[1:]], strict=True)
    ]
    return float(near.mean()), float(np.mean(keys))


if __name__ == "__main__":
    vectors, bpm, key = read(Path(sys.argv[1]))
    measure_paths(vectors, np.random.default_rng(1))
    measure_sets(vectors, bpm, key, np.random.default_rng(2))
