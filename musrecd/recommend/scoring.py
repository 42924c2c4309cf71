"""The score of rows: a weighted mean of sound, labels, tempo and key, less what hubs and old suggestions lose."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from musrecd.recommend.asking import Weights
from musrecd.recommend.hubs import hubs_of
from musrecd.recommend.mixing import key_values, tempo_values
from musrecd.recommend.query import Query
from musrecd.recommend.similarity import cosines
from musrecd.types import Features, FloatArray

if TYPE_CHECKING:
    import numpy.typing as npt

_AWAY = 0.5
"""The share of the closeness to what results should be unlike that is taken from their closeness to the rest. Of two
near tracks of different genres, one liked, results of the other's genre fall from 27 % to 18 %, and those of its own
stay at 69 to 70 %; with .75 they are 64 %."""
_BY_CHANCE = 0.2
"""What tempo and key of a track at random come to. A value counts for as much more or less as it is confident, so
that an unknown one neither speaks for a track nor against it more than chance would."""
_BLOCK = 4096
_STALE = 0.05
"""What the score loses by having been suggested once; three times costs twice as much, seven times three times."""


class Score:
    """Scores rows for one query.

    A part that no seed has is left out, the others weigh the more; without any, the sound decides.
    `cosine` (n_rows,) is that to the likes. How crowded it is around a row takes long to tell: `exact` tells it of the
    rows that it is asked for, `ceiling` (n_rows, once they were compared) does without, and is -inf for those that
    cannot be results.
    """

    def __init__(
        self, query: Query, cosine: FloatArray, vectors: FloatArray, features: Features, asked: Weights
    ) -> None:
        self._query, self._vectors, self._features = query, vectors, features
        self._shares = _shares(query, asked)
        self._hubs = hubs_of(vectors) if self._shares.sound > 0 else None
        self.cosine = cosine
        self.ceiling: FloatArray = np.empty(0, np.float32)

    def compare(self, possible: "npt.NDArray[np.bool_]", suggested: Mapping[int, int]) -> None:
        """Work out the ceiling of possible rows; those that were `suggested`, as often as said, lose by it."""
        # Arrays of a million numbers take about as long to be had as to be filled.
        self.ceiling = np.float32(self._shares.sound) * self._sound()
        if self._shares != Weights(sound=self._shares.sound):
            rows = np.flatnonzero(possible)
            self.ceiling[rows] += self._others(rows)
        np.putmask(self.ceiling, ~possible, np.float32(-np.inf))
        for row, times in suggested.items():
            if 0 <= row < len(self.ceiling):
                self.ceiling[row] -= _STALE * np.log2(1 + max(times, 0))

    def _others(self, rows: "npt.NDArray[np.intp]") -> FloatArray:
        """Return what everything but the sound adds to the score of rows."""
        shares, features, query = self._shares, self._features, self._query
        score = np.zeros(rows.size, np.float32)
        if shares.labels:
            score += np.float32(shares.labels) * self.agreement(rows)
        if shares.tempo:
            values = tempo_values(features.bpm[rows], query.bpms)
            score += np.float32(shares.tempo) * _weighed(values, features.bpm_confidence[rows])
        if shares.key:
            values = key_values(features.key[rows], query.keys)
            score += np.float32(shares.key) * _weighed(values, features.key_confidence[rows])
        return score

    def exact(self, rows: "npt.NDArray[np.intp]") -> FloatArray:
        """Return the scores of rows, none above its ceiling."""
        scores: FloatArray = self.ceiling[rows]
        if self._hubs is not None:
            scores -= np.float32(self._shares.sound) * self._hubs.penalty(rows)
        return scores

    def agreement(self, rows: "npt.NDArray[np.intp]") -> FloatArray:
        """Return how far the labels of rows agree with those of the likes: what both have over what either has."""
        shares = np.zeros(rows.size, np.float32)
        target = self._query.target
        if target is None or not target.any():
            return shares
        # Sums by BLAS, in blocks that stay in the cache, are several times faster than those of numpy.
        ones = np.ones(target.size, np.float32)
        total = np.float32(target.sum(dtype=np.int64))
        for start in range(0, rows.size, _BLOCK):
            labels = self._features.probabilities[rows[start : start + _BLOCK]]
            both = np.minimum(labels, target).astype(np.float32) @ ones
            shares[start : start + _BLOCK] = both / (labels.astype(np.float32) @ ones + total - both)
        return shares

    def _sound(self) -> FloatArray:
        if not len(self._query.unlike):
            return self.cosine
        closest = np.zeros(len(self._vectors), np.float32)
        for unlike in self._query.unlike:
            length = np.float32(np.linalg.norm(unlike))
            np.maximum(closest, length * cosines(self._vectors, unlike / length), out=closest)
        apart: FloatArray = self.cosine - np.float32(_AWAY) * closest
        return apart


def _shares(query: Query, weights: Weights) -> Weights:
    """Return weights that are 1 together, 0 where no seed has that part."""
    asked = Weights(
        max(weights.sound, 0.0),
        max(weights.labels, 0.0) if query.target is not None else 0.0,
        max(weights.tempo, 0.0) if query.bpms else 0.0,
        max(weights.key, 0.0) if query.keys else 0.0,
    )
    total = asked.sound + asked.labels + asked.tempo + asked.key
    if total <= 0:
        return Weights()
    return Weights(asked.sound / total, asked.labels / total, asked.tempo / total, asked.key / total)


def _weighed(values: FloatArray, confidence: FloatArray) -> FloatArray:
    """Draw values towards chance as far as they are not confident; where there is none, chance it is."""
    known = np.where(np.isnan(values), np.float32(_BY_CHANCE), values)
    sure = np.nan_to_num(confidence)
    weighed: FloatArray = np.float32(_BY_CHANCE) + (known - np.float32(_BY_CHANCE)) * sure
    return weighed
