"""The way from one track to another: in even steps, each told by how it follows on the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from musrecd.asking.ask import Answered, Told, pulse_and_pitch
from musrecd.asking.closest import tell_closest
from musrecd.errors import MusrecError
from musrecd.recommend import ranking
from musrecd.recommend.asking import Choice, Entry, Parts, Result, Rules, Seed
from musrecd.recommend.query import query_of
from musrecd.recommend.reasons import explain
from musrecd.recommend.rules import judge
from musrecd.recommend.sequence import path
from musrecd.types import Features

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from musrecd.asking.question import Question
    from musrecd.library.reader import LibraryReader
    from musrecd.recommend.asking import Catalogue
    from musrecd.types import EncoderInfo, FloatArray

# Rows that nobody can name are found out when they are on the way; so often another way is looked for.
_MOST_TRIES = 20


def way(
    reader: LibraryReader,
    info: EncoderInfo,
    ends: tuple[Sequence[Seed], Sequence[Seed]],
    question: Question,
    catalogue: Catalogue,
    pool: np.ndarray | None = None,
) -> Answered:
    """Go from the first to the last in as many steps as tracks were asked for; both ends are part of the answer.

    Rows in between are in `pool`, if there is one, and satisfy the rules for one of the ends. Raises MusrecError.
    """
    features, vectors = reader.features(info.version), reader.vectors(info.version)
    start, end = (_row_of(seeds) for seeds in ends)
    if start == end:
        raise MusrecError("--to: the way begins and ends with the same recording; name two different tracks")
    may_be = _may_be(ends, vectors, features, question, pool)
    rows, entries = _passable(vectors, (start, end), question.choice.number, may_be, catalogue)
    seeds = [_seed(vectors, features, row, entries[row]) for row in rows]
    following = zip(seeds, rows[1:], strict=False)
    steps = [_first(rows[0], features, entries[rows[0]])]
    for seed, row in following:
        step = _step(seed, row, vectors, features, entries[row])
        if question.in_detail:
            [step] = tell_closest(reader, info, [seed], [step], whom="the track before")
        steps.append(step)
    return Answered(steps, list(_notes(ends, len(rows) - 1, question.choice.number)))


def _row_of(seeds: Sequence[Seed]) -> int:
    rows = [seed.row for seed in seeds if seed.row is not None]
    if not rows:
        raise MusrecError("--to: the way begins and ends with tracks of the library; keep the file with --store first")
    return rows[0]


def _may_be(
    ends: tuple[Sequence[Seed], Sequence[Seed]],
    vectors: FloatArray,
    features: Features,
    question: Question,
    pool: np.ndarray | None,
) -> np.ndarray:
    """Return a mask of the rows that satisfy the rules, in tempo and key for one of the ends."""
    if question.rules.genres or question.rules.years != (None, None):
        raise MusrecError("--to: does not take --genre and --year, nor --preset mix; name a pool with --in instead")
    start, end = ends
    query = query_of([start[0], end[0]], features.labels)
    verdict = judge(question.rules, query, features, has_genre=False)
    may_be: np.ndarray = verdict.possible & (verdict.broken == 0)
    if pool is not None:
        inside = np.zeros(len(vectors), bool)
        inside[pool] = True
        may_be &= inside
    return may_be


def _passable(
    vectors: FloatArray, ends: tuple[int, int], n_steps: int, may_be: np.ndarray, catalogue: Catalogue
) -> tuple[list[int], Mapping[int, Entry]]:
    """Return rows that can all be named, and their names."""
    for _ in range(_MOST_TRIES):
        rows = path(vectors, *ends, n_steps, may_be)
        entries = catalogue.entries(rows)
        if unknown := [row for row in rows[1:-1] if row not in entries]:
            may_be[unknown] = False
            continue
        if ends[0] in entries and ends[1] in entries:
            return rows, entries
        break
    raise MusrecError("--to: no way leads there by tracks whose files are there; run `beet update`")


def _seed(vectors: FloatArray, features: Features, row: int, entry: Entry) -> Seed:
    bpm, key = pulse_and_pitch(features, row)
    return Seed(
        np.asarray(vectors[row]),
        features.probabilities[row] / np.float32(255),
        bpm=bpm,
        key=key,
        artist=entry.artist,
        title=entry.title,
        album=entry.album,
        genres=entry.genres,
        row=row,
    )


class _One(NamedTuple):
    """A matrix of one row, and its name."""

    vectors: FloatArray
    features: Features
    entry: Entry

    def entries(self, rows: Iterable[int]) -> Mapping[int, Entry]:
        """Describe the row."""
        return dict.fromkeys(rows, self.entry)


def _first(row: int, features: Features, entry: Entry) -> Told:
    parts = Parts(sound=1.0, labels=1.0, tempo=None, key=None)
    return Told(Result(row, 1.0, entry, parts), *pulse_and_pitch(features, row), reasons=())


def _step(before: Seed, row: int, vectors: FloatArray, features: Features, entry: Entry) -> Told:
    """Tell how a row follows on the one before, by asking about that among this row alone."""
    one = _One(vectors[row : row + 1], _row(features, row), entry)
    seed = before._replace(row=None)
    (result,) = ranking.answer([seed], one.vectors, one.features, one, Rules(), Choice(number=1)).results
    bpm, key = pulse_and_pitch(features, row)
    found = result._replace(row=row, score=result.parts.sound)
    return Told(found, bpm, key, tuple(explain(found, [seed], features)))


def _row(features: Features, row: int) -> Features:
    arrays = {name: values[row : row + 1] for name, values in features._asdict().items() if name != "labels"}
    return Features(**arrays, labels=features.labels)


def _notes(ends: tuple[Sequence[Seed], Sequence[Seed]], n_steps: int, n_wanted: int) -> Iterator[str]:
    for name, seeds in zip(("begins", "ends"), ends, strict=True):
        if len(seeds) > 1:
            yield f"{len(seeds)} tracks match; the way {name} with the first"
    if n_steps < n_wanted:
        yield f"only {n_steps} of {n_wanted} steps: too few tracks are left between the two"
