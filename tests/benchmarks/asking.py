"""How good answers are on a real library, and how fast on a large one.

    python -m tests.benchmarks.asking quality LIBRARY --genres clips.csv
    python -m tests.benchmarks.asking speed [--rows 100000] [--runs 15]

`clips.csv` has columns path, artist and genres (separated by semicolons), its paths being the ends of those in the
library. Precision counts results by other artists that share a genre with the seed.
"""

import csv
import os
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import click
import numpy as np

from musrecd.keys import KEYS, are_compatible
from musrecd.labels import in_255ths
from musrecd.library.reader import LibraryReader
from musrecd.recommend.asking import Answer, Choice, Entry, Rules, Seed, Weights
from musrecd.recommend.hubs import Hubs
from musrecd.recommend.presets import PRESETS
from musrecd.recommend.ranking import answer
from musrecd.spelling import spelling_key
from musrecd.types import Features, Label

_LABELS = tuple(
    Label(f"{group} {i}", group) for group, n in (("genre", 34), ("instrument", 17), ("mood", 8)) for i in range(n)
) + tuple(Label(name, "voice") for name in ("Choir", "Female Vocals", "Instrumental", "Male Vocals", "Vocals"))


@dataclass(frozen=True)
class Collection:
    """A library as the ranking sees it; `genres` are the true ones, kept from it unless entries name them."""

    vectors: np.ndarray
    features: Features
    listed: list[Entry]
    genres: list[frozenset[str]]

    def entries(self, rows: Iterable[int]) -> Mapping[int, Entry]:
        return {row: self.listed[row] for row in rows}

    def seed(self, row: int) -> Seed:
        features, entry = self.features, self.listed[row]
        return Seed(
            embedding=self.vectors[row],
            probabilities=features.probabilities[row] / np.float32(255),
            bpm=None if np.isnan(features.bpm[row]) else float(features.bpm[row]),
            key=None if features.key[row] < 0 else KEYS[features.key[row]],
            artist=entry.artist,
            title=entry.title,
            genres=entry.genres,
            row=row,
        )

    def ask(self, row: int, rules: Rules, choice: Choice) -> Answer:
        return answer([self.seed(row)], self.vectors, self.features, self, rules, choice)


def real_collection(library: Path, listing: Path) -> Collection:
    """Read a library and the true genres of its files."""
    with listing.open(encoding="utf-8") as file:
        told = {tuple(Path(line["path"]).parts[-2:]): line for line in csv.DictReader(file)}
    with LibraryReader.open(library) as reader:
        info = reader.encoder()
        assert info is not None
        vectors = np.array(reader.vectors(info.version))
        columns = 'a."row", a.recording_id, r.duration_s, a.bpm, a.bpm_confidence, a."key", a.key_confidence, f.path'
        rows = reader._rows(
            f"SELECT {columns} FROM analyses a JOIN recordings r ON r.id = a.recording_id "
            'JOIN files f ON f.recording_id = a.recording_id GROUP BY a."row" ORDER BY a."row"',
            [],
        )
        heard = reader.probabilities([row[1] for row in rows], info.version)
    assert [row[0] for row in rows] == list(range(len(vectors)))
    lines = [told.get(tuple(Path(os.fsdecode(row[7])).parts[-2:]), {}) for row in rows]
    features = Features(
        duration_s=np.array([row[2] for row in rows], np.float32),
        bpm=np.array([row[3] or np.nan for row in rows], np.float32),
        bpm_confidence=np.array([row[4] or 0 for row in rows], np.float32),
        key=np.array([KEYS.index(row[5]) if row[5] else -1 for row in rows], np.int8),
        key_confidence=np.array([row[6] or 0 for row in rows], np.float32),
        probabilities=in_255ths(np.array([heard[row[1]] for row in rows])),
        labels=info.labels,
    )
    genres = [frozenset(filter(None, map(str.strip, line.get("genres", "").split(";")))) for line in lines]
    listed = [Entry(line.get("artist", ""), line.get("title", "")) for line in lines]
    return Collection(vectors, features, listed, genres)


def made_collection(n_rows: int) -> Collection:
    """Make a library of many clusters of different density, with features spread like real ones."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((200, 128)).astype(np.float32)
    spread = rng.uniform(0.4, 1.2, n_rows).astype(np.float32)[:, None]
    vectors = centres[rng.integers(0, 200, n_rows)] + spread * rng.standard_normal((n_rows, 128)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    features = Features(
        duration_s=rng.uniform(60, 500, n_rows).astype(np.float32),
        bpm=rng.uniform(60, 190, n_rows).astype(np.float32),
        bpm_confidence=rng.random(n_rows, np.float32),
        key=rng.integers(-1, 24, n_rows, np.int8),
        key_confidence=rng.random(n_rows, np.float32),
        probabilities=in_255ths(rng.beta(0.2, 1.5, (n_rows, len(_LABELS))).astype(np.float32)),
        labels=_LABELS,
    )
    listed = [
        Entry(f"Artist {i % 5000}", f"Title {i}", f"Album {i % 20000}", year=1960 + i % 60) for i in range(n_rows)
    ]
    return Collection(vectors, features, listed, [frozenset()] * n_rows)


def hub_share(collection: Collection, choice: Choice) -> float:
    """Return in how large a part of all lists the most frequent result is."""
    counts = np.zeros(len(collection.vectors))
    for row in range(len(collection.vectors)):
        counts[[result.row for result in collection.ask(row, Rules(), choice).results]] += 1
    return float(counts.max() / len(counts))


def precision(collection: Collection, rules: Rules, choice: Choice) -> tuple[float, float]:
    """Return which part of the results shares a genre with the seed, and of how many seeds a list is full."""
    pool = np.flatnonzero([bool(genres) for genres in collection.genres])
    found, n_full = [], 0
    for row in map(int, pool):
        given = answer(
            [collection.seed(row)],
            collection.vectors,
            collection.features,
            collection,
            rules,
            choice._replace(not_same_artist=True),
            pool=pool,
        )
        n_full += len(given.results) == choice.number
        found += [bool(collection.genres[row] & collection.genres[each.row]) for each in given.results]
    return float(np.mean(found)), n_full / len(pool)


def precision_of_fitting(collection: Collection) -> tuple[float, float]:
    """Return the precision of what mixes by all rules, and that of as many results without rules for the same seeds."""
    weights, rules = PRESETS["mix"]
    pool = np.flatnonzero([bool(genres) for genres in collection.genres])
    fitting, free = [], []
    for row in map(int, pool):
        known = ([collection.seed(row)], collection.vectors, collection.features, collection)
        choice = Choice(weights=weights, strict=True, not_same_artist=True)
        results = answer(*known, rules, choice, pool=pool).results
        others = answer(*known, Rules(), choice._replace(weights=Weights(), number=len(results)), pool=pool).results
        fitting += [bool(collection.genres[row] & collection.genres[each.row]) for each in results]
        free += [bool(collection.genres[row] & collection.genres[each.row]) for each in others]
    return float(np.mean(fitting)), float(np.mean(free))


def mixable(collection: Collection, row: int) -> np.ndarray:
    """Say which rows mix with one, worked out one by one and without the ranking."""
    seed, features = collection.seed(row), collection.features
    fit = np.zeros(len(collection.vectors), bool)
    for other in range(len(fit)):
        bpm, key = features.bpm[other], features.key[other]
        if other == row or seed.bpm is None or seed.key is None or np.isnan(bpm) or key < 0:
            continue
        in_time = any(abs(bpm / (factor * seed.bpm) - 1) <= 0.06 for factor in (0.5, 1, 2))
        shared = {spelling_key(genre) for genre in _words(collection, row)} & {
            spelling_key(genre) for genre in _words(collection, other)
        }
        fit[other] = in_time and bool(shared) and are_compatible(seed.key, KEYS[key])
    return fit


def _words(collection: Collection, row: int) -> Iterable[str]:
    if genres := collection.listed[row].genres:
        return genres
    labels, heard = collection.features.labels, collection.features.probabilities[row]
    return [label.name for label, p in zip(labels, heard, strict=True) if label.group == "genre" and p >= 127.5]


def mixing(collection: Collection) -> tuple[int, float]:
    """Return for how many seeds ten tracks mix, and which part of the ten results for those do."""
    weights, rules = PRESETS["mix"]
    good: list[bool] = []
    n_seeds = 0
    for row in range(len(collection.vectors)):
        fit = mixable(collection, row)
        if fit.sum() >= 10:
            n_seeds += 1
            good += [bool(fit[each.row]) for each in collection.ask(row, rules, Choice(weights=weights)).results]
    return n_seeds, float(np.mean(good))


def undamped(measure: Callable[[], object]) -> object:
    """Measure as if there were no hubs."""
    with patch.object(Hubs, "penalty", lambda _, rows: np.zeros(len(rows), np.float32)):
        return measure()


@click.group()
def main() -> None:
    """Measure answers."""


@main.command()
@click.argument("library", type=click.Path(path_type=Path, exists=True))
@click.option("--genres", type=click.Path(path_type=Path, exists=True), required=True)
def quality(library: Path, genres: Path) -> None:
    """Measure hubs, precision and what mixes, on a library of a few hundred tracks."""
    heard = real_collection(library, genres)
    named = replace(
        heard,
        listed=[e._replace(genres=tuple(sorted(g))) for e, g in zip(heard.listed, heard.genres, strict=True)],
    )
    ten = Choice()
    print(f"worst hub, raw      {undamped(lambda: hub_share(heard, ten)):.2%}")
    print(f"worst hub, damped   {hub_share(heard, ten):.2%}")
    print("precision, raw      {:.4f} ({:.0%} of lists full)".format(*undamped(lambda: precision(heard, Rules(), ten))))
    for name, (weights, rules) in PRESETS.items():
        for strict in (False, True)[: 1 + (rules != Rules())]:
            choice = ten._replace(weights=weights, strict=strict)
            told = f"{name}{', strict' if strict else ''}"
            print("precision, {:18s} {:.4f} ({:.0%} of lists full)".format(told, *precision(heard, rules, choice)))
    print("precision, mix where all fits {:.4f}, as many by sound alone {:.4f}".format(*precision_of_fitting(heard)))
    for part in ("labels", "tempo", "key"):
        choice = ten._replace(weights=Weights(sound=0, **{part: 1}))
        print("precision, {} alone {:.4f} ({:.0%} of lists full)".format(part, *precision(heard, Rules(), choice)))
    for words, collection in (("heard", heard), ("true", named)):
        print("mixes with ten or more by {} genres: {} seeds, {:.2%} of results do".format(words, *mixing(collection)))


@main.command()
@click.option("--rows", default=100_000)
@click.option("--runs", default=15)
def speed(rows: int, runs: int) -> None:
    """Time queries on a made library: medians of processor time, of one thread if BLAS is told so."""
    collection = made_collection(rows)
    labelled = Rules(
        tempo=0.06, key="energy", labels=(("female",), ("instrument 3",)), not_labels=("choir",), genres="any",
        years=(1970, 2010), length_s=(90, 480),
    )  # fmt: skip
    every = Choice(
        weights=Weights(0.4, 0.2, 0.2, 0.2), max_per_artist=2, max_per_album=1, not_same_artist=True,
        no_duplicates=True, diverse=0.3, fresh=True,
    )  # fmt: skip
    questions = {
        "sound": (Rules(), Choice()),
        **{name: (rules, Choice(weights=weights)) for name, (weights, rules) in PRESETS.items()},
        "all rules": (labelled, every),
        "all rules, strict": (labelled, every._replace(strict=True)),
    }
    starts = np.random.default_rng(1).integers(0, rows, runs).tolist()
    for name, (rules, choice) in questions.items():
        print(f"{name:20s} {1000 * statistics.median(_took(collection, row, rules, choice) for row in starts):8.1f} ms")
    took = statistics.median(_hubs_took(collection) for _ in range(runs))
    print(f"{'damping 256 rows':20s} {1000 * took:8.1f} ms")


def _took(collection: Collection, row: int, rules: Rules, choice: Choice) -> float:
    start = time.process_time()
    collection.ask(row, rules, choice)
    return time.process_time() - start


def _hubs_took(collection: Collection) -> float:
    start = time.process_time()
    Hubs(collection.vectors).penalty(np.arange(256))
    return time.process_time() - start


if __name__ == "__main__":
    main()
