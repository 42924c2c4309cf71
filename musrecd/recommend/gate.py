"""Who may be a result at all, as far as names decide: asked of the catalogue in growing batches, never of all rows."""

from collections.abc import Iterator
from itertools import compress, islice
from typing import TYPE_CHECKING

import numpy as np

from musrecd.recommend.asking import Catalogue, Choice, Entry, Rules
from musrecd.recommend.duplicates import Song, artist_key
from musrecd.recommend.genres import GenreRule, HeardGenres
from musrecd.recommend.picking import Candidate
from musrecd.recommend.query import Query
from musrecd.recommend.rules import Broken
from musrecd.types import Features, FloatArray

if TYPE_CHECKING:
    import numpy.typing as npt

# A name takes as long to look up as a few hundred vectors.
_FIRST_BATCH = 1.5
# A catalogue may go through all its names each time it is asked.
_FIRST_BATCH_IF_PICKY = 512
_LARGEST_BATCH = 1024
# The same sound in two files: what the encoder makes of a recording hardly depends on the codec.
_SAME_RECORDING = 0.9999


class Gate:
    """Lets pass what the catalogue knows, what is of the years and genres, and what is none of the seeds."""

    def __init__(
        self,
        query: Query,
        vectors: FloatArray,
        features: Features,
        catalogue: Catalogue,
        rules: Rules,
        choice: Choice,
        genre_rule: GenreRule | None,
    ) -> None:
        self._vectors, self._catalogue, self._years = vectors, catalogue, rules.years
        self._genre_rule = genre_rule
        self._heard = HeardGenres(features, genre_rule)
        self._seeds = np.array([seed.embedding for seed in query.seeds], np.float32)
        self._songs = [Song.of(seed, seed.embedding) for seed in query.seeds] if choice.no_duplicates else []
        self._artists = {artist_key(seed.artist) for seed in query.likes} - {""} if choice.not_same_artist else set()
        self._entries: dict[int, Entry | None] = {}
        is_picky = genre_rule is not None or rules.years != (None, None) or choice.diverse > 0
        self._first_batch = (
            _FIRST_BATCH_IF_PICKY if is_picky else min(round(_FIRST_BATCH * choice.number), _LARGEST_BATCH)
        )

    def passing(
        self, ranked: Iterator[tuple[int, float]], broken: "npt.NDArray[np.uint8]", *, genre: bool
    ) -> Iterator[Candidate]:
        """Yield those of ranked rows (row, score) that may be results, in their order.

        `broken` is which rules each row of the matrix breaks, the genre aside, which all of them break or none.
        """
        size = self._first_batch
        while batch := list(islice(ranked, size)):
            self._look_up([row for row, _ in batch])
            rows = np.array([row for row, _ in batch], np.intp)
            fit = self._heard.fit(rows)
            is_seed = (self._vectors[rows] @ self._seeds.T).max(axis=1) >= _SAME_RECORDING
            for (row, score), heard_fit in compress(zip(batch, fit.tolist(), strict=True), ~is_seed):
                entry = self._entries[row]
                if entry is None or self._breaks_genre(entry, heard_fit) != genre:
                    continue
                if self._may_pass(row, entry):
                    yield Candidate(
                        row, score, entry, Broken(int(broken[row])) | (Broken.GENRE if genre else Broken.NONE)
                    )
            size = min(2 * size, _LARGEST_BATCH)

    def _look_up(self, rows: list[int]) -> None:
        if new := [row for row in rows if row not in self._entries]:
            found = self._catalogue.entries(new)
            self._entries.update((row, found.get(row)) for row in new)

    def _breaks_genre(self, entry: Entry, heard_fit: bool) -> bool:
        if self._genre_rule is None:
            return False
        return not (self._genre_rule.holds(entry.genres) if entry.genres else heard_fit)

    def _may_pass(self, row: int, entry: Entry) -> bool:
        if not self._is_of_the_years(entry.year):
            return False
        if self._artists and artist_key(entry.artist) in self._artists:
            return False
        song = Song.of(entry, self._vectors[row]) if self._songs else None
        return song is None or not any(song.is_same(seed) for seed in self._songs)

    def _is_of_the_years(self, year: int | None) -> bool:
        first, last = self._years
        if first is None and last is None:
            return True
        return year is not None and (first is None or year >= first) and (last is None or year <= last)
