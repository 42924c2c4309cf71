"""Which of the candidates become results: no song twice, not too much of one artist or album, as varied as asked."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np

from musrecd.recommend.asking import Choice, Entry
from musrecd.recommend.duplicates import Song, artist_key, title_key
from musrecd.recommend.rules import Broken
from musrecd.types import FloatArray

_WINDOW = 10
_LEAST_WINDOW = 100


class Candidate(NamedTuple):
    """A row that could be a result, and the rules that it breaks."""

    row: int
    score: float
    entry: Entry
    broken: Broken


class Picker:
    """Picks results one after the other, best first; what was picked is never put back.

    Tracks without artist or album are not counted for one. Variety is chosen among the ten times as many best (100 at
    least) by maximal marginal relevance: the score, less the closeness to the nearest that was picked before.
    """

    def __init__(self, choice: Choice, vectors: FloatArray) -> None:
        self._choice, self._vectors = choice, vectors
        self._artists: Counter[str] = Counter()
        self._albums: Counter[str] = Counter()
        self._songs: dict[str, list[Song]] = {}
        self.picked: list[Candidate] = []

    @property
    def is_full(self) -> bool:
        """Whether there are as many results as were asked for."""
        return len(self.picked) >= self._choice.number

    def fill(self, candidates: Iterator[Candidate]) -> None:
        """Pick from candidates, best first, until there are enough of them."""
        if self._choice.diverse <= 0:
            self._in_order(candidates)
            return
        size = max(_LEAST_WINDOW, _WINDOW * self._choice.number)
        while not self.is_full and (window := list(islice(candidates, size))):
            self._varied(window)

    def _in_order(self, candidates: Iterator[Candidate]) -> None:
        while not self.is_full and (candidate := next(candidates, None)) is not None:
            if self._may_take(candidate):
                self._take(candidate)

    def _varied(self, window: list[Candidate]) -> None:
        vectors = self._vectors[[candidate.row for candidate in window]]
        diverse = min(self._choice.diverse, 1.0)
        worth = (1 - diverse) * np.array([candidate.score for candidate in window])
        closest = np.full(len(window), -1.0)
        for candidate in self.picked:
            closest = np.maximum(closest, vectors @ self._vectors[candidate.row])
        while not self.is_full:
            # Before anything was picked all are equally new, and the score decides, though it may count nothing.
            best = int(np.argmax(worth - diverse * closest)) if self.picked else int(np.isneginf(worth).argmin())
            if np.isneginf(worth[best]):
                return
            worth[best] = -np.inf
            if self._may_take(window[best]):
                self._take(window[best])
                closest = np.maximum(closest, vectors @ vectors[best])

    def _may_take(self, candidate: Candidate) -> bool:
        choice, entry = self._choice, candidate.entry
        if choice.max_per_artist is not None and self._artists[artist_key(entry.artist)] >= choice.max_per_artist:
            return False
        if choice.max_per_album is not None and self._albums[_album(entry)] >= choice.max_per_album:
            return False
        if not choice.no_duplicates:
            return True
        song = Song.of(entry, self._vectors[candidate.row])
        return not any(song.is_same(other) for other in self._songs.get(song.title, ()))

    def _take(self, candidate: Candidate) -> None:
        self.picked.append(candidate)
        if artist := artist_key(candidate.entry.artist):
            self._artists[artist] += 1
        if album := _album(candidate.entry):
            self._albums[album] += 1
        song = Song.of(candidate.entry, self._vectors[candidate.row])
        self._songs.setdefault(song.title, []).append(song)


def _album(entry: Entry) -> str:
    """Return what the editions of an album have in common; whoever plays on it, for many play on a compilation."""
    return title_key(entry.album)
