"""Intervals hold what they should, and draw artists and not clips."""

import numpy as np
import pytest

from model_training.evaluation.intervals import clip_weights, interval


def test_the_estimate_is_the_mean_and_lies_in_its_interval():
    values = np.random.default_rng(0).random(200)
    mean, low, high = interval(values, np.arange(200))
    assert mean == pytest.approx(values.mean())
    standard_error = values.std() / np.sqrt(200)
    assert (low, high) == pytest.approx((mean - 1.96 * standard_error, mean + 1.96 * standard_error), abs=0.005)


def test_clips_of_one_artist_count_as_one_witness():
    values = np.repeat(np.random.default_rng(0).random(20), 30)
    _, low, high = interval(values, np.repeat(np.arange(20), 30))
    _, low_of_clips, high_of_clips = interval(values, np.arange(600))
    assert high - low > 4 * (high_of_clips - low_of_clips)


def test_what_is_not_known_is_left_out():
    values = np.array([1.0, np.nan, 0.0, np.nan])
    assert interval(values, np.arange(4))[0] == 0.5
    assert np.isnan(interval(np.full(4, np.nan), np.arange(4))).all()


def test_weights_say_how_much_a_value_counts():
    values, weights = np.array([1.0, 0.0, np.nan]), np.array([3.0, 1.0, 100.0])
    assert interval(values, np.arange(3), weights)[0] == 0.75


def test_a_group_is_drawn_whole_and_as_often_as_another():
    weights = clip_weights(np.array(["a", "a", "b", "c"]))
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, [0, 2, 3]].sum(1) == 3).all()
    np.testing.assert_allclose(weights.mean(0), 1, atol=0.06)


def test_draws_are_always_the_same():
    values, groups = np.random.default_rng(1).random(50), np.arange(50) // 3
    assert interval(values, groups) == interval(values, groups)
