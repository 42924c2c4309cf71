"""Areas under the ROC and precision-recall curves for many weightings of the same clips at once.

scikit-learn takes one weighting at a time, minutes for the thousands that an interval needs; the tests hold
these to its results.
"""

import numpy as np

from musrecd.types import FloatArray


def roc_auc(truths: np.ndarray, scores: FloatArray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of `scores` (n,) for each row of `weights` (n_draws, n).

    `truths` (n,) is of 0 and 1. NaN where a weighting holds no positive or no negative.
    """
    yes, no = truths == 1, truths == 0
    above = scores[yes][:, None] - scores[no][None]
    won = (above > 0) + 0.5 * (above == 0)
    pairs = weights[:, yes].sum(1) * weights[:, no].sum(1)
    return _ratio(((weights[:, yes] @ won) * weights[:, no]).sum(1), pairs)


def average_precision(truths: np.ndarray, scores: FloatArray, weights: np.ndarray) -> np.ndarray:
    """Average precision of `scores` (n,) for each row of `weights` (n_draws, n); NaN without a positive."""
    order = np.argsort(-scores, kind="stable")
    # Clips of equal score enter together: each is judged at the last of its equals.
    _, places = np.unique(-scores[order], return_inverse=True)
    last = np.searchsorted(places, places, side="right") - 1
    ordered = weights[:, order]
    positive = ordered * (truths[order] == 1)
    precision = _ratio(positive.cumsum(1)[:, last], ordered.cumsum(1)[:, last])
    return _ratio((positive * np.nan_to_num(precision)).sum(1), positive.sum(1))


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    ratio: np.ndarray = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return ratio
