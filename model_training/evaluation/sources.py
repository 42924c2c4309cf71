"""What must not be heard: which collection a clip comes from, among clips of one genre.

Collections differ in bandwidth, codec, loudness and length. Genres differ between them too, so only genres that
several hold are looked at, and every collection counts alike within a genre: then the genre alone tells nothing,
and what chance gives is known.
"""

from collections import Counter

import numpy as np

from model_training.datasets.base import Clip
from model_training.evaluation.intervals import interval
from model_training.evaluation.probe import cross_probe
from model_training.evaluation.study import Study, groups_of
from model_training.evaluation.tables import Table
from model_training.labels import main_genre
from musrecd.types import FloatArray

_MIN_CLIPS = 3


def shared_genres(clips: list[Clip]) -> list[Clip]:
    """Clips of genres that at least two sources hold, each with some clips."""
    counts = Counter((main_genre(clip), clip.source) for clip in clips if main_genre(clip))
    kept = {pair for pair, n in counts.items() if n >= _MIN_CLIPS}
    n_sources = Counter(genre for genre, _ in kept)
    return [c for c in clips if (main_genre(c), c.source) in kept and n_sources[main_genre(c)] > 1]


def measure_sources(study: Study) -> dict[str, Table]:
    """Accuracy of a probe for the source; lower is better, chance is best."""
    clips = shared_genres(study.validating)
    genres = np.array([main_genre(clip) for clip in clips])
    sources, groups = np.array([clip.source for clip in clips]), groups_of(clips)
    weights = balance(genres, sources)
    chance = float(np.average([1 / len(set(sources[genres == genre])) for genre in genres], weights=weights))
    table: Table = {"chance": {"clips": len(clips), "source recognised": chance}}
    for name, X in study.embeddings(clips, "Sources").items():
        found = cross_probe(centred(X, genres, weights), sources, groups, weights)
        right = (found == sources).astype(float)
        table[name] = {"clips": len(clips), "source recognised": interval(right, groups, weights)}
    return {"sources": table}


def balance(genres: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Weights (n,) of mean 1 with which the sources of a genre count alike, and each genre by its clips."""
    weights = np.empty(len(genres))
    for genre in np.unique(genres):
        of_genre = genres == genre
        names, source_of, counts = np.unique(sources[of_genre], return_inverse=True, return_counts=True)
        weights[of_genre] = of_genre.sum() / len(names) / counts[source_of]
    return weights


def centred(embeddings: FloatArray, genres: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Take each genre's mean away, so that a straight cut cannot use what the genres sound like."""
    result = embeddings.astype(np.float64)
    for genre in np.unique(genres):
        of_genre = genres == genre
        result[of_genre] -= np.average(result[of_genre], axis=0, weights=weights[of_genre])
    return result
