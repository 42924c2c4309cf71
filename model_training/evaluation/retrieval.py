"""Retrieval figures: whether the nearest neighbours of a clip, other artists only, share its genre."""

from dataclasses import asdict, dataclass

import numpy as np

from model_training.evaluation.intervals import Interval, interval
from musrecd.types import FloatArray

_K = 10


@dataclass(frozen=True, slots=True)
class Scores:
    """Mean and 95 % bootstrap interval of each figure: precision at 1 and 10, mean average precision."""

    p_at_1: Interval
    p_at_10: Interval
    mean_average_precision: Interval

    def to_dict(self) -> dict[str, Interval]:
        """Return the figures by name."""
        return asdict(self)


def score(embeddings: FloatArray, labels: np.ndarray, groups: np.ndarray) -> Scores:
    """Leave-one-out cosine retrieval over z-scored `embeddings` (n, dim); a group never answers itself."""
    return Scores(*(interval(column, groups) for column in query_scores(embeddings, labels, groups).T))


def query_scores(embeddings: FloatArray, labels: np.ndarray, groups: np.ndarray) -> FloatArray:
    """Precision at 1, at 10 and average precision of each clip as a query (n, 3).

    NaN where no clip of another group has the query's label.
    """
    X = z_scored(embeddings, embeddings)
    X = X / np.linalg.norm(X, axis=1, keepdims=True)
    return np.array([_query(X, i, labels, groups) for i in range(len(X))])


def z_scored(embeddings: FloatArray, over: FloatArray) -> FloatArray:
    """Scale every dimension as it has mean 0 and spread 1 `over` some clips; features of mixed units need that."""
    scaled: FloatArray = (embeddings - over.mean(0)) / np.maximum(over.std(0), 1e-9)
    return scaled


def _query(X: FloatArray, i: int, labels: np.ndarray, groups: np.ndarray) -> tuple[float, float, float]:
    others = np.flatnonzero(groups != groups[i])
    order = others[np.argsort(-(X[others] @ X[i]), kind="stable")]
    hits = (labels[order] == labels[i]).astype(float)
    if not hits.any():
        return np.nan, np.nan, np.nan
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return hits[0], hits[:_K].mean(), float((precision * hits).sum() / hits.sum())
