"""Tracks in the crowd lose, others do not; and never more than the excess."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from musrecd.recommend.asking import Choice, Rules
from musrecd.recommend.hubs import Hubs
from musrecd.recommend.ranking import answer
from tests.recommend.reference import Collection, made, unit_vectors


def crowded(n, rng, n_hubs=3, dim=24):
    """Vectors in all directions, but a few in the middle of all, which are near everyone."""
    vectors = unit_vectors(rng, n, dim) + 0.35
    vectors[:n_hubs] = 1 + 0.05 * rng.standard_normal((n_hubs, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_the_worst_hub_is_in_fewer_lists():
    collection = made(150, 0)
    collection = Collection(crowded(150, np.random.default_rng(0)), collection.features, collection.listed)
    raw = np.argsort(-(collection.vectors @ collection.vectors.T), axis=1)[:, 1:11]
    damped = np.zeros(150, int)
    for row in range(150):
        seed = [collection.seed(row)]
        known = (collection.vectors, collection.features, collection)
        damped[[each.row for each in answer(seed, *known, Rules(), Choice()).results]] += 1
    assert damped.max() < 0.8 * np.bincount(raw.ravel()).max()


@settings(max_examples=30, deadline=None)
@given(st.integers(21, 300), st.integers(0, 1000))
def test_three_quarters_lose_nothing_and_nobody_gains(n, state):
    vectors = unit_vectors(np.random.default_rng(state), n, 6)
    penalty = Hubs(vectors).penalty(np.arange(n))
    assert (penalty >= 0).all()
    assert 0 < np.count_nonzero(penalty) <= 0.4 * n + 1  # the quarter is told from a sample of 200


@given(st.integers(1, 20))
def test_too_few_tracks_have_no_crowd(n):
    vectors = unit_vectors(np.random.default_rng(n), n)
    assert not Hubs(vectors).penalty(np.arange(n)).any()


def test_what_a_row_loses_does_not_depend_on_who_is_asked_with_it():
    vectors = unit_vectors(np.random.default_rng(3), 3000, 12)
    hubs = Hubs(vectors)
    together = hubs.penalty(np.arange(3000))
    alone = [float(hubs.penalty(np.array([row]))[0]) for row in range(0, 3000, 500)]
    np.testing.assert_allclose(together[::500], alone, atol=1e-6)
