"""95 % bootstrap intervals: artists are drawn, not clips, because clips of one artist say the same thing twice."""

import numpy as np

Interval = tuple[float, float, float]

_DRAWS = 2000


def clip_weights(groups: np.ndarray) -> np.ndarray:
    """How often each clip counts in each of the draws (n_draws, n): groups with replacement, always the same."""
    counts, group_of = _group_counts(groups)
    weights: np.ndarray = counts[:, group_of]
    return weights


def interval(values: np.ndarray, groups: np.ndarray, weights: np.ndarray | None = None) -> Interval:
    """Mean of `values` (n,), NaN left out, and its 95 % interval; NaN if there is no value.

    `weights` (n,) say how much each value counts; without them all count alike.
    """
    counts, group_of = _group_counts(groups)
    known = ~np.isnan(values)
    counting = known * (1.0 if weights is None else weights)
    if not counting.any():
        return np.nan, np.nan, np.nan
    sums = np.bincount(group_of, np.nan_to_num(values) * counting)
    sizes = np.bincount(group_of, counting)
    drawn = (counts @ sums) / np.maximum(counts @ sizes, 1e-9)
    return spread(float(sums.sum() / sizes.sum()), drawn)


def spread(estimate: float, drawn: np.ndarray) -> Interval:
    """`estimate` with the middle 95 % of the same figure over the draws."""
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return estimate, float(low), float(high)


def _group_counts(groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    names, group_of = np.unique(groups, return_inverse=True)
    rng = np.random.default_rng(0)
    return rng.multinomial(len(names), np.full(len(names), 1 / len(names)), _DRAWS), group_of
