"""The way from tracks and a question to an answer: what the library knows of both is put before `recommend`."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from threadpoolctl import threadpool_limits

from musrecd.keys import KEYS
from musrecd.recommend import ranking
from musrecd.recommend.asking import Effort, Entry, Seed
from musrecd.recommend.reasons import explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np

    from musrecd.asking.question import Question
    from musrecd.library.reader import LibraryReader
    from musrecd.recommend.asking import Catalogue, Result
    from musrecd.types import Analysis, EncoderInfo, Features, Tags, Track


class Told(NamedTuple):
    """A result with its tempo in BPM and its key, None where it has none, and what speaks for it, line by line."""

    result: Result
    bpm: float | None
    key: str | None
    reasons: tuple[str, ...]


class Answered(NamedTuple):
    """What was found, in the order asked for, and what a person should know of it, line by line."""

    told: list[Told]
    notes: list[str]


class LibraryCatalogue:
    """The names that the library read from the files; keeps the tracks that it was asked for."""

    def __init__(self, reader: LibraryReader, version: str) -> None:
        self._reader, self._version = reader, version
        self.tracks: dict[int, Track] = {}

    def entries(self, rows: Iterable[int]) -> Mapping[int, Entry]:
        """Describe rows of which a file is there."""
        found = self._reader.tracks_in_rows(list(rows), self._version)
        self.tracks |= {row: tracks[0] for row, tracks in found.items() if tracks}
        return {row: entry_of(tracks[0].tags) for row, tracks in found.items() if tracks}


def entry_of(tags: Tags) -> Entry:
    """Describe a track by its tags."""
    return Entry(tags.artist, tags.title, tags.album, tags.genres, tags.year)


def seeds_of(
    reader: LibraryReader,
    info: EncoderInfo,
    tracks: Sequence[Track],
    *,
    weight: float = 1.0,
    entries: Mapping[bytes, Entry] | None = None,
) -> list[Seed]:
    """Make seeds of tracks of the library, one for each recording. `entries` (by path) name them, else the library.

    Raises LibraryError if an analysis is damaged.
    """
    by_recording = {track.recording_id: track for track in reversed(tracks)}
    ids = list(dict.fromkeys(track.recording_id for track in tracks))
    embeddings = reader.embeddings(ids, info.version)
    probabilities = reader.probabilities(ids, info.version)
    rows = reader.rows_of(ids, info.version)
    features = reader.features(info.version)
    seeds = []
    for recording_id, embedding in zip(ids, embeddings, strict=True):
        track, row = by_recording[recording_id], rows[recording_id]
        entry = (entries or {}).get(track.path) or entry_of(track.tags)
        bpm, key = pulse_and_pitch(features, row)
        seeds.append(
            Seed(
                embedding,
                probabilities[recording_id],
                bpm=bpm,
                key=key,
                artist=entry.artist,
                title=entry.title,
                album=entry.album,
                genres=entry.genres,
                weight=weight,
                row=row,
            )
        )
    return seeds


def pulse_and_pitch(features: Features, row: int) -> tuple[float | None, str | None]:
    """Return tempo in BPM and key of a row, None for what it has not."""
    bpm, key = float(features.bpm[row]), int(features.key[row])
    return (None if math.isnan(bpm) else bpm), (KEYS[key] if key >= 0 else None)


def seed_of(analysis: Analysis, tags: Tags, *, weight: float = 1.0) -> Seed:
    """Make a seed of a file that is not in the library."""
    return Seed(
        analysis.embedding,
        analysis.probabilities,
        bpm=analysis.bpm,
        key=analysis.key,
        artist=tags.artist,
        title=tags.title,
        album=tags.album,
        genres=tags.genres,
        weight=weight,
        chunks=analysis.chunks,
    )


def ask(
    reader: LibraryReader,
    info: EncoderInfo,
    seeds: Sequence[Seed],
    question: Question,
    catalogue: Catalogue,
    pool: np.ndarray | None = None,
    *,
    keeps: bool = False,
) -> Answered:
    """Answer from the library. `pool` are the rows that may be results, all if None; `keeps` is as in `Effort`.

    Raises MusrecError.
    """
    _stay_in_one_thread()
    features, vectors = reader.features(info.version), reader.vectors(info.version)
    suggested = reader.suggested(info.version) if question.choice.fresh else {}
    answer = ranking.answer(
        seeds,
        vectors,
        features,
        catalogue,
        question.rules,
        question.choice,
        pool=pool,
        suggested=suggested,
        effort=Effort(question.in_detail, keeps),
    )
    results = {result.row: result for result in answer.results}
    rows = list(results)
    if question.order == "flow" and rows:
        from musrecd.recommend.sequence import flow

        rows = flow(vectors, features.bpm, features.key, rows, start=rows[0])
    if not question.in_detail:
        plain = [Told(results[row], *pulse_and_pitch(features, row), reasons=()) for row in rows]
        return Answered(plain, list(answer.notes))
    from musrecd.asking.closest import tell_closest

    found = [told(results[row], seeds, features) for row in rows]
    return Answered(tell_closest(reader, info, seeds, found), list(answer.notes))


@cache
def _stay_in_one_thread() -> None:
    """Let this process multiply in one thread from now on.

    Going through vectors is limited by memory; on a busy machine threads that wait for each other take ten times as
    long as one.
    """
    threadpool_limits(1, "blas")


def told(result: Result, seeds: Sequence[Seed], features: Features) -> Told:
    """Say what there is to say of a result."""
    bpm, key = pulse_and_pitch(features, result.row)
    return Told(result, bpm, key, tuple(explain(result, seeds, features)))
