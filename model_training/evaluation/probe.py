"""Linear probes: what a straight cut through the embedding can tell, on artists that did not place the cut."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler

from musrecd.types import FloatArray

_FOLDS = 5
_INNER_FOLDS = 3
_STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0)


def cross_probe(
    embeddings: FloatArray, labels: np.ndarray, groups: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Predict the label of every clip from the embeddings (n, dim) of other groups, in five folds.

    There are fewer folds if a label has fewer clips. In each fold the regularisation is chosen by three inner ones.
    `weights` (n,) say how much each clip counts.
    """
    X, groups = _varying(embeddings), _numbered(groups)
    weights = np.ones(len(labels)) if weights is None else weights
    predicted = np.empty(len(labels), labels.dtype)
    for train, test in _folds(_FOLDS, labels, seed=0).split(X, labels, groups):
        predicted[test] = fit_and_predict(X[train], labels[train], groups[train], X[test], weights=weights[train])
    return predicted


def fit_and_predict(
    embeddings: FloatArray,
    labels: np.ndarray,
    groups: np.ndarray,
    others: FloatArray,
    *,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """Fit on `embeddings` (n, dim) and their labels, predict the labels of `others` (m, dim)."""
    scaler = StandardScaler().fit(embeddings)
    X = scaler.transform(embeddings)
    weights = np.ones(len(labels)) if weights is None else weights
    strength = _best_strength(X, labels, groups, weights)
    predicted: np.ndarray = _fit(X, labels, weights, strength).predict(scaler.transform(others))
    return predicted


def _best_strength(X: FloatArray, labels: np.ndarray, groups: np.ndarray, weights: np.ndarray) -> float:
    hits = np.zeros(len(_STRENGTHS))
    for train, test in _folds(_INNER_FOLDS, labels, seed=1).split(X, labels, groups):
        for i, strength in enumerate(_STRENGTHS):
            predicted = _fit(X[train], labels[train], weights[train], strength).predict(X[test])
            hits[i] += (weights[test] * (predicted == labels[test])).sum()
    return _STRENGTHS[int(hits.argmax())]


def _folds(number: int, labels: np.ndarray, seed: int) -> StratifiedGroupKFold:
    fewest = int(np.unique(labels, return_counts=True)[1].min())
    return StratifiedGroupKFold(max(2, min(number, fewest)), shuffle=True, random_state=seed)


def _fit(X: FloatArray, labels: np.ndarray, weights: np.ndarray, strength: float) -> LogisticRegression:
    with warnings.catch_warnings():
        # 300 steps settle every prediction; the last digits of the weights are of no interest.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=strength, max_iter=300, tol=1e-3).fit(X, labels, weights)


def _varying(embeddings: FloatArray) -> np.ndarray:
    X = embeddings.astype(np.float64)
    return X[:, X.std(0) > 1e-9]


def _numbered(groups: np.ndarray) -> np.ndarray:
    """Give groups numbers as they come, so that their names do not decide who shares a fold."""
    _, first, group_of = np.unique(groups, return_index=True, return_inverse=True)
    ranks: np.ndarray = first.argsort().argsort()[group_of]
    return ranks
