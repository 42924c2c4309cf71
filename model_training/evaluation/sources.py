"""What must not be heard: which collection a clip comes from, among clips of one genre.

Collections differ in bandwidth, codec, loudness and length. Genres differ between them too, so only genres that
several hold are looked at, and every collection counts alike within a genre: then the genre alone tells nothing,
and what chance gives is known.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model_training.datasets.base import Clip
from model_training.evaluation.intervals import Interval, interval
from model_training.evaluation.probe import cross_probe, fit_and_predict
from model_training.evaluation.study import Study, groups_of
from model_training.evaluation.tables import Table
from model_training.labels import main_genre
from musrecd.types import FloatArray

_MIN_CLIPS = 3


@dataclass(frozen=True)
class Like:
    """Clips of genres that several sources hold, `weights` (n,) making the sources of a genre count alike."""

    clips: list[Clip]
    genres: np.ndarray
    sources: np.ndarray
    groups: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, clips: Sequence[Clip]) -> "Like":
        """Choose among `clips`."""
        chosen = shared_genres(clips)
        genres = np.array([main_genre(clip) for clip in chosen])
        sources = np.array([clip.source for clip in chosen])
        return cls(chosen, genres, sources, groups_of(chosen), balance(genres, sources))

    @property
    def chance(self) -> float:
        """What who knows the genre and nothing else gets right."""
        shares = [1 / len(set(self.sources[self.genres == genre])) for genre in self.genres]
        return float(np.average(shares, weights=self.weights))

    def recognised(self, found: np.ndarray) -> Interval:
        """Share of the clips whose source was found."""
        return interval((found == self.sources).astype(float), self.groups, self.weights)

    def centred(self, embeddings: FloatArray) -> np.ndarray:
        """Take each genre's mean away, so that a straight cut cannot use what the genres sound like."""
        result = embeddings.astype(np.float64)
        for genre in np.unique(self.genres):
            chosen = self.genres == genre
            result[chosen] -= np.average(result[chosen], axis=0, weights=self.weights[chosen])
        return result


def shared_genres(clips: Sequence[Clip]) -> list[Clip]:
    """Clips of genres that at least two sources hold, each with some clips."""
    counts = Counter((main_genre(clip), clip.source) for clip in clips if main_genre(clip))
    kept = {pair for pair, n in counts.items() if n >= _MIN_CLIPS}
    n_sources = Counter(genre for genre, _ in kept)
    return [c for c in clips if (main_genre(c), c.source) in kept and n_sources[main_genre(c)] > 1]


def balance(genres: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Weights (n,) of mean 1 with which the sources of a genre count alike, and each genre by its clips."""
    weights = np.empty(len(genres))
    for genre in np.unique(genres):
        of_genre = genres == genre
        names, source_of, counts = np.unique(sources[of_genre], return_inverse=True, return_counts=True)
        weights[of_genre] = of_genre.sum() / len(names) / counts[source_of]
    return weights


def measure_sources(study: Study) -> dict[str, Table]:
    """Probes for the source, fitted within the validating clips and on the many more of training artists.

    Lower is better, chance is best. Nothing is measured where no genre is held by several sources.
    """
    tested, fitted = Like.of(study.validating), Like.of(study.training)
    if not tested.clips or not fitted.clips:
        return {}
    within, across = (study.embeddings(like.clips, "Sources") for like in (tested, fitted))
    n = len(tested.clips)
    table: Table = {"chance": {"clips": n, "fitted within": tested.chance, "fitted on training artists": tested.chance}}
    for name in within:
        X, Y = tested.centred(within[name]), fitted.centred(across[name])
        found = cross_probe(X, tested.sources, tested.groups, tested.weights)
        found_across = fit_and_predict(Y, fitted.sources, fitted.groups, X, weights=fitted.weights)
        table[name] = {
            "clips": n,
            "fitted within": tested.recognised(found),
            "fitted on training artists": tested.recognised(found_across),
        }
    return {"sources": table}
