"""The score of rows: a weighted mean of sound, labels, tempo and key, less what hubs and old suggestions lose."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from musrecd.recommend.asking import Weights
from musrecd.recommend.hubs import Hubs
from musrecd.recommend.mixing import key_values, tempo_values
from musrecd.recommend.query import Query
from musrecd.types import Features, FloatArray

if TYPE_CHECKING:
    import numpy.typing as npt

_AWAY = 0.5
"""The share of the closeness to what results should be unlike that is taken from their closeness to the rest."""
_BY_CHANCE = 0.2
"""What tempo and key of a track at random come to. A value counts for as much more or less as it is confident, so
that an unknown one neither speaks for a track nor against it more than chance would."""
_STALE = 0.05
"""What the score loses by having been suggested once; three times costs twice as much, seven times three times."""


class Score:
    """Scores rows for one query: what is cheap of all of them at once, the rest of those that are asked for.

    A part that no seed has is left out for all rows, the others weigh the more; without any, the sound decides.
    """

    def __init__(
        self,
        query: Query,
        vectors: FloatArray,
        features: Features,
        weights: Weights,
        suggested: Mapping[int, int],
    ) -> None:
        self._query, self._features = query, features
        self.cosine: FloatArray = np.clip(vectors @ query.direction, -1, 1)
        sound, self._w_labels, tempo, key = _shares(query, weights)
        self._w_sound = np.float32(sound)
        self._hubs = Hubs(vectors) if sound > 0 else None
        self.ceiling: FloatArray = self._w_sound * self._sound(vectors) + np.float32(self._w_labels)
        if tempo:
            values = tempo_values(features.bpm, query.bpms)
            self.ceiling += np.float32(tempo) * _weighed(values, features.bpm_confidence)
        if key:
            values = key_values(features.key, query.keys)
            self.ceiling += np.float32(key) * _weighed(values, features.key_confidence)
        for row, times in suggested.items():
            if 0 <= row < len(self.ceiling):
                self.ceiling[row] -= _STALE * np.log2(1 + max(times, 0))

    def exact(self, rows: "npt.NDArray[np.intp]") -> FloatArray:
        """Return the scores of rows, none above its ceiling."""
        scores: FloatArray = self.ceiling[rows]
        if self._w_labels:
            scores -= np.float32(self._w_labels) * (1 - self.agreement(rows))
        if self._hubs is not None:
            scores -= self._w_sound * self._hubs.penalty(rows)
        return scores

    def agreement(self, rows: "npt.NDArray[np.intp]") -> FloatArray:
        """Return how far the labels of rows agree with those of the likes: what both have over what either has."""
        if self._query.target is None:
            return np.zeros(rows.size, np.float32)
        labels = self._features.probabilities[rows].astype(np.int32)
        target = self._query.target.astype(np.int32)
        either = np.maximum(labels, target).sum(axis=1)
        shares: FloatArray = (np.minimum(labels, target).sum(axis=1) / np.maximum(either, 1)).astype(np.float32)
        return shares

    def _sound(self, vectors: FloatArray) -> FloatArray:
        if not len(self._query.unlike):
            return self.cosine
        closest = np.maximum((vectors @ self._query.unlike.T).max(axis=1), 0)
        apart: FloatArray = self.cosine - np.float32(_AWAY) * closest
        return apart


def _shares(query: Query, weights: Weights) -> tuple[float, float, float, float]:
    """Return what sound, labels, tempo and key weigh: together 1, nothing where no seed has that part."""
    asked = (
        max(weights.sound, 0.0),
        max(weights.labels, 0.0) if query.target is not None else 0.0,
        max(weights.tempo, 0.0) if query.bpms else 0.0,
        max(weights.key, 0.0) if query.keys else 0.0,
    )
    total = sum(asked)
    if total <= 0:
        return 1.0, 0.0, 0.0, 0.0
    sound, labels, tempo, key = (weight / total for weight in asked)
    return sound, labels, tempo, key


def _weighed(values: FloatArray, confidence: FloatArray) -> FloatArray:
    """Draw values towards chance as far as they are not confident; where there is none, chance it is."""
    known = np.where(np.isnan(values), np.float32(_BY_CHANCE), values)
    sure = np.nan_to_num(confidence)
    weighed: FloatArray = np.float32(_BY_CHANCE) + (known - np.float32(_BY_CHANCE)) * sure
    return weighed
