"""What all teachers together say of our labels, in our words: learned from the clips whose labels are known.

Teachers know other labels than ours, or mean something else by them. A linear model over everything that they say
translates; it predicts an artist only after learning from others, so that its opinion of a clip is as honest as
that of a clip that nobody labelled (stacking, Wolpert 1992).
"""

import numpy as np
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler

from musrecd.types import FloatArray

_MIN_ARTISTS = 10
_N_FOLDS = 5
# The inverse strength of the penalty with the best log loss over the training artists (of .0003 to .03).
_C = 0.01
_MIN_PROBABILITY = 1e-4


def teacher_features(embeddings: dict[str, FloatArray], probabilities: dict[str, FloatArray]) -> FloatArray:
    """Everything that the teachers say of n examples, side by side (n, n_features)."""
    sides = [logit(p.clip(_MIN_PROBABILITY, 1 - _MIN_PROBABILITY)) for p in probabilities.values()]
    return np.hstack([*embeddings.values(), *sides])


def translated_opinions(
    features: FloatArray, truths: FloatArray, groups: np.ndarray, training: np.ndarray
) -> FloatArray:
    """Probabilities of our labels (n, n_labels) for all n examples; NaN for labels that too few artists have.

    `truths` (n, n_labels) hold 1, 0 or NaN; learned from are only those of examples in `training` (n,) and, for
    each example, only those of other groups (n,) than its own.
    """
    opinions = np.full(truths.shape, np.nan, np.float32)
    known = ~np.isnan(truths) & training[:, None]
    columns = [c for c in range(truths.shape[1]) if _is_learnable(truths[:, c], known[:, c], groups)]
    if columns:
        scaled = StandardScaler().fit(features[training]).transform(features)
        for learned_from, others in GroupKFold(_N_FOLDS).split(scaled, groups=groups):
            allowed = np.isin(np.arange(len(groups)), learned_from)
            for column in columns:
                rows = np.flatnonzero(known[:, column] & allowed)
                model = LogisticRegression(C=_C, max_iter=500).fit(scaled[rows], truths[rows, column])
                opinions[others, column] = model.predict_proba(scaled[others])[:, 1]
    return opinions


def _is_learnable(truth: FloatArray, known: np.ndarray, groups: np.ndarray) -> bool:
    return all(len(set(groups[known & (truth == value)])) >= _MIN_ARTISTS for value in (0, 1))
