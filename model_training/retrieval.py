"""Retrieval figures: whether the nearest neighbours of a clip, other artists only, share its genre."""

from dataclasses import asdict, dataclass

import numpy as np

from musrecd.types import FloatArray

_DRAWS = 2000
_K = 10

Interval = tuple[float, float, float]


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
    spread = np.maximum(embeddings.std(0), 1e-9)
    X = (embeddings - embeddings.mean(0)) / spread
    X = X / np.linalg.norm(X, axis=1, keepdims=True)
    figures = np.array([_query(X, i, labels, groups) for i in range(len(X))])
    return Scores(*(_interval(column, groups) for column in figures.T))


def _query(X: FloatArray, i: int, labels: np.ndarray, groups: np.ndarray) -> tuple[float, float, float]:
    others = np.flatnonzero(groups != groups[i])
    order = others[np.argsort(-(X[others] @ X[i]), kind="stable")]
    hits = (labels[order] == labels[i]).astype(float)
    if not hits.any():
        return np.nan, np.nan, np.nan
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return hits[0], hits[:_K].mean(), float((precision * hits).sum() / hits.sum())


def _interval(values: np.ndarray, groups: np.ndarray) -> Interval:
    rng = np.random.default_rng(0)
    _, group_of = np.unique(groups, return_inverse=True)
    known = ~np.isnan(values)
    sums = np.bincount(group_of, np.nan_to_num(values))
    counts = np.bincount(group_of, known)
    draws = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), _DRAWS)
    means = (draws @ sums) / np.maximum(draws @ counts, 1e-9)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(np.nanmean(values)), float(low), float(high)
