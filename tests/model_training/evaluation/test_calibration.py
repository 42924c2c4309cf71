"""The calibration error is nought where probabilities are shares, and as large as they are wrong."""

import numpy as np
import pytest

from model_training.evaluation.calibration import calibration_error, reliability


def drawn(n: int = 5_000) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (n, 1), and truths that come true that often."""
    rng = np.random.default_rng(0)
    probabilities = rng.random((n, 1))
    return probabilities, (rng.random((n, 1)) < probabilities).astype(float)


def test_probabilities_that_come_true_have_no_error():
    probabilities, truths = drawn()
    error, low, high = calibration_error(probabilities, truths, np.arange(len(truths)))
    assert error < 0.025
    assert low < high < 0.04


def test_an_error_is_as_large_as_probabilities_are_too_high():
    probabilities, truths = drawn()
    error, *_ = calibration_error(0.5 + probabilities / 2, truths, np.arange(len(truths)))
    assert error == pytest.approx(0.25, abs=0.02)


def test_the_error_is_that_of_a_count_by_hand():
    probabilities = np.array([[0.01, 0.02], [0.5, 0.51], [0.9, 0.99], [1.0, 0.98]])
    truths = np.array([[0, 1], [1, np.nan], [1, 1], [0, 1]], float)
    # Bins of a fifteenth: two below .067, one at .5 (its neighbour's truth is unknown), one at .9, three on top.
    gaps = [(0.01 + 0.02) - 1, 0.5 - 1, 0.9 - 1, (0.99 + 1.0 + 0.98) - 2]
    error, *_ = calibration_error(probabilities, truths, np.arange(4))
    assert error == pytest.approx(sum(map(abs, gaps)) / 7)


def test_reliability_counts_what_is_known_and_leaves_empty_bins_out():
    bins = reliability(np.array([[0.01, 0.5], [0.03, 0.52]]), np.array([[0, 1], [1, np.nan]], float))
    assert bins.n.tolist() == [2, 1]
    np.testing.assert_allclose(bins.said, [0.02, 0.5])
    np.testing.assert_allclose(bins.right, [0.5, 1.0])
