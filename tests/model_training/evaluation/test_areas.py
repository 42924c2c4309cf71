"""Areas under curves are scikit-learn's, for one weighting and for many."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from model_training.evaluation.areas import average_precision, roc_auc

PAIRS = [(roc_auc, roc_auc_score), (average_precision, average_precision_score)]


@pytest.mark.parametrize(("ours", "reference"), PAIRS)
@pytest.mark.parametrize("digits", [6, 1, 0])
def test_areas_are_those_of_scikit_learn(ours, reference, digits):
    """With few digits many scores are equal."""
    rng = np.random.default_rng(digits)
    truths = rng.integers(0, 2, 80).astype(float)
    scores = (truths + 2 * rng.standard_normal(80)).round(digits)
    weights = np.vstack([np.ones(80), rng.integers(0, 4, (5, 80))])
    expected = [reference(truths, scores, sample_weight=w) for w in weights]
    np.testing.assert_allclose(ours(truths, scores, weights), expected, rtol=1e-9)


@pytest.mark.parametrize(("ours", "reference"), PAIRS)
def test_a_perfect_order_is_one(ours, reference):
    assert ours(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.3, 0.9]), np.ones((1, 4))) == [1.0]


@pytest.mark.parametrize(("ours", "reference"), PAIRS)
def test_a_weighting_without_a_positive_has_no_area(ours, reference):
    weights = np.array([[1, 0, 1], [1, 1, 1]])
    found = ours(np.array([0, 1, 0]), np.array([0.1, 0.5, 0.2]), weights)
    assert np.isnan(found[0])
    assert found[1] == 1.0
