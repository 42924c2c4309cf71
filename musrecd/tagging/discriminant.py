"""The numbers behind learning: a shrunk linear discriminant, its folds over artists, its calibration, its thresholds.

Linear discriminant analysis is as accurate as logistic regression on these embeddings, with ten tracks of a genre and
with hundreds, and is solved at once, so that trying strengths in cross-validation costs next to nothing.
"""

import warnings
from collections.abc import Iterator, Sequence

import numpy as np

from musrecd.errors import LearningError
from musrecd.tagging.learnt import softmax
from musrecd.types import FloatArray

STRENGTHS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
N_FOLDS = 5
# Of what is written this share shall be right, and that shall be 80 % sure: it is the lower end of the interval that
# Jeffreys' prior gives (Brown, Cai & DasGupta 2001). The share itself would be the luckiest of many.
GOAL = 0.85
_SURE = 0.8
# What is less probable than not is not written, however lucky it was.
_LEAST_PROBABLE = 0.5
# Weight of the prior that a genre is calibrated already, in tracks or so.
_PRIOR = 3.0
_MOST_ROWS = 4000
_TINY = 1e-12


def folds_over(strata: np.ndarray, groups: np.ndarray, seed: int) -> list[np.ndarray]:
    """Deal whole groups to folds, the strata (numbers from 0) alike among them; returns the rows of each fold.

    Raises LearningError if there are not two folds to deal to.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    n_folds = min(N_FOLDS, len(np.unique(groups)), int(np.bincount(strata, minlength=1).max()))
    if n_folds < 2:
        raise LearningError("tracks by two artists at least have to share a genre, or nothing can be said of others")
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of strata with fewer members than there are folds
        return [rows for _, rows in splitter.split(strata, strata, groups)]


def fit(X: FloatArray, Y: FloatArray, strengths: Sequence[float]) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Weights (n_classes, dim) and bias (n_classes,) for each strength, the prior of the classes not included.

    The rows of `Y` (n, n_classes) share one track out among its classes. A class without a track gets a bias of -inf.
    """
    X64, sizes = X.astype(np.float64), Y.sum(0, dtype=np.float64)
    means = (Y.T.astype(np.float64) @ X64) / np.maximum(sizes, _TINY)[:, None]
    within = (X64.T @ X64 - (means.T * sizes) @ means) / len(X)
    round_one = np.eye(len(within)) * max(float(np.trace(within)) / len(within), _TINY)
    for strength in strengths:
        weights = np.linalg.solve((1 - strength) * within + strength * round_one, means.T).T
        bias = np.where(sizes > 0, -0.5 * (weights * means).sum(1), -np.inf)
        yield weights.astype(np.float32), bias.astype(np.float32)


def cross_scores(
    X: FloatArray, Y: FloatArray, folds: Sequence[np.ndarray], strengths: Sequence[float]
) -> list[FloatArray]:
    """Scores (n, n_classes) for each strength, of each fold by a discriminant that was fitted on the others."""
    scores = [np.empty(Y.shape, np.float32) for _ in strengths]
    for rows in folds:
        others = np.ones(len(X), bool)
        others[rows] = False
        for into, (weights, bias) in zip(scores, fit(X[others], Y[others], strengths), strict=True):
            into[rows] = X[rows] @ weights.T + bias
    return scores


def choose_strength(X: FloatArray, Y: FloatArray, folds: Sequence[np.ndarray]) -> float:
    """Find the strength that tells the classes of other groups best, by log loss."""
    losses = [cool(scores, Y)[1] for scores in cross_scores(X, Y, folds, STRENGTHS)]
    return STRENGTHS[int(np.argmin(losses))]


def cool(scores: FloatArray, Y: FloatArray) -> tuple[float, float]:
    """Temperature by which scores have to be divided to be as sure as they may be, and the log loss after that."""
    from scipy.optimize import minimize_scalar

    rows = np.random.default_rng(0).permutation(len(Y))[:_MOST_ROWS]
    scores, Y = scores[rows], Y[rows]
    prior = log_shares(Y)

    def loss(log_temperature: float) -> float:
        shares = softmax(scores / np.exp(log_temperature) + prior)
        return float(-(Y * np.log(shares + _TINY)).sum() / len(Y))

    best = minimize_scalar(loss, bounds=(-1.0, 6.0), method="bounded", options={"xatol": 1e-2})
    return float(np.exp(best.x)), float(best.fun)


def log_shares(Y: FloatArray) -> FloatArray:
    """Logarithm of the share of each class (n_classes,)."""
    shares: FloatArray = np.log(np.maximum(Y.mean(0, dtype=np.float64), _TINY)).astype(np.float32)
    return shares


def calibrate(odds: np.ndarray, has: np.ndarray) -> tuple[FloatArray, FloatArray]:
    """Slopes and offsets (n_genres,) by which log odds (n, n_genres) are made honest for each genre.

    That is Platt's scaling, drawn to leaving things as they are where a genre has few tracks.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    n_genres = odds.shape[1]

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        slopes, offsets = parameters[:n_genres], parameters[n_genres:]
        z = odds * slopes + offsets
        residuals = expit(z) - has
        value = np.logaddexp(0, z).sum() - z[has].sum() + _PRIOR / 2 * (((slopes - 1) ** 2).sum() + (offsets**2).sum())
        towards = [(residuals * odds).sum(0) + _PRIOR * (slopes - 1), residuals.sum(0) + _PRIOR * offsets]
        return float(value), np.concatenate(towards)

    # A slope below zero would turn the order around.
    bounds = [(0.0, None)] * n_genres + [(None, None)] * n_genres
    start = np.concatenate([np.ones(n_genres), np.zeros(n_genres)])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x.astype(np.float32)
    return found[:n_genres], found[n_genres:]


def choose_thresholds(probable: FloatArray, has: np.ndarray, groups: np.ndarray) -> FloatArray:
    """Probability (n_genres,) from which on a genre is right often enough; infinite where that cannot be said."""
    correlation = _correlation(probable, has, groups)
    columns = zip(probable.T, has.T, strict=True)
    return np.array([_threshold(said, right, groups, correlation) for said, right in columns], np.float32)


def _correlation(probable: FloatArray, has: np.ndarray, groups: np.ndarray) -> float:
    """How much the tracks of one group are right or wrong together, 0 to 1, by their most probable genres.

    The correlation, over all pairs within groups, of what is left when the share that is right of each genre is
    taken away.
    """
    best = probable.argmax(1)
    right = has[np.arange(len(has)), best].astype(np.float64)
    shares = np.bincount(best, right) / np.maximum(np.bincount(best), 1)
    residuals = right - shares[best]
    sizes, sums = np.bincount(groups), np.bincount(groups, residuals)
    n_pairs = int((sizes * (sizes - 1)).sum())
    products = float((sums**2).sum() - (residuals**2).sum())
    return float(np.clip(products / max(n_pairs * (residuals**2).mean(), _TINY), 0.0, 1.0))


def _threshold(said: FloatArray, right: np.ndarray, groups: np.ndarray, correlation: float) -> float:
    """Find the lowest one that both the truth and the probabilities themselves bear out."""
    from scipy.special import betaincinv

    order = np.argsort(-said, kind="stable")[: int((said >= _LEAST_PROBABLE).sum())]
    n = np.arange(1, len(order) + 1)
    share, size = right[order].cumsum() / n, _effective_sizes(groups[order], correlation)
    low_end = betaincinv(share * size + 0.5, (1 - share) * size + 0.5, 1 - _SURE)
    promised = said[order].cumsum() / n
    reached = np.flatnonzero((low_end >= GOAL) & (promised >= GOAL))
    return float(said[order[reached[-1]]]) if reached.size else np.inf


def _effective_sizes(groups: np.ndarray, correlation: float) -> np.ndarray:
    """How many independent tracks the first 1, 2, … are worth (Kish's design effect).

    Ten tracks of one artist tell little more than one where they are right or wrong together.
    """
    _, group_of = np.unique(groups, return_inverse=True)
    by_group = np.argsort(group_of, kind="stable")
    starts = np.flatnonzero(np.diff(group_of[by_group], prepend=-1))
    before = np.empty(len(groups), np.int64)
    before[by_group] = np.arange(len(groups)) - starts[group_of[by_group]]
    n = np.arange(1, len(groups) + 1)
    # The squares of the groups' sizes, summed: each track adds twice its predecessors within its group, and one.
    of_one_group = (2 * before + 1).cumsum() / n
    sizes: np.ndarray = n / (1 + (of_one_group - 1) * correlation)
    return sizes
